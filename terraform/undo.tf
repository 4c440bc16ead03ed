# The identity that takes changes back, where somebody is listed for it, or the console may. People act as it, with
# `scc-responder case undo`, and the service of undo runs as it, console/; the function never does. In clusters kubernetes/undo lets it take the responder's own acts away, and nothing else; on
# Cloud Run it may what the second identity may, run_writer.tf.

locals {
  _undoes      = length(var.undo_operators) > 0 || local._console_undoes
  _undo        = one(google_service_account.undo[*].email)
  _undo_member = one(google_service_account.undo[*].member)

  _undo_name    = "${var.name}-undo"
  _undo_address = "https://${local._undo_name}-${data.google_project.responder.number}.${var.region}.run.app"

  # What the service of undo is told of the function's settings: nothing by which it would act as another identity.
  _undo_told = ["CLUSTERS", "COLLECTOR", "CONNECT_GATEWAY", "CONSOLE", "IAP_AUDIENCE", "SERVICES", "SOURCES", "STORE", "VPC_EGRESS"]
  _undo_settings = merge(
    { for name, value in local.environment : name => value if contains(formatlist("SCC_RESPONDER_%s", local._undo_told), name) },
    { SCC_RESPONDER_APPROVAL_AUDIENCE = local._undo_address },
  )
}

resource "google_service_account" "undo" {
  count = local._undoes ? 1 : 0

  account_id   = "${var.name}-undo"
  description  = "${var.name}: takes changes back, for a person."
  display_name = "${var.name} undo"
  project      = var.project_id

  depends_on = [google_project_service.needed]
}

resource "google_service_account_iam_member" "undo" {
  for_each = var.undo_operators

  member             = each.value
  role               = "roles/iam.serviceAccountTokenCreator"
  service_account_id = google_service_account.undo[0].name
}

resource "google_organization_iam_member" "undo" {
  count = local._undoes && local.scope == "organization" && contains(local._at_scope, "clusters") ? 1 : 0

  member = local._undo_member
  org_id = var.scope.organization
  role   = local._roles["clusters"]
}

resource "google_folder_iam_member" "undo" {
  count = local._undoes && local.scope == "folder" && contains(local._at_scope, "clusters") ? 1 : 0

  folder = "folders/${var.scope.folder}"
  member = local._undo_member
  role   = local._roles["clusters"]
}

resource "google_project_iam_member" "undo" {
  count = local._undoes && local.scope == "project" && contains(local._at_scope, "clusters") ? 1 : 0

  member  = local._undo_member
  project = var.scope.project
  role    = local._roles["clusters"]
}

resource "google_project_iam_member" "undo_clusters" {
  for_each = local._undoes && contains(keys(local._reach), "clusters") ? local.cluster_projects : toset([])

  member  = local._undo_member
  project = each.value
  role    = local._roles["clusters"]
}

resource "google_project_iam_member" "undo_cloud_run" {
  for_each = local._undoes && length(local._run_writes) > 0 ? var.cloud_run_writes : toset([])

  member  = local._undo_member
  project = each.value
  role    = local._writer_role
}

# At a desk a person reads journal and Cloud Run as who that is. The service has nobody else to be.
resource "google_project_iam_member" "undo_store" {
  count = local._console_undoes && contains(keys(local._own), "store") ? 1 : 0

  member  = local._undo_member
  project = var.project_id
  role    = google_project_iam_custom_role.own["store"].name

  condition {
    expression = local._journal_only
    title      = "journal_only"
  }
}

resource "google_project_iam_member" "undo_reads_cloud_run" {
  for_each = local._console_undoes && length(local._run_writes) > 0 && contains(keys(local._reach), "run") ? var.cloud_run_writes : toset([])

  member  = local._undo_member
  project = each.value
  role    = local._roles["run"]
}
