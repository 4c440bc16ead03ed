# What whoever is on call may do, and no more: docs/on-call.md says which command takes which permission. Reading logs and
# evidence is not here: that is the project's to give.

locals {
  # Pausing takes `update`; undoing that takes the function's address, and acting as the push identity.
  _operator_permissions = {
    function     = ["run.services.get"]
    heartbeat    = ["cloudscheduler.jobs.run"]
    journal      = ["datastore.entities.create", "datastore.entities.get", "datastore.entities.list", "datastore.entities.update"]
    subscription = ["pubsub.subscriptions.get", "pubsub.subscriptions.update"]
  }
}

resource "google_project_iam_custom_role" "operator" {
  for_each = length(var.operators) == 0 ? {} : local._operator_permissions

  description = "What operators of ${var.name} need for: ${each.key}."
  permissions = each.value
  project     = var.project_id
  role_id     = "${local._roles_prefix}_operator_${each.key}"
  title       = "${var.name} operator ${each.key}"
}

resource "google_service_account_iam_member" "operator" {
  for_each = var.operators

  member             = each.value
  role               = "roles/iam.serviceAccountTokenCreator"
  service_account_id = google_service_account.responder["redrive"].name
}

resource "google_service_account_iam_member" "operator_push" {
  for_each = var.operators

  member             = each.value
  role               = "roles/iam.serviceAccountUser"
  service_account_id = google_service_account.responder["push"].name
}

resource "google_project_iam_member" "operator_journal" {
  for_each = var.operators

  member  = each.value
  project = var.project_id
  role    = google_project_iam_custom_role.operator["journal"].name

  condition {
    expression = local._journal_only
    title      = "journal_only"
  }
}

resource "google_pubsub_subscription_iam_member" "operator" {
  for_each = var.operators

  member       = each.value
  project      = var.project_id
  role         = google_project_iam_custom_role.operator["subscription"].name
  subscription = google_pubsub_subscription.push.name

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.push]
  }
}

resource "google_cloud_run_v2_service_iam_member" "operator" {
  for_each = var.operators

  location = var.region
  member   = each.value
  name     = google_cloudfunctions2_function.responder.name
  project  = var.project_id
  role     = google_project_iam_custom_role.operator["function"].name

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.responder]
  }
}

# Jobs have no policies of their own, and conditions do not see them: this holds for all of the project.
resource "google_project_iam_member" "operator_heartbeat" {
  for_each = var.operators

  member  = each.value
  project = var.project_id
  role    = google_project_iam_custom_role.operator["heartbeat"].name
}
