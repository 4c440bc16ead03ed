# Where a console is asked for: who it is, what it may, and what the function is told of it. It reads the journal and calls
# the function, and nothing else: no cluster, no Security Command Center, no write. The service itself is in console/.

locals {
  _console         = one(google_service_account.console[*].email)
  _console_member  = one(google_service_account.console[*].member)
  _console_name    = "${var.name}-console"
  _console_address = "https://${local._console_name}-${data.google_project.responder.number}.${var.region}.run.app"

  # Whom Identity-Aware Proxy makes its assertions for, where it stands before a service of Cloud Run itself.
  _iap_audience = "/projects/${data.google_project.responder.number}/locations/${var.region}/services/${local._console_name}"

  _console_undoes = try(var.console.undo, false)
  _console_settings = merge({
    SCC_RESPONDER_CONSOLE_URL  = local._console_address
    SCC_RESPONDER_FUNCTION_URL = local._address
    SCC_RESPONDER_IAP_AUDIENCE = local._iap_audience
    SCC_RESPONDER_STORE        = local.environment.SCC_RESPONDER_STORE
  }, local._console_undoes ? { SCC_RESPONDER_UNDO_URL = local._undo_address } : {})
}

resource "google_service_account" "console" {
  count = var.console == null ? 0 : 1

  account_id   = local._console_name
  description  = "${var.name}: shows cases in the browser, and hands on what persons answer."
  display_name = "${var.name} console"
  project      = var.project_id

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_custom_role" "console" {
  count = var.console == null ? 0 : 1

  description = "What the console of ${var.name} reads of the journal."
  permissions = ["datastore.entities.get", "datastore.entities.list"]
  project     = var.project_id
  role_id     = "${local._roles_prefix}_console"
  title       = "${var.name} console"
}

resource "google_project_iam_member" "console" {
  count = var.console == null ? 0 : 1

  member  = local._console_member
  project = var.project_id
  role    = google_project_iam_custom_role.console[0].name

  condition {
    expression = local._journal_only
    title      = "journal_only"
  }
}

resource "google_cloud_run_v2_service_iam_member" "console" {
  count = var.console == null ? 0 : 1

  location = var.region
  member   = local._console_member
  name     = google_cloudfunctions2_function.responder.name
  project  = var.project_id
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.responder]
  }
}
