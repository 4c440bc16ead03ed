# One page: how far and how fast threats are contained, what was held and what failed, and what waits.

locals {
  _charts = [
    { title = "Time until no connection was left, or every process had ended (seconds, 95th percentile), by containment", filter = "${local._service} AND metric.type=\"${local.metric_types.contained_seconds}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", by = ["metric.label.containment"] },
    { title = "Deliveries, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.deliveries}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Deliveries, by containment (isolated: established connections may go on)", filter = "${local._service} AND metric.type=\"${local.metric_types.deliveries}\" AND metric.labels.containment!=\"\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.containment"] },
    { title = "Changes that were made, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.changed}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Waiting for a person's approval, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.waiting}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Held of HIGH and CRITICAL, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.held_severe}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Held of LOW and MEDIUM, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.held}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Failed, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.failed}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Rehearsed, by reason", filter = "${local._service} AND metric.type=\"${local.metric_types.rehearsed}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"] },
    { title = "Clusters that refuse what they allowed before", filter = "${local._service} AND metric.type=\"${local.metric_types.access_lost}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = [] },
    { title = "Kill switch not set", filter = "${local._service} AND metric.type=\"${local.metric_types.control_unset}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = [] },
    { title = "Kill switch lowered, in heartbeats", filter = "${local._service} AND metric.type=\"${local.metric_types.control_lowered}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = [] },
    { title = "Oldest unacknowledged message (seconds)", filter = "${local._push} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", by = [] },
    { title = "Dead letters", filter = "${local._dead_letters} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = [] },
    { title = "Heartbeats", filter = "${local._service} AND metric.type=\"${local.metric_types.heartbeats}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = [] },
    { title = "Sweeps", filter = "${local._service} AND metric.type=\"${local.metric_types.sweeps}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = [] },
    { title = "Instances", filter = "${local._service} AND metric.type=\"run.googleapis.com/container/instance_count\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = [] },
  ]
}

resource "google_monitoring_dashboard" "responder" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = "2"
      widgets = [for chart in local._charts : {
        title = chart.title
        xyChart = {
          dataSets = [{
            plotType = "LINE"
            timeSeriesQuery = {
              timeSeriesFilter = {
                filter = chart.filter
                aggregation = {
                  alignmentPeriod    = "60s"
                  crossSeriesReducer = chart.reducer
                  groupByFields      = chart.by
                  perSeriesAligner   = chart.aligner
                }
              }
            }
          }]
        }
      }]
    }
  })

  depends_on = [google_logging_metric.contained_seconds, google_logging_metric.count]
}
