# What a person has to know of. Each says what it means, the command to type first, and the page that goes on from there.

locals {
  _dead_letters = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\""
  _push         = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.push.name}\""
  _service      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${google_cloudfunctions2_function.responder.name}\""

  _read_log = "gcloud logging read 'resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}\" AND %s' --project=${var.project_id} --limit=20"
  _list     = "scc-responder case list --store ${local.environment.SCC_RESPONDER_STORE}"
  _switch   = "scc-responder control show --store ${local.environment.SCC_RESPONDER_STORE}"
  _run_job  = "gcloud scheduler jobs run %s --project=${var.project_id} --location=${var.region}"

  _lowered_beats = var.alerts.lowered_hours * 60 / var.heartbeat_minutes # two of which may be missing

  # They go off once more is counted than `over`, within `within` seconds, for `seconds`.
  _thresholds = {
    access_lost = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.access_lost}\""
      first    = format(local._read_log, "labels.reason=\"cluster_access_lost\"")
      over     = 0
      page     = "on-call-reference.md#alerts"
      seconds  = 0
      severity = "CRITICAL"
      text     = "A cluster that was read before refuses everything now: somebody took the responder's roles away, and nothing is done there. The log line names the cluster. Ask its audit log who did it, respond by hand, and apply terraform/kubernetes there again."
      within   = 60
    }
    changed = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.changed}\""
      first    = "${local._list} --since 1h"
      over     = 0
      page     = "on-call.md#what-is-going-on"
      seconds  = 0
      severity = "WARNING"
      text     = "The responder isolated, stopped, cut off or took away something that is in use: the log line's changed names the actions. Tell the owner, and look at the case; scc-responder case undo says what can be taken back."
      within   = 60
    }
    control_lowered = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.control_lowered}\""
      first    = local._switch
      over     = max(0, floor(local._lowered_beats) - 2)
      page     = "on-call-reference.md#resume"
      seconds  = 0
      severity = "WARNING"
      text     = "For ${var.alerts.lowered_hours} hours the kill switch has let nothing be changed anywhere: everything is only rehearsed, or held. Find out whether whoever lowered it still wants that; if not, raise it with scc-responder control set."
      within   = max(1, var.alerts.lowered_hours) * 3600
    }
    control_unset = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.control_unset}\""
      first    = local._switch
      over     = 0
      page     = "on-call-reference.md#resume"
      seconds  = 0
      severity = "ERROR"
      text     = "Nobody has turned the kill switch on, somebody removed its document, or the document makes no sense: everything is only rehearsed, whatever policies say. Find out who, then set it with scc-responder control set."
      within   = 60
    }
    dead_letters = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._dead_letters} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      first    = format(local._read_log, "jsonPayload.status=503")
      over     = 0
      page     = "on-call-reference.md#redrive"
      seconds  = 0
      severity = "CRITICAL"
      text     = "A finding could not be handled after ${var.retry.max_delivery_attempts} deliveries and nobody responds to it any more. Read the log lines of its message, fix what they name, then send it again with scc-responder redrive."
      within   = 60
    }
    failed = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.failed}\""
      first    = "${local._list} --state partial"
      over     = 0
      page     = "on-call-reference.md#what-to-type"
      seconds  = 0
      severity = "CRITICAL"
      text     = "A response ended in part or with an error: a change failed, had no effect, or its outcome is not known. The steps in the case and in the log line say which; look at the pod before anything else."
      within   = 60
    }
    held = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.held}\""
      first    = "${local._list} --state held"
      over     = 0
      page     = "on-call-reference.md#what-to-type"
      seconds  = 0
      severity = "WARNING"
      text     = "A policy matched a finding of LOW or MEDIUM, and everything it would have done was held back. The case's reason says by what; a person has to respond to this finding."
      within   = 60
    }
    held_severe = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.held_severe}\""
      first    = "${local._list} --state held"
      over     = 0
      page     = "on-call-reference.md#what-to-type"
      seconds  = 0
      severity = "CRITICAL"
      text     = "A policy matched a finding of HIGH or CRITICAL, and everything it would have done was held back: the threat goes on. The case's reason says by what held it; a person has to respond to this finding now."
      within   = 60
    }
    oldest_message = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._push} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      first    = format(local._read_log, "severity>=\"WARNING\"")
      over     = 300
      page     = "on-call-reference.md#alerts"
      seconds  = 60
      severity = "ERROR"
      text     = "A finding has waited for more than five minutes. Read the function's log: a dependency that is down, a missing permission, or more findings than max_instances times concurrency can work on."
      within   = 60
    }
    saturated = {
      aligner  = "ALIGN_MAX"
      filter   = "${local._service} AND metric.type=\"run.googleapis.com/container/instance_count\" AND metric.labels.state=\"active\"" # idle ones are kept on purpose
      first    = "${local._list} --since 1h"
      over     = var.limits.max_instances - 1
      page     = "on-call-reference.md#alerts"
      seconds  = 300
      severity = "WARNING"
      text     = "All instances that limits allow have been at work for five minutes: findings may wait in Pub/Sub. Nothing is lost; raise max_instances, and Google's quota for cluster reads with it."
      within   = 60
    }
    waiting = {
      aligner  = "ALIGN_DELTA"
      filter   = "${local._service} AND metric.type=\"${local.metric_types.waiting}\""
      first    = "${local._list} --state waiting"
      over     = 0
      page     = "on-call.md#a-plan-waits"
      seconds  = 0
      severity = "CRITICAL"
      text     = "A plan waits for a person's approval, by default for an hour: the evidence is kept, and nothing else happens until somebody answers. Read the plan with scc-responder case show, then approve or reject it."
      within   = 60
    }
  }

  # What is expected and does not come.
  _absences = {
    heartbeat_missing = {
      first    = format(local._run_job, google_cloud_scheduler_job.heartbeat.name)
      metric   = local.metric_types.heartbeats
      page     = "on-call-reference.md#alerts"
      seconds  = 3 * var.heartbeat_minutes * 60
      severity = "CRITICAL"
      text     = "Three heartbeats in a row did not come through: findings would not come through either. Look at the scheduler job ${google_cloud_scheduler_job.heartbeat.name}, the subscription ${google_pubsub_subscription.push.name} and the function's log, in this order."
    }
    sweep_missing = {
      first    = format(local._run_job, google_cloud_scheduler_job.sweep.name)
      metric   = local.metric_types.sweeps
      page     = "on-call-reference.md#alerts"
      seconds  = 1200
      severity = "ERROR"
      text     = "No sweep came to its end for twenty minutes: nobody goes on with what a crash left behind, plans that nobody answered do not expire, and what was held stays held. Look at the scheduler job ${google_cloud_scheduler_job.sweep.name}, who may call the function, and the function's log, in this order."
    }
  }

  # Each line by itself: these can name the case.
  _matches = {
    case = {
      extracted = { case = "labels.case", reason = "labels.reason", state = "jsonPayload.state" }
      filter    = " AND labels.case:* AND (jsonPayload.state=\"waiting\" OR jsonPayload.state=\"partial\" OR (jsonPayload.state=\"held\" AND NOT ${local._lesser}))"
      first     = "scc-responder case show $${log.extracted_label.case} --store ${local.environment.SCC_RESPONDER_STORE}"
      page      = "on-call.md#what-is-going-on"
      severity  = "CRITICAL"
      text      = "Case $${log.extracted_label.case} needs a person: it is $${log.extracted_label.state}, by the reason $${log.extracted_label.reason}. It says what the threat is, what was done, what was not, and which command goes on with it."
      title     = "case $${log.extracted_label.case} is $${log.extracted_label.state}"
    }
    config_changed = {
      extracted = { reason = "labels.reason" }
      filter    = " AND (labels.reason=\"config_changed\" OR labels.reason=\"config_unread\")"
      first     = "gcloud scc notifications describe ${var.name} --${local.scope}=${element(split("/", local._parent), 1)} --location=${var.scc_location}"
      page      = "on-call-reference.md#alerts"
      severity  = "CRITICAL"
      text      = "What sends findings here is not as this module made it, is gone, or may not be read ($${log.extracted_label.reason}): findings may not come at all. The log line's differs has what was made and what was found. Ask the organisation's audit log who did it, watch Security Command Center yourself, and let terraform apply mend it."
      title     = "findings may not be sent: $${log.extracted_label.reason}"
    }
    no_finding = {
      extracted = { days = "jsonPayload.days_without_finding" }
      filter    = " AND jsonPayload.days_without_finding>=${var.alerts.no_finding_days}"
      first     = "gcloud scc findings list ${local._parent} --location=${var.scc_location} --filter='state=\"ACTIVE\" AND finding_class=\"THREAT\"'"
      page      = "on-call-reference.md#alerts"
      severity  = "WARNING"
      text      = "No finding has come for $${log.extracted_label.days} days. Security Command Center may have none; or its detectors are off, its tier ran out, or additional_filter keeps all of them out. If it lists any that are younger, find out why they do not come."
      title     = "no finding for $${log.extracted_label.days} days"
    }
    notice_undeliverable = {
      extracted = { refused = "jsonPayload.refused", route = "jsonPayload.route" }
      filter    = " AND labels.reason=\"notice_undeliverable\""
      first     = "scc-responder notify list --store ${local.environment.SCC_RESPONDER_STORE}"
      page      = "on-call-reference.md#alerts"
      severity  = "CRITICAL"
      text      = "The route $${log.extracted_label.route} did not take a notice for a day, or refuses this very one ($${log.extracted_label.refused}), and it is not sent any more: whom the route reaches may know of nothing since. Read the notice, tell them yourself, mend the route's secret or its service, and try it with scc-responder notify test."
      title     = "nobody hears of route $${log.extracted_label.route}"
    }
  }

  _off = concat(
    var.alerts.changed ? [] : ["changed"],
    var.alerts.lowered_hours > 0 ? [] : ["control_lowered"],
    var.alerts.no_finding_days > 0 ? [] : ["no_finding"],
  )
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = { for name, alert in local._thresholds : name => alert if !contains(local._off, name) }

  combiner              = "OR"
  display_name          = "${var.name}: ${replace(each.key, "_", " ")}"
  notification_channels = var.alert_channels
  project               = var.project_id
  severity              = each.value.severity
  user_labels           = var.labels

  alert_strategy {
    auto_close = "${var.alerts.auto_close_minutes * 60}s" # else one stays open for a week, and the next tells nobody
  }

  conditions {
    display_name = replace(each.key, "_", " ")

    condition_threshold {
      comparison      = "COMPARISON_GT"
      duration        = "${each.value.seconds}s"
      filter          = each.value.filter
      threshold_value = each.value.over

      aggregations {
        alignment_period     = "${each.value.within}s"
        cross_series_reducer = "REDUCE_SUM"
        per_series_aligner   = each.value.aligner
      }
    }
  }

  documentation {
    content   = format(local._documented, each.value.text, each.value.first, each.value.page)
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.count]
}

resource "google_monitoring_alert_policy" "absence" {
  for_each = local._absences

  combiner              = "OR"
  display_name          = "${var.name}: ${replace(each.key, "_", " ")}"
  notification_channels = var.alert_channels
  project               = var.project_id
  severity              = each.value.severity
  user_labels           = var.labels

  alert_strategy {
    auto_close = "604800s" # a silence that goes on closes nothing: a week is the longest that there is
  }

  conditions {
    display_name = replace(each.key, "_", " ")

    condition_absent {
      duration = "${each.value.seconds}s"
      filter   = "${local._service} AND metric.type=\"${each.value.metric}\""

      aggregations {
        alignment_period     = "60s"
        cross_series_reducer = "REDUCE_SUM"
        per_series_aligner   = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content   = format(local._documented, each.value.text, each.value.first, each.value.page)
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.count]
}

# Cloud Monitoring tells of one line in so many minutes, and of 20 a day: the thresholds above count all.
resource "google_monitoring_alert_policy" "match" {
  for_each = { for name, alert in local._matches : name => alert if !contains(local._off, name) }

  combiner              = "OR"
  display_name          = "${var.name}: ${replace(each.key, "_", " ")}"
  notification_channels = var.alert_channels
  project               = var.project_id
  severity              = each.value.severity
  user_labels           = var.labels

  alert_strategy {
    auto_close = "${var.alerts.auto_close_minutes * 60}s"

    notification_rate_limit {
      period = "${var.alerts.minutes_between * 60}s"
    }
  }

  conditions {
    display_name = replace(each.key, "_", " ")

    condition_matched_log {
      filter           = "${local._lines}${each.value.filter}"
      label_extractors = { for name, field in each.value.extracted : name => "EXTRACT(${field})" }
    }
  }

  documentation {
    content   = format(local._documented, each.value.text, each.value.first, each.value.page)
    mime_type = "text/markdown"
    subject   = "${var.name}: ${each.value.title}"
  }

  depends_on = [google_project_service.needed]
}

locals {
  _documented = "%s\n\nFirst type:\n\n```sh\n%s\n```\n\nThen read: ${var.alerts.pages}/%s\n"
}

moved {
  from = google_monitoring_alert_policy.heartbeat
  to   = google_monitoring_alert_policy.absence["heartbeat_missing"]
}
