# Security Command Center sends findings to the topic, from one of three scopes. Which findings matter is for the
# policies to say; the filter keeps out only what no policy could act upon.

locals {
  scope  = var.scope.project != null ? "project" : var.scope.folder != null ? "folder" : "organization"
  filter = join(" AND ", concat(local._always, var.additional_filter == "" ? [] : ["(${var.additional_filter})"]))

  # OR binds tighter than AND in this syntax: what is added stays in parentheses.
  _always = ["state = \"ACTIVE\"", "finding_class = \"THREAT\"", "-mute = \"MUTED\""]

  # What is made below, for the function to compare it with what there is.
  _notification_config = {
    filter       = local.filter
    name         = "${local._parent}/locations/${var.scc_location}/notificationConfigs/${var.name}"
    pubsub_topic = google_pubsub_topic.responder["findings"].id
  }

  # Whoever publishes for Security Command Center differs between scopes: only the resource knows.
  notifier = one(concat(
    google_scc_v2_organization_notification_config.responder[*].service_account,
    google_scc_v2_folder_notification_config.responder[*].service_account,
    google_scc_v2_project_notification_config.responder[*].service_account,
  ))
}

resource "google_scc_v2_organization_notification_config" "responder" {
  count = local.scope == "organization" ? 1 : 0

  config_id    = var.name
  description  = "Active threats, for ${var.name}."
  location     = var.scc_location
  organization = var.scope.organization
  pubsub_topic = google_pubsub_topic.responder["findings"].id

  streaming_config {
    filter = local.filter
  }
}

resource "google_scc_v2_folder_notification_config" "responder" {
  count = local.scope == "folder" ? 1 : 0

  config_id    = var.name
  description  = "Active threats, for ${var.name}."
  folder       = var.scope.folder
  location     = var.scc_location
  pubsub_topic = google_pubsub_topic.responder["findings"].id

  streaming_config {
    filter = local.filter
  }
}

resource "google_scc_v2_project_notification_config" "responder" {
  count = local.scope == "project" ? 1 : 0

  config_id    = var.name
  description  = "Active threats, for ${var.name}."
  location     = var.scc_location
  project      = var.scope.project
  pubsub_topic = google_pubsub_topic.responder["findings"].id

  streaming_config {
    filter = local.filter
  }
}
