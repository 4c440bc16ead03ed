# Findings come in on one topic and go to the function by a push subscription; what it cannot handle becomes a dead
# letter and waits there; what it did is published on the outcome topic, and kept there for whoever takes it.

locals {
  _retention       = "${var.message_retention_days * 86400}s"
  _longest         = "${31 * 86400}s"
  _pubsub_agent    = "serviceAccount:service-${data.google_project.responder.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  ack_deadline_sec = var.limits.timeout_seconds + 30

  publishers = {
    heartbeat = google_service_account.responder["scheduler"].member
    notifier  = "serviceAccount:${local.notifier}"
    redrive   = google_service_account.responder["redrive"].member
  }
}

resource "google_pubsub_topic" "responder" {
  for_each = toset(["dead-letters", "findings", "outcomes"])

  kms_key_name               = var.kms_key_names.pubsub
  labels                     = var.labels
  message_retention_duration = each.key == "findings" ? local._retention : null
  name                       = "${var.name}-${each.key}"
  project                    = var.project_id

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_kms_crypto_key_iam_member.agent, google_project_service.needed]
}

resource "google_pubsub_subscription" "push" {
  ack_deadline_seconds       = local.ack_deadline_sec # for push it is the request's timeout: longer than the function's
  labels                     = var.labels
  message_retention_duration = local._retention
  name                       = "${var.name}-push"
  project                    = var.project_id
  topic                      = google_pubsub_topic.responder["findings"].id

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.responder["dead-letters"].id
    max_delivery_attempts = var.retry.max_delivery_attempts
  }

  expiration_policy {
    ttl = "" # never: by default, 31 quiet days delete a subscription
  }

  push_config {
    push_endpoint = google_cloudfunctions2_function.responder.service_config[0].uri

    oidc_token {
      audience              = google_cloudfunctions2_function.responder.service_config[0].uri
      service_account_email = google_service_account.responder["push"].email
    }
  }

  retry_policy {
    maximum_backoff = "${var.retry.maximum_backoff_seconds}s"
    minimum_backoff = "${var.retry.minimum_backoff_seconds}s"
  }

  depends_on = [google_pubsub_topic_iam_member.dead_letters]
}

resource "google_pubsub_subscription" "dead_letters" {
  labels                     = var.labels
  message_retention_duration = local._longest
  name                       = "${var.name}-dead-letters"
  project                    = var.project_id
  topic                      = google_pubsub_topic.responder["dead-letters"].id

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub drops what nobody subscribed to. Each of these has every outcome, and keeps what nobody took for a week.
resource "google_pubsub_subscription" "outcomes" {
  for_each = var.outcome_subscriptions

  labels                     = var.labels
  message_retention_duration = "${7 * 86400}s"
  name                       = "${var.name}-outcomes-${each.key}"
  project                    = var.project_id
  topic                      = google_pubsub_topic.responder["outcomes"].id

  dynamic "bigquery_config" {
    for_each = each.value.bigquery_table[*]

    content {
      table          = bigquery_config.value
      write_metadata = true
    }
  }

  expiration_policy {
    ttl = ""
  }

  dynamic "push_config" {
    for_each = each.value.push_endpoint[*]

    content {
      push_endpoint = push_config.value

      dynamic "oidc_token" {
        for_each = each.value.push_identity[*]

        content {
          audience              = coalesce(each.value.push_audience, push_config.value)
          service_account_email = oidc_token.value
        }
      }
    }
  }

  retry_policy {
    maximum_backoff = "600s"
    minimum_backoff = "10s"
  }
}

resource "google_pubsub_subscription_iam_member" "outcome_reader" {
  for_each = merge([for name, subscription in var.outcome_subscriptions : { for member in subscription.readers : "${name} ${member}" => { name = name, member = member } }]...)

  member       = each.value.member
  project      = var.project_id
  role         = "roles/pubsub.subscriber"
  subscription = google_pubsub_subscription.outcomes[each.value.name].name

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.outcomes]
  }
}

# Security Command Center writes to this topic's policy too: it must never be set as a whole.
resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publishers

  member  = each.value
  project = var.project_id
  role    = "roles/pubsub.publisher"
  topic   = google_pubsub_topic.responder["findings"].name
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  member  = local._pubsub_agent
  project = var.project_id
  role    = "roles/pubsub.publisher"
  topic   = google_pubsub_topic.responder["dead-letters"].name
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  member       = local._pubsub_agent
  project      = var.project_id
  role         = "roles/pubsub.subscriber"
  subscription = google_pubsub_subscription.push.name

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.push]
  }
}

resource "google_pubsub_subscription_iam_member" "redrive" {
  member       = google_service_account.responder["redrive"].member
  project      = var.project_id
  role         = "roles/pubsub.subscriber"
  subscription = google_pubsub_subscription.dead_letters.name

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.dead_letters]
  }
}
