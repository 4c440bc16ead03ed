# A message that is no finding goes from the topic to the journal every few minutes: on a quiet day, its absence is the one
# sign that a finding would not get through. It names a finding that cannot exist, and no cluster or pod.

locals {
  _parent  = local.scope == "project" ? "projects/${var.scope.project}" : local.scope == "folder" ? "folders/${var.scope.folder}" : "organizations/${var.scope.organization}"
  _source  = "${local._parent}/sources/${sort(var.source_ids)[0]}"
  _located = var.scc_location == "global" ? local._source : "${local._source}/locations/${var.scc_location}"

  heartbeat = {
    finding = {
      category  = "HEARTBEAT"
      eventTime = "2000-01-01T00:00:00Z"
      name      = "${local._located}/findings/sccresponderheartbeat"
      state     = "INACTIVE"
    }
  }
}

resource "google_cloud_scheduler_job" "heartbeat" {
  description = "Publishes ${var.name}'s heartbeat."
  name        = "${var.name}-heartbeat"
  project     = var.project_id
  region      = var.region
  schedule    = "*/${var.heartbeat_minutes} * * * *"
  time_zone   = "Etc/UTC"

  # By HTTP and not as a Pub/Sub target, which would publish as a service agent that may publish on every topic.
  http_target {
    body        = base64encode(jsonencode({ messages = [{ data = base64encode(jsonencode(local.heartbeat)) }] }))
    headers     = { "Content-Type" = "application/json" }
    http_method = "POST"
    uri         = "https://pubsub.googleapis.com/v1/${google_pubsub_topic.responder["findings"].id}:publish"

    oauth_token {
      scope                 = "https://www.googleapis.com/auth/pubsub"
      service_account_email = google_service_account.responder["scheduler"].email
    }
  }

  retry_config {
    retry_count = 2
  }

  depends_on = [google_project_service.needed]
}
