output "collector_repository" {
  description = "Where the collector's image is pushed to, without its digest: `make collector PUSH=...`. Empty where there is no repository."
  value       = local.collector_repository
}

output "console" {
  description = "What `terraform/console` makes the console's service from. Null where there is none."
  value = var.console == null ? null : {
    build_identity = google_service_account.responder["build"].id
    environment    = local._console_settings
    identity       = local._console
    image          = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}/console"
    labels         = var.labels
    members        = var.console.members
    name           = local._console_name
    project_id     = var.project_id
    project_number = data.google_project.responder.number
    region         = var.region
    runtime        = var.runtime
    source         = "gs://${local._bundle_bucket}/${try(google_storage_bucket_object.bundle[0].name, "${var.bundle.sha256}.zip")}"
    subnetwork     = var.console.subnetwork
    undo           = local._console_undoes ? { environment = local._undo_settings, identity = local._undo, name = local._undo_name } : null
  }
  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_cloud_run_v2_service_iam_member.console,
    google_project_iam_member.build_logs,
    google_project_iam_member.console,
    google_project_iam_member.undo_store,
    google_storage_bucket_iam_member.build_source,
  ]
}

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

output "run_writer" {
  description = "Who changes Cloud Run, where anybody does: give it `iam.serviceAccounts.actAs` on a service's identity where a change of that service is refused for want of it."
  value       = local._run_writer
}

output "settings" {
  description = "The function's settings and what else `scc-responder doctor` needs to know, as its `--settings` file: `terraform output -raw settings > responder.env`."
  value = join("", [for name, value in merge(local.environment, length(var.cloud_run_projects) == 0 ? {} : {
    SCC_RESPONDER_CLOUD_RUN_PROJECTS                 = join(",", sort(var.cloud_run_projects))
    }, local._undoes ? { SCC_RESPONDER_UNDO_IDENTITY = local._undo } : {}, {
    SCC_RESPONDER_HEARTBEAT_MINUTES                  = tostring(var.heartbeat_minutes)
    SCC_RESPONDER_IDENTITY                           = google_service_account.responder["run"].email
    SCC_RESPONDER_PUSH_ENDPOINT                      = google_cloudfunctions2_function.responder.service_config[0].uri
    SCC_RESPONDER_PUSH_IDENTITY                      = google_service_account.responder["push"].email
    SCC_RESPONDER_SCOPE                              = local._parent
    SCC_RESPONDER_SUBSCRIPTION                       = google_pubsub_subscription.push.id
    SCC_RESPONDER_TOPIC                              = google_pubsub_topic.responder["findings"].id
  }) : "${name}=${value}\n"])
}

output "signing_key" {
  description = "The key version that signs evidence, where there is one. Its public key, for `case verify`: gcloud kms keys versions get-public-key."
  value       = local._key_version
}

output "store" {
  description = "The journal's address, as the command line takes it."
  value       = local.environment.SCC_RESPONDER_STORE
}

output "undo_identity" {
  description = "Who takes changes back, where anybody may: both names go into kubernetes/undo/identity.yaml."
  value       = local._undoes ? { email = local._undo, unique_id = google_service_account.undo[0].unique_id } : null
}

output "url" {
  description = "Where approvers ask, and the audience that their tokens are to be made for."
  value       = local._address
  depends_on  = [google_cloudfunctions2_function.responder, google_cloud_run_v2_service_iam_member.approver]
}
