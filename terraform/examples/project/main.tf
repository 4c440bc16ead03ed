# Threats in one project and its clusters.

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
  clusters       = ["projects/${var.monitored_project_id}/locations/*/clusters/*"]
  project_id     = var.project_id
  region         = var.region
  scope          = { project = var.monitored_project_id }
  source_ids     = var.source_ids
}
