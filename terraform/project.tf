# The responder's own project: its number, which Google's service agents are named after, and the APIs it needs.

data "google_project" "responder" {
  project_id = var.project_id
}

locals {
  _gateway_apis = ["connectgateway.googleapis.com", "gkehub.googleapis.com"]
}

resource "google_project_service" "needed" {
  for_each = toset(!var.enable_apis ? [] : concat(var.connect_gateway ? local._gateway_apis : [], local._signs ? ["cloudkms.googleapis.com"] : [], var.console == null ? [] : ["iap.googleapis.com"], var.essential_contacts ? ["essentialcontacts.googleapis.com"] : [], length(var.notice_secrets) == 0 ? [] : ["secretmanager.googleapis.com"], [
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "container.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com", # to act as another: doctor, redrive, approvers' tokens
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "securitycenter.googleapis.com",
    "storage.googleapis.com",
  ]))

  disable_on_destroy = false
  project            = var.project_id
  service            = each.value
}
