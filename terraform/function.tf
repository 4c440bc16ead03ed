# The function is built from the very zip that was tested, by an identity of its own, and called by Pub/Sub alone.

locals {
  # Cloud Run's second address of a service, which is known before there is one.
  _address = "https://${var.name}-${data.google_project.responder.number}.${var.region}.run.app"

  _bundle_bucket = coalesce(var.bundle.bucket, google_storage_bucket.source.name)

  environment = merge(
    local._settings,
    length(var.approvers) == 0 && var.console == null ? {} : { SCC_RESPONDER_APPROVAL_AUDIENCE = local._address },
    var.console == null ? {} : { SCC_RESPONDER_CONSOLE = local._console, SCC_RESPONDER_IAP_AUDIENCE = local._iap_audience },
    var.console == null ? {} : { SCC_RESPONDER_CONSOLE_URL = local._console_address },
    local._asked_for.cloud_monitoring ? { SCC_RESPONDER_CLOUD_MONITORING = "true" } : {},
    var.essential_contacts ? { SCC_RESPONDER_ESSENTIAL_CONTACTS = "true" } : {},
    local._writes_run ? { SCC_RESPONDER_RUN_WRITER = local._run_writer } : {},
    length(var.services) == 0 ? {} : { SCC_RESPONDER_SERVICES = join(",", sort(var.services)) },
    var.external_system ? { SCC_RESPONDER_NOTIFIERS = "outcome_topic,external_system" } : {},
    var.collector_image == "" ? {} : { SCC_RESPONDER_COLLECTOR = var.collector_image },
    length(var.image_repositories) == 0 ? {} : { SCC_RESPONDER_IMAGE_REPOSITORIES = join(",", sort(var.image_repositories)) },
    local._signs ? { SCC_RESPONDER_SIGNING_KEY = "gcpkms://${local._key_version}" } : {},
    length(var.notice_secrets) == 0 ? {} : { SCC_RESPONDER_NOTICE_SECRETS = "/notice-secrets" },
  )
  _settings = {
    LOG_EXECUTION_ID                  = "true"
    SCC_RESPONDER_CLOUD_LOGGING       = tostring(var.cloud_logging)
    SCC_RESPONDER_CLUSTERS            = join(",", sort(var.clusters))
    SCC_RESPONDER_CONNECT_GATEWAY     = tostring(var.connect_gateway)
    SCC_RESPONDER_EVIDENCE            = "gs://${google_storage_bucket.evidence.name}/cases"
    SCC_RESPONDER_LOOKS               = length(var.looks) == 0 ? "never" : join(",", var.looks)
    SCC_RESPONDER_NOTIFICATION_CONFIG = jsonencode(local._notification_config)
    SCC_RESPONDER_OUTCOME_FORMAT      = var.outcome_format
    SCC_RESPONDER_OUTCOME_TOPIC       = google_pubsub_topic.responder["outcomes"].id
    SCC_RESPONDER_OWN_SERVICE         = "projects/${var.project_id}/locations/${var.region}/services/${var.name}"
    SCC_RESPONDER_SCC_LOCATION        = var.scc_location
    SCC_RESPONDER_SOURCES             = join(",", sort(var.source_ids))
    SCC_RESPONDER_STORE               = "firestore://${var.project_id}/${google_firestore_database.journal.name}"
    SCC_RESPONDER_SWEEPER             = google_service_account.responder["sweep"].email
    SCC_RESPONDER_TIMEOUT_SECONDS     = tostring(var.limits.timeout_seconds)
    SCC_RESPONDER_TRACE_PROJECT       = var.project_id
    SCC_RESPONDER_VPC_EGRESS          = tostring(var.vpc_connector != null)
    THREADS                           = tostring(var.concurrency)
  }
}

resource "google_storage_bucket" "source" {
  force_destroy               = true # it holds only what make bundle can make again
  labels                      = var.labels
  location                    = var.region
  name                        = "${var.project_id}-${var.name}-source"
  project                     = var.project_id
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  dynamic "encryption" {
    for_each = var.kms_key_names.storage[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}

moved {
  from = google_storage_bucket_object.bundle
  to   = google_storage_bucket_object.bundle[0]
}

resource "google_storage_bucket_object" "bundle" {
  count = var.bundle.path == null ? 0 : 1

  bucket = google_storage_bucket.source.name
  name   = "${var.bundle.sha256}.zip"
  source = var.bundle.path

  lifecycle {
    precondition {
      condition     = filesha256(var.bundle.path) == var.bundle.sha256
      error_message = "The zip ${var.bundle.path} is not the one whose sha256 was given: run make bundle, and give the digest that it prints."
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  description   = "Images of the function, made by Cloud Build."
  format        = "DOCKER"
  kms_key_name  = var.kms_key_names.function
  labels        = var.labels
  location      = var.region
  project       = var.project_id
  repository_id = "${var.name}-images"

  depends_on = [google_kms_crypto_key_iam_member.agent, google_project_service.needed]
}

resource "google_cloudfunctions2_function" "responder" {
  description  = "Responds to Security Command Center findings."
  kms_key_name = var.kms_key_names.function
  labels       = var.labels
  location     = var.region
  name         = var.name
  project      = var.project_id

  build_config {
    docker_repository = google_artifact_registry_repository.images.id
    entry_point       = "respond"
    runtime           = var.runtime
    service_account   = google_service_account.responder["build"].id

    automatic_update_policy {}

    source {
      storage_source {
        bucket     = local._bundle_bucket
        generation = var.bundle.path == null ? var.bundle.generation : google_storage_bucket_object.bundle[0].generation
        object     = "${var.bundle.sha256}.zip" # another content is another name, and so another build
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    available_cpu                    = var.limits.cpu
    available_memory                 = var.limits.memory
    environment_variables            = local.environment
    ingress_settings                 = var.ingress
    max_instance_count               = var.limits.max_instances
    max_instance_request_concurrency = var.concurrency
    min_instance_count               = var.limits.min_instances
    service_account_email            = google_service_account.responder["run"].email
    timeout_seconds                  = var.limits.timeout_seconds
    vpc_connector                    = var.vpc_connector
    vpc_connector_egress_settings    = var.vpc_connector == null ? null : "PRIVATE_RANGES_ONLY"

    dynamic "secret_volumes" {
      for_each = var.notice_secrets

      content {
        mount_path = "/notice-secrets/${secret_volumes.key}"
        project_id = split("/", secret_volumes.value)[1]
        secret     = split("/", secret_volumes.value)[3]

        versions {
          path    = "address"
          version = split("/", secret_volumes.value)[5]
        }
      }
    }
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_kms_crypto_key_iam_member.agent,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_sources,
    google_secret_manager_secret_iam_member.notices,
    google_storage_bucket_iam_member.build_source,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  location = var.region
  member   = google_service_account.responder["push"].member
  name     = google_cloudfunctions2_function.responder.name # the function's Cloud Run service bears its name
  project  = var.project_id
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.responder]
  }
}

resource "google_cloud_run_v2_service_iam_member" "approver" {
  for_each = var.approvers

  location = var.region
  member   = each.value
  name     = google_cloudfunctions2_function.responder.name
  project  = var.project_id
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.responder]
  }
}
