# The key that signs evidence, where one is asked for: made here, or given. Whoever may sign with it can make evidence that
# looks like the responder's, so only the runtime identity is let through this module.

locals {
  _signs       = var.signing.create_key || var.signing.key_version != null
  _signing_key = var.signing.create_key ? one(google_kms_crypto_key.signing[*].id) : split("/cryptoKeyVersions/", coalesce(var.signing.key_version, "-"))[0]
  _key_version = var.signing.create_key ? "${coalesce(local._signing_key, "-")}/cryptoKeyVersions/${var.signing.version}" : var.signing.key_version

  # Custom roles hold in their own project alone: who owns the key of another one grants it there.
  _grants_signing = local._signs && (var.signing.create_key || try(split("/", var.signing.key_version)[1], "") == var.project_id)
}

resource "google_kms_key_ring" "signing" {
  count = var.signing.create_key ? 1 : 0

  location = var.region
  name     = "${var.name}-signing"
  project  = var.project_id

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}

resource "google_kms_crypto_key" "signing" {
  count = var.signing.create_key ? 1 : 0

  destroy_scheduled_duration = "2592000s" # 30 days in which a destruction can be taken back
  key_ring                   = google_kms_key_ring.signing[0].id
  labels                     = var.labels
  name                       = "evidence"
  purpose                    = "ASYMMETRIC_SIGN"

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = var.signing.protection_level
  }

  lifecycle {
    prevent_destroy = true # without it nobody signs any more; what was signed stays verified by its public key
  }
}

resource "google_kms_crypto_key_iam_member" "signing" {
  count = local._grants_signing ? 1 : 0

  crypto_key_id = local._signing_key
  member        = google_service_account.responder["run"].member
  role          = google_project_iam_custom_role.own["signing"].name
}
