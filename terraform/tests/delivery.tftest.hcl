# A finding is delivered until it is handled, or becomes a dead letter that somebody hears of.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  alert_channels = ["projects/example-project/notificationChannels/1"]
  bundle         = { path = "versions.tf", sha256 = filesha256("versions.tf") }
  clusters       = ["projects/shop-prod/locations/europe-west1/clusters/prod-1"]
  evidence       = { locked = true }
  project_id     = "example-project"
  region         = "europe-west1"
  scope          = { organization = "123" }
  source_ids     = ["1111111111111111111"]
}

run "bundle_in_a_bucket" {
  variables {
    bundle      = { bucket = "example-zips", generation = 1772443800000000, sha256 = filesha256("versions.tf") }
    permissions = "permissions.json"
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.build_config[0].source[0].storage_source[0].bucket == "example-zips" && google_cloudfunctions2_function.responder.build_config[0].source[0].storage_source[0].object == "${var.bundle.sha256}.zip"
    error_message = "The function would be built from another zip than the one of this digest."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.build_config[0].source[0].storage_source[0].generation == var.bundle.generation && length(google_storage_bucket_object.bundle) == 0
    error_message = "The zip could be exchanged: its generation is not pinned."
  }

  assert {
    condition     = google_storage_bucket_iam_member.build_source.bucket == "example-zips" && google_storage_bucket_iam_member.build_source.role == "roles/storage.objectViewer"
    error_message = "The builder may not read the zip where it lies."
  }
}

run "collector" {
  variables {
    collector_image = "europe-docker.pkg.dev/example-project/tools/collector@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables["SCC_RESPONDER_COLLECTOR"] == var.collector_image
    error_message = "The function would put another image into pods than the one that was given."
  }
}

run "delivery" {
  assert {
    condition     = google_pubsub_subscription.push.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.responder["dead-letters"].id
    error_message = "What cannot be handled does not become a dead letter."
  }

  assert {
    condition     = google_pubsub_subscription.dead_letters.topic == google_pubsub_topic.responder["dead-letters"].id
    error_message = "Dead letters are lost: their topic has no subscription."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.topic == google_pubsub_topic.responder["dead-letters"].name && google_pubsub_topic_iam_member.dead_letters.role == "roles/pubsub.publisher" && endswith(google_pubsub_topic_iam_member.dead_letters.member, "@gcp-sa-pubsub.iam.gserviceaccount.com")
    error_message = "Pub/Sub may not publish dead letters: they would be delivered for ever."
  }

  assert {
    condition     = google_pubsub_subscription_iam_member.dead_letters.subscription == google_pubsub_subscription.push.name && google_pubsub_subscription_iam_member.dead_letters.role == "roles/pubsub.subscriber" && endswith(google_pubsub_subscription_iam_member.dead_letters.member, "@gcp-sa-pubsub.iam.gserviceaccount.com")
    error_message = "Pub/Sub may not take dead letters from the subscription: they would be delivered for ever."
  }

  assert {
    condition     = alltrue([for subscription in [google_pubsub_subscription.push, google_pubsub_subscription.dead_letters] : subscription.expiration_policy[0].ttl == ""])
    error_message = "A subscription would be deleted after 31 quiet days."
  }

  assert {
    condition     = google_pubsub_subscription.push.ack_deadline_seconds > google_cloudfunctions2_function.responder.service_config[0].timeout_seconds && google_pubsub_subscription.push.ack_deadline_seconds <= 600
    error_message = "A finding would be delivered again while it is still being worked on."
  }

  assert {
    condition     = google_pubsub_subscription.push.retry_policy[0].minimum_backoff == "10s" && google_pubsub_subscription.push.retry_policy[0].maximum_backoff == "600s"
    error_message = "Without back-off, a finding that cannot be handled now is out of deliveries within seconds."
  }

  assert {
    condition     = google_pubsub_subscription.push.topic == google_pubsub_topic.responder["findings"].id && !coalesce(google_pubsub_subscription.push.enable_message_ordering, false) && google_pubsub_subscription.push.filter == null
    error_message = "The subscription brings other messages than the findings, or holds some back."
  }

  assert {
    condition     = google_pubsub_subscription.push.push_config[0].push_endpoint == google_cloudfunctions2_function.responder.service_config[0].uri && google_pubsub_subscription.push.push_config[0].oidc_token[0].audience == google_cloudfunctions2_function.responder.service_config[0].uri
    error_message = "Findings are pushed to something else than the function, or with a token for something else."
  }

  assert {
    condition     = google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email == google_service_account.responder["push"].email && google_cloud_run_v2_service_iam_member.push.member == google_service_account.responder["push"].member
    error_message = "Pub/Sub calls the function as somebody who may not."
  }

  assert {
    condition     = google_pubsub_topic.responder["findings"].message_retention_duration == "604800s" && google_pubsub_subscription.push.message_retention_duration == "604800s" && google_pubsub_subscription.dead_letters.message_retention_duration == "2678400s"
    error_message = "Findings are kept for a shorter time than was asked for."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].max_instance_request_concurrency == 4 && google_cloudfunctions2_function.responder.service_config[0].environment_variables.THREADS == "4"
    error_message = "Requests would wait inside an instance, or threads would be idle."
  }

  assert {
    condition     = google_monitoring_alert_policy.threshold["dead_letters"].severity == "CRITICAL" && strcontains(google_monitoring_alert_policy.threshold["dead_letters"].conditions[0].condition_threshold[0].filter, google_pubsub_subscription.dead_letters.name) && google_monitoring_alert_policy.threshold["dead_letters"].conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "A dead letter alarms nobody."
  }

  assert {
    condition     = keys(google_pubsub_subscription.outcomes) == ["pull"] && google_pubsub_subscription.outcomes["pull"].topic == google_pubsub_topic.responder["outcomes"].id && google_pubsub_subscription.outcomes["pull"].message_retention_duration == "604800s" && google_pubsub_subscription.outcomes["pull"].expiration_policy[0].ttl == "" && length(google_pubsub_subscription_iam_member.outcome_reader) == 0
    error_message = "What was done is published to nobody, or to somebody who was not named."
  }

  assert {
    condition     = google_monitoring_alert_policy.threshold["waiting"].severity == "CRITICAL" && endswith(google_monitoring_alert_policy.threshold["waiting"].conditions[0].condition_threshold[0].filter, "/scc-responder/waiting\"") && google_monitoring_alert_policy.threshold["waiting"].notification_channels == tolist(["projects/example-project/notificationChannels/1"])
    error_message = "A plan that waits pages nobody."
  }

  assert {
    condition     = google_monitoring_alert_policy.threshold["held_severe"].severity == "CRITICAL" && google_monitoring_alert_policy.threshold["held"].severity == "WARNING"
    error_message = "What is held of a CRITICAL finding is told like what is held of a LOW one."
  }

  assert {
    condition     = google_monitoring_alert_policy.threshold["control_lowered"].conditions[0].condition_threshold[0].threshold_value == 142 && google_monitoring_alert_policy.threshold["control_lowered"].conditions[0].condition_threshold[0].aggregations[0].alignment_period == "86400s"
    error_message = "A kill switch that was lowered for a day is told of nobody, or too soon."
  }

  assert {
    condition     = google_monitoring_alert_policy.absence["sweep_missing"].conditions[0].condition_absent[0].duration == "1200s" && endswith(google_monitoring_alert_policy.absence["sweep_missing"].conditions[0].condition_absent[0].filter, "/scc-responder/sweeps\"")
    error_message = "Nobody learns that sweeps do not come through."
  }

  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.threshold), "changed") && endswith(google_monitoring_alert_policy.match["no_finding"].conditions[0].condition_matched_log[0].filter, " AND jsonPayload.days_without_finding>=14")
    error_message = "Each change pages, and nobody asked for it; or two weeks without a finding page nobody."
  }

  assert {
    condition     = google_monitoring_alert_policy.match["config_changed"].severity == "CRITICAL" && strcontains(google_monitoring_alert_policy.match["config_changed"].conditions[0].condition_matched_log[0].filter, "labels.reason=\"config_changed\"") && jsondecode(google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_NOTIFICATION_CONFIG).filter == google_scc_v2_organization_notification_config.responder[0].streaming_config[0].filter
    error_message = "Nobody learns that findings are not sent any more."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.match["case"].documentation[0].content, "scc-responder case show $${log.extracted_label.case} --store firestore://example-project/scc-responder-journal") && google_monitoring_alert_policy.match["case"].conditions[0].condition_matched_log[0].label_extractors["case"] == "EXTRACT(labels.case)"
    error_message = "No alert names the case."
  }

  assert {
    condition     = google_monitoring_alert_policy.absence["heartbeat_missing"].conditions[0].condition_absent[0].duration == "1800s" && google_cloud_scheduler_job.heartbeat.schedule == "*/10 * * * *"
    error_message = "Three missed heartbeats raise no alert."
  }
}

run "alerts" {
  variables {
    alerts = { auto_close_minutes = 60, changed = true, lowered_hours = 0, minutes_between = 30, no_finding_days = 0, pages = "https://git.example.com/security/docs" }
    outcome_subscriptions = {
      lake = { bigquery_table = "example-project.security.outcomes" }
      siem = { readers = ["serviceAccount:siem@example-project.iam.gserviceaccount.com"] }
      tool = { push_endpoint = "https://tool.example.com/in", push_identity = "tool@example-project.iam.gserviceaccount.com" }
    }
  }

  assert {
    condition     = keys(google_pubsub_subscription.outcomes) == ["lake", "siem", "tool"] && alltrue([for one in google_pubsub_subscription.outcomes : one.topic == google_pubsub_topic.responder["outcomes"].id && one.expiration_policy[0].ttl == "" && one.message_retention_duration == "604800s"])
    error_message = "What was done is not kept for everybody who asked for it."
  }

  assert {
    condition     = google_pubsub_subscription.outcomes["lake"].bigquery_config[0].table == "example-project.security.outcomes" && google_pubsub_subscription.outcomes["lake"].bigquery_config[0].write_metadata && length(google_pubsub_subscription.outcomes["lake"].push_config) == 0
    error_message = "Outcomes do not get to the table, or not whole."
  }

  assert {
    condition     = google_pubsub_subscription.outcomes["tool"].push_config[0].push_endpoint == "https://tool.example.com/in" && google_pubsub_subscription.outcomes["tool"].push_config[0].oidc_token[0].audience == "https://tool.example.com/in" && google_pubsub_subscription.outcomes["tool"].push_config[0].oidc_token[0].service_account_email == "tool@example-project.iam.gserviceaccount.com"
    error_message = "Outcomes are pushed elsewhere, or by nobody."
  }

  assert {
    condition     = length(google_pubsub_subscription.outcomes["siem"].push_config) + length(google_pubsub_subscription.outcomes["siem"].bigquery_config) == 0 && values(google_pubsub_subscription_iam_member.outcome_reader)[*].member == ["serviceAccount:siem@example-project.iam.gserviceaccount.com"] && values(google_pubsub_subscription_iam_member.outcome_reader)[*].subscription == ["scc-responder-outcomes-siem"]
    error_message = "Who reads outcomes may not, or somebody else may."
  }

  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.threshold), "control_lowered") && endswith(google_monitoring_alert_policy.threshold["changed"].conditions[0].condition_threshold[0].filter, "/scc-responder/changed\"") && keys(google_monitoring_alert_policy.match) == ["case", "config_changed", "notice_undeliverable"] && google_monitoring_alert_policy.match["case"].alert_strategy[0].notification_rate_limit[0].period == "1800s" && google_monitoring_alert_policy.match["case"].alert_strategy[0].auto_close == "3600s"
    error_message = "Alerts do not follow their settings."
  }

  assert {
    condition     = endswith(google_monitoring_alert_policy.threshold["waiting"].documentation[0].content, "\nThen read: https://git.example.com/security/docs/on-call.md#a-plan-waits\n")
    error_message = "Alerts do not lead to where the pages are."
  }
}

run "delivery_settings" {
  variables {
    additional_filter      = "severity = \"HIGH\" OR severity = \"CRITICAL\""
    cloud_run_projects     = ["shop-prod", "shop-test"]
    cloud_run_writes       = ["shop-prod"]
    concurrency            = 2
    heartbeat_minutes      = 5
    limits                 = { timeout_seconds = 90 }
    message_retention_days = 31
    retry                  = { max_delivery_attempts = 5, minimum_backoff_seconds = 1, maximum_backoff_seconds = 60 }
    services               = ["projects/shop-prod/locations/*/services/*", "projects/shop-prod/locations/*/jobs/nightly"]
    vpc_connector          = "projects/example-project/locations/europe-west1/connectors/clusters"
  }

  assert {
    condition     = google_scc_v2_organization_notification_config.responder[0].streaming_config[0].filter == "state = \"ACTIVE\" AND finding_class = \"THREAT\" AND -mute = \"MUTED\" AND (severity = \"HIGH\" OR severity = \"CRITICAL\")"
    error_message = "OR binds tighter than AND in these filters: what is added has to be in parentheses."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].max_instance_request_concurrency == 2 && google_cloudfunctions2_function.responder.service_config[0].environment_variables.THREADS == "2"
    error_message = "Concurrency and threads differ."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].timeout_seconds == 90 && google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_TIMEOUT_SECONDS == "90"
    error_message = "The function does not know its timeout: it would begin what it cannot end."
  }

  assert {
    condition     = google_pubsub_subscription.push.ack_deadline_seconds == 120 && google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts == 5
    error_message = "The subscription does not follow its settings."
  }

  assert {
    condition     = google_monitoring_alert_policy.absence["heartbeat_missing"].conditions[0].condition_absent[0].duration == "900s" && google_cloud_scheduler_job.heartbeat.schedule == "*/5 * * * *"
    error_message = "The heartbeat's alert does not follow its schedule."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_SERVICES == "projects/shop-prod/locations/*/jobs/nightly,projects/shop-prod/locations/*/services/*" && google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_OWN_SERVICE == "projects/example-project/locations/europe-west1/services/scc-responder"
    error_message = "The function does not know what it may change on Cloud Run, or which service is its own."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_RUN_WRITER == output.run_writer && strcontains(output.settings, "SCC_RESPONDER_CLOUD_RUN_PROJECTS=shop-prod,shop-test\n")
    error_message = "The function does not know who changes Cloud Run for it, or doctor where it is read."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].vpc_connector_egress_settings == "PRIVATE_RANGES_ONLY"
    error_message = "Google's APIs are not to be called through the connector."
  }
}

run "cloud_run" {
  variables {
    approvers          = ["group:secops@example.com"]
    cloud_logging      = true
    cloud_monitoring   = true
    cloud_run_projects = ["shop-prod"]
    cloud_run_writes   = ["shop-prod"]
    console            = { members = ["group:secops@example.com"], undo = true, subnetwork = "projects/example-project/regions/europe-west1/subnetworks/serverless" }
    services           = ["projects/shop-prod/locations/*/services/*", "projects/shop-prod/locations/*/jobs/*"]
    source_ids         = ["1111111111111111111", "2222222222222222222", "3333333333333333333"]
  }

  assert {
    condition     = alltrue([for name in ["APPROVAL_AUDIENCE", "RUN_WRITER", "SERVICES"] : contains(keys(google_cloudfunctions2_function.responder.service_config[0].environment_variables), "SCC_RESPONDER_${name}")])
    error_message = "Nobody approves changes of Cloud Run, nobody makes them, or nothing may be changed."
  }
}

run "approvals" {
  variables {
    approvers = ["group:secops@example.com"]
    ingress   = "ALLOW_INTERNAL_AND_GCLB"
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.approver["group:secops@example.com"].role == "roles/run.invoker" && google_cloudfunctions2_function.responder.service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "Approvers may not call the function, or cannot reach it."
  }
}

run "idle_instances" {
  variables {
    limits = { max_instances = 1, min_instances = 1 }
  }

  assert {
    condition     = endswith(google_monitoring_alert_policy.threshold["saturated"].conditions[0].condition_threshold[0].filter, " AND metric.type=\"run.googleapis.com/container/instance_count\" AND metric.labels.state=\"active\"")
    error_message = "An instance that is kept idle raises the alert, for ever."
  }

  assert {
    condition     = google_monitoring_alert_policy.threshold["saturated"].conditions[0].condition_threshold[0].threshold_value == 0 && google_monitoring_alert_policy.threshold["saturated"].conditions[0].condition_threshold[0].duration == "300s"
    error_message = "The alert does not wait for all instances to be at work for five minutes."
  }
}
