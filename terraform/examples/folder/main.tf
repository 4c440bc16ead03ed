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

  additional_filter = var.additional_filter
  alert_channels    = var.alert_channels
  alerts            = var.alerts
  approvers         = var.approvers
  bundle = {
    bucket     = try(var.bundle_object.bucket, null)
    generation = try(var.bundle_object.generation, null)
    path       = var.bundle_object == null ? "${path.module}/../../../dist/scc-responder.zip" : null
    sha256     = var.bundle_sha256
  }
  cloud_logging          = var.cloud_logging
  cloud_monitoring       = var.cloud_monitoring
  cloud_run_projects     = var.cloud_run_projects
  cloud_run_writes       = var.cloud_run_writes
  clusters               = var.clusters
  collector_image        = var.collector_image
  collector_repository   = var.collector_repository
  concurrency            = var.concurrency
  connect_gateway        = var.connect_gateway
  console                = var.console
  essential_contacts     = var.essential_contacts
  evidence               = var.evidence
  exclude_collector_logs = var.exclude_collector_logs
  external_system        = var.external_system
  image_repositories     = var.image_repositories
  ingress                = var.ingress
  limits                 = var.limits
  looks                  = var.looks
  message_retention_days = var.message_retention_days
  notice_secrets         = var.notice_secrets
  operators              = var.operators
  outcome_format         = var.outcome_format
  outcome_subscriptions  = var.outcome_subscriptions
  permissions            = var.permissions
  project_id             = var.project_id
  region                 = var.region
  scc_location           = "eu"
  scope                  = { organization = var.organization_id, folder = var.folder_id }
  services               = var.services
  signing                = var.signing
  source_ids             = var.source_ids
  undo_operators         = var.undo_operators
}
