# Customer-managed keys, where they are given: Google's service agents may use them, and nobody else through this module.

locals {
  _key_users = {
    firestore = ["gcp-sa-firestore"]
    function  = ["gcf-admin-robot", "gcp-sa-artifactregistry", "gs-project-accounts", "serverless-robot-prod"]
    pubsub    = ["gcp-sa-pubsub"]
    storage   = ["gs-project-accounts"]
  }
  _key_grants = merge([
    for purpose, key in var.kms_key_names : {
      for agent in local._key_users[purpose] : "${purpose}/${agent}" => { agent = agent, key = key }
    } if key != null
  ]...)
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = local._key_grants

  crypto_key_id = each.value.key
  member        = "serviceAccount:service-${data.google_project.responder.number}@${each.value.agent}.iam.gserviceaccount.com"
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

  depends_on = [google_project_service.needed] # agents come with their APIs, or after them
}
