output "dead_letter_subscription" {
  description = "Where findings wait that could not be handled."
  value       = google_pubsub_subscription.dead_letters.id
}

output "evidence_bucket" {
  description = "The bucket that evidence is kept in."
  value       = google_storage_bucket.evidence.name
}

output "function" {
  description = "The function's full name."
  value       = google_cloudfunctions2_function.responder.id
  depends_on  = [google_cloud_run_v2_service_iam_member.push, google_pubsub_subscription.push]
}

output "identity" {
  description = "Who the responder is to clusters: bind its Kubernetes role to both names, since an API server may know it by either."
  value = {
    email     = google_service_account.responder["run"].email
    unique_id = google_service_account.responder["run"].unique_id
  }
}

output "outcome_topic" {
  description = "Where decisions and outcomes are published; subscribe to it for chat, tickets or a SIEM."
  value       = google_pubsub_topic.responder["outcomes"].id
}

output "push_subscription" {
  description = "What brings findings to the function. To pause the responder, detach it: gcloud pubsub subscriptions modify-push-config."
  value       = google_pubsub_subscription.push.id
}

output "redrive_identity" {
  description = "Who sends dead letters again, on behalf of the operators."
  value       = google_service_account.responder["redrive"].email
}

output "store" {
  description = "The journal's address, as the command line takes it."
  value       = local.environment.SCC_RESPONDER_STORE
}
