# Metrics from the one log line that ends each delivery (functions/scc_responder/journal/messages.py).

locals {
  _lines = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}\" AND labels.reason:*"

  # Of no severity, or of one that is not known here, is severe: no answer means no.
  _lesser = "(jsonPayload.finding.severity=\"LOW\" OR jsonPayload.finding.severity=\"MEDIUM\")"

  _counted = {
    access_lost     = " AND labels.reason=\"cluster_access_lost\""
    changed         = " AND jsonPayload.changed:*"
    control_lowered = " AND labels.reason=\"heartbeat\" AND (jsonPayload.control=\"dry_run\" OR jsonPayload.control=\"disabled\")"
    control_unset   = " AND (jsonPayload.control=\"missing\" OR jsonPayload.control=\"unusable\")"
    deliveries      = ""
    failed          = " AND (jsonPayload.state=\"partial\" OR severity>=\"ERROR\") AND NOT labels.reason=\"cluster_access_lost\" AND NOT labels.reason=\"heartbeat\" AND NOT (labels.reason=\"config_changed\" OR labels.reason=\"config_unread\" OR labels.reason=\"notice_undeliverable\")" # these have alerts of their own
    heartbeats      = " AND labels.reason=\"heartbeat\""
    held            = " AND jsonPayload.state=\"held\" AND ${local._lesser}"
    held_severe     = " AND jsonPayload.state=\"held\" AND NOT ${local._lesser}"
    rehearsed       = " AND jsonPayload.state=\"rehearsed\""
    sweeps          = " AND labels.reason=\"swept\""
    waiting         = " AND jsonPayload.state=\"waiting\""
  }
  metric_types = { for name in concat(keys(local._counted), ["contained_seconds"]) : name => "logging.googleapis.com/user/${var.name}/${name}" }
}

resource "google_logging_metric" "count" {
  for_each = local._counted

  description = "Log lines of ${var.name}: ${each.key}."
  filter      = "${local._lines}${each.value}"
  name        = "${var.name}/${each.key}"
  project     = var.project_id

  label_extractors = {
    containment = "EXTRACT(jsonPayload.containment)"
    reason      = "EXTRACT(labels.reason)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    unit        = "1"
    value_type  = "INT64"

    labels {
      description = "How far the threat is contained: isolated, severed, frozen, processes_ended, deleted, retired, scaled_to_zero or execution_ended. Empty where it is not."
      key         = "containment"
      value_type  = "STRING"
    }

    labels {
      description = "The one word for how the delivery ended."
      key         = "reason"
      value_type  = "STRING"
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_logging_metric" "contained_seconds" {
  description     = "Seconds from a finding's event until its threat was contained: no connection is left, or every process has ended."
  filter          = "${local._lines} AND jsonPayload.contained_seconds>=0"
  name            = "${var.name}/contained_seconds"
  project         = var.project_id
  value_extractor = "EXTRACT(jsonPayload.contained_seconds)"

  label_extractors = {
    containment = "EXTRACT(jsonPayload.containment)"
  }

  bucket_options {
    exponential_buckets {
      growth_factor      = 1.5
      num_finite_buckets = 32
      scale              = 0.5
    }
  }

  metric_descriptor {
    metric_kind = "DELTA"
    unit        = "s"
    value_type  = "DISTRIBUTION"

    labels {
      description = "How far the threat is contained: isolated, severed, frozen, processes_ended, deleted, retired, scaled_to_zero or execution_ended. Empty where it is not."
      key         = "containment"
      value_type  = "STRING"
    }
  }

  depends_on = [google_project_service.needed]
}
