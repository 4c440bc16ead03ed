# Threats in all of an organisation; clusters in two of its projects.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.20.0, < 9.0.0"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

module "responder" {
  source = "../.."

  alert_channels = var.alert_channels
  bundle         = { path = "${path.module}/../../../dist/scc-responder.zip", sha256 = var.bundle_sha256 }
  clusters = [
    "projects/shop-prod/locations/europe-west1/clusters/prod-1",
    "projects/shop-test/locations/*/clusters/*",
  ]
  project_id = var.project_id
  region     = var.region
  scope      = { organization = var.organization_id }
  source_ids = var.source_ids
}
