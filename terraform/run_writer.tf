# The identity that changes Cloud Run, where one is asked for. Nobody but the runtime identity acts as it, and it can do
# nothing else than what the enabled policies' actions change there. It reads nothing but how a change ends.

locals {
  _writes_run = length(var.cloud_run_writes) > 0
  _run_writes = toset(local._listed.cloud_run_writes[*].permission)
  _run_writer = one(google_service_account.run_writer[*].email)

  # Nothing that makes a service or a job, or takes one away, or runs one.
  _run_changes   = "^run[.](executions[.]cancel|jobs[.]setIamPolicy|operations[.]get|revisions[.]delete|services[.](setIamPolicy|update))$"
  _unknown_write = [for name in local._run_writes : name if !can(regex(local._run_changes, name))]
  _writer_role   = one(concat(google_organization_iam_custom_role.run_writer[*].name, google_project_iam_custom_role.run_writer[*].name))
}

resource "google_service_account" "run_writer" {
  count = local._writes_run ? 1 : 0

  account_id   = "${var.name}-writer"
  description  = "${var.name}: changes services and jobs of Cloud Run."
  display_name = "${var.name} writer"
  project      = var.project_id

  depends_on = [google_project_service.needed]

  lifecycle {
    precondition {
      condition     = length(local._unknown_write) == 0
      error_message = "The permissions ${join(", ", local._unknown_write)} are not granted by this module: run_writer.tf does not know them as changes that can be undone. Write permissions.json anew with: scc-responder permissions --iam permissions.json."
    }
  }
}

resource "google_service_account_iam_member" "run_writer" {
  count = local._writes_run ? 1 : 0

  member             = google_service_account.responder["run"].member
  role               = "roles/iam.serviceAccountTokenCreator"
  service_account_id = google_service_account.run_writer[0].name
}

resource "google_organization_iam_custom_role" "run_writer" {
  count = local._writes_run && length(local._run_writes) > 0 && local.scope != "project" ? 1 : 0

  description = "What ${var.name} needs to change Cloud Run."
  org_id      = var.scope.organization
  permissions = local._run_writes
  role_id     = "${local._roles_prefix}_run_writer"
  title       = "${var.name} run writer"
}

resource "google_project_iam_custom_role" "run_writer" {
  count = local._writes_run && length(local._run_writes) > 0 && local.scope == "project" ? 1 : 0

  description = "What ${var.name} needs to change Cloud Run."
  permissions = local._run_writes
  project     = var.scope.project
  role_id     = "${local._roles_prefix}_run_writer"
  title       = "${var.name} run writer"
}

resource "google_project_iam_member" "run_writer" {
  for_each = length(local._run_writes) > 0 ? var.cloud_run_writes : toset([])

  member  = google_service_account.run_writer[0].member
  project = each.value
  role    = local._writer_role
}
