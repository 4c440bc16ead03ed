# The identity that takes changes back, where somebody is listed for it. People act as it, with `scc-responder case undo`;
# the function never does. In clusters kubernetes/undo lets it take the responder's own acts away, and nothing else; on
# Cloud Run it may what the second identity may, run_writer.tf.

locals {
  _undoes      = length(var.undo_operators) > 0
  _undo        = one(google_service_account.undo[*].email)
  _undo_member = one(google_service_account.undo[*].member)
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
