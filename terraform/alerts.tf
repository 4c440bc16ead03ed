# What a person has to know of. Each says what it means and what to do first.

locals {
  _dead_letters = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\""
  _push         = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.push.name}\""
  _service      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${google_cloudfunctions2_function.responder.name}\""

  _thresholds = {
    access_lost = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.access_lost}\""
      over     = 0
      seconds  = 0
      severity = "CRITICAL"
      text     = "A cluster that was read before refuses everything now: somebody took the responder's roles away, and nothing is done there. The log line names the cluster. Ask its audit log who did it, respond by hand, and apply terraform/kubernetes there again."
    }
    control_unset = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.control_unset}\""
      over     = 0
      seconds  = 0
      severity = "ERROR"
      text     = "Nobody has turned the kill switch on, somebody removed its document, or the document makes no sense: everything is only rehearsed, whatever policies say. Find out who, then: scc-responder control set."
    }
    dead_letters = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._dead_letters} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      over     = 0
      seconds  = 0
      severity = "CRITICAL"
      text     = "A finding could not be handled after ${var.retry.max_delivery_attempts} deliveries and nobody responds to it any more. Read the log lines of its message, fix what they name, then send it again: scc-responder redrive."
    }
    failed = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.failed}\""
      over     = 0
      seconds  = 0
      severity = "CRITICAL"
      text     = "A response ended in part or with an error: a change failed, had no effect, or its outcome is not known. The log line's steps say which; look at the pod before anything else."
    }
    held = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.held}\""
      over     = 0
      seconds  = 0
      severity = "WARNING"
      text     = "A policy matched a finding, and everything it would have done was held back. The log line's reason says by what; a person has to respond to this finding."
    }
    oldest_message = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._push} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      over     = 300
      seconds  = 60
      severity = "ERROR"
      text     = "A finding has waited for more than five minutes. Read the function's log: a dependency that is down, a missing permission, or more findings than max_instances times concurrency can work on."
    }
    saturated = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._service} AND metric.type=\"run.googleapis.com/container/instance_count\" AND metric.labels.state=\"active\"" # idle ones are kept on purpose
      over     = var.limits.max_instances - 1
      seconds  = 300
      severity = "WARNING"
      text     = "All instances that limits allow have been at work for five minutes: findings may wait in Pub/Sub. Nothing is lost; raise max_instances, and Google's quota for cluster reads with it."
    }
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local._thresholds

  combiner              = "OR"
  display_name          = "${var.name}: ${replace(each.key, "_", " ")}"
  notification_channels = var.alert_channels
  project               = var.project_id
  severity              = each.value.severity
  user_labels           = var.labels

  conditions {
    display_name = replace(each.key, "_", " ")

    condition_threshold {
      comparison      = "COMPARISON_GT"
      duration        = "${each.value.seconds}s"
      filter          = each.value.filter
      threshold_value = each.value.over

      aggregations {
        alignment_period     = "60s"
        cross_series_reducer = "REDUCE_SUM"
        per_series_aligner   = each.value.aligner
      }
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.count]
}

resource "google_monitoring_alert_policy" "heartbeat" {
  combiner              = "OR"
  display_name          = "${var.name}: heartbeat missing"
  notification_channels = var.alert_channels
  project               = var.project_id
  severity              = "CRITICAL"
  user_labels           = var.labels

  conditions {
    display_name = "heartbeat missing"

    condition_absent {
      duration = "${3 * var.heartbeat_minutes * 60}s"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.heartbeats}\""

      aggregations {
        alignment_period     = "60s"
        cross_series_reducer = "REDUCE_SUM"
        per_series_aligner   = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content   = "Three heartbeats in a row did not come through: findings would not come through either. Look at the scheduler job ${google_cloud_scheduler_job.heartbeat.name}, the subscription ${google_pubsub_subscription.push.name} and the function's log, in this order."
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.count]
}
