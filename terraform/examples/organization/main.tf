# Threats in all of an organisation; the clusters that you list.

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
  scope                  = { organization = var.organization_id }
  services               = var.services
  source_ids             = var.source_ids
}
