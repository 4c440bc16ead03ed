# The journal of cases, and the evidence: both outlive the function, and neither can be deleted by mistake.

resource "google_firestore_database" "journal" {
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  location_id                       = var.region
  name                              = "${var.name}-journal"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  project                           = var.project_id
  type                              = "FIRESTORE_NATIVE"

  dynamic "cmek_config" {
    for_each = var.kms_key_names.firestore[*]

    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agent, google_project_service.needed]
}

# Entries are found by `key`, unfinished ones by `unfinished`, and due ones by `due_at`, through the index that Firestore
# keeps of each field by itself: what is exempted here must not be one of these three. An index on any other field would only cost writes.
resource "google_firestore_field" "unindexed" {
  for_each = toset(["expires_at", "value", "write"])

  collection = "scc-responder"
  database   = google_firestore_database.journal.name
  field      = each.key
  project    = var.project_id

  index_config {}

  dynamic "ttl_config" {
    for_each = each.key == "expires_at" ? [true] : []

    content {}
  }
}

resource "google_storage_bucket" "evidence" {
  labels                      = var.labels
  location                    = var.region
  name                        = "${var.project_id}-${var.name}-evidence"
  project                     = var.project_id
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  dynamic "encryption" {
    for_each = var.kms_key_names.storage[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  retention_policy {
    is_locked        = var.evidence.locked
    retention_period = var.evidence.retention_days * 86400
  }

  depends_on = [google_kms_crypto_key_iam_member.agent]
}
