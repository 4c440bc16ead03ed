# Threats in one folder, whose findings and responder stay in the EU; any cluster in it.

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

  # With data residency, Security Command Center answers in its own location only.
  security_center_v2_custom_endpoint = "https://securitycenter.eu.rep.googleapis.com/v2/"
}

module "responder" {
  source = "../.."

  alert_channels         = var.alert_channels
  approvers              = var.approvers
  bundle                 = { path = "${path.module}/../../../dist/scc-responder.zip", sha256 = var.bundle_sha256 }
  clusters               = var.clusters
  collector_image        = var.collector_image
  concurrency            = var.concurrency
  connect_gateway        = var.connect_gateway
  evidence               = var.evidence
  ingress                = var.ingress
  limits                 = var.limits
  message_retention_days = var.message_retention_days
  operators              = var.operators
  project_id             = var.project_id
  region                 = var.region
  scc_location           = "eu"
  scope                  = { organization = var.organization_id, folder = var.folder_id }
  services               = var.services
  source_ids             = var.source_ids
}
