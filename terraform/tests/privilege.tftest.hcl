# Nobody may do more than what is needed, and what must outlive a mistake does.

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

run "privilege" {
  assert {
    condition     = google_organization_iam_custom_role.reach["findings"].permissions == toset(["securitycenter.findings.list", "securitycenter.notificationconfig.get"])
    error_message = "More than reading findings, and what sends them, is granted in the organisation."
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["clusters"].permissions == toset(["container.clusters.connect", "container.clusters.get"])
    error_message = "More than reaching clusters is granted: what is done inside them is Kubernetes RBAC's to allow."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_CONNECT_GATEWAY == "false" && !contains(keys(google_project_service.needed), "connectgateway.googleapis.com")
    error_message = "Connect Gateway is used or enabled, and nobody asked for it."
  }

  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.responder.service_config[0].environment_variables), "SCC_RESPONDER_NOTICE_SECRETS") && length(google_secret_manager_secret_iam_member.notices) == 0
    error_message = "The function looks for addresses, or may read secrets, and none were given."
  }

  assert {
    condition     = google_project_iam_custom_role.own["evidence"].permissions == toset(["storage.objects.create"]) && google_project_iam_custom_role.own["outcomes"].permissions == toset(["pubsub.topics.publish"])
    error_message = "More than writing is granted on the evidence bucket or the outcome topic."
  }

  assert {
    condition     = google_project_iam_member.store[0].condition[0].expression == "resource.name == \"projects/example-project/databases/scc-responder-journal\""
    error_message = "Every database of the project may be written to."
  }

  assert {
    condition     = toset(values(google_pubsub_topic_iam_member.publisher)[*].member) == toset(["serviceAccount:service-org-123@gcp-sa-scc-notification.iam.gserviceaccount.com", google_service_account.responder["redrive"].member, google_service_account.responder["scheduler"].member])
    error_message = "Others than Security Command Center, the scheduler and redrive may publish findings."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "The function can be called from the internet."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].service_account_email == google_service_account.responder["run"].email && google_cloudfunctions2_function.responder.build_config[0].service_account == google_service_account.responder["build"].id
    error_message = "The function runs, or is built, as somebody else."
  }

  assert {
    condition     = length(google_service_account_iam_member.operator) + length(google_service_account_iam_member.operator_push) == 0
    error_message = "Somebody may act as the redrive or the push identity who was not listed."
  }

  assert {
    condition     = length(google_project_iam_custom_role.operator) + length(google_project_iam_member.operator_journal) + length(google_project_iam_member.operator_heartbeat) + length(google_pubsub_subscription_iam_member.operator) + length(google_cloud_run_v2_service_iam_member.operator) == 0
    error_message = "Somebody may operate the responder who was not listed."
  }

  assert {
    condition     = length(google_service_account.undo) + length(google_service_account_iam_member.undo) + length(google_project_iam_member.undo_clusters) + length(google_project_iam_member.undo_cloud_run) == 0 && output.undo_identity == null && !strcontains(output.settings, "UNDO")
    error_message = "Somebody may take changes back, and nobody asked for it."
  }

  assert {
    condition     = google_firestore_database.journal.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.journal.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "The journal can be deleted or spoilt for good."
  }

  assert {
    condition     = tostring(google_storage_bucket.evidence.retention_policy[0].retention_period) == "31536000" && google_storage_bucket.evidence.retention_policy[0].is_locked && !coalesce(google_storage_bucket.evidence.force_destroy, false)
    error_message = "Evidence can be deleted before its time."
  }

  assert {
    condition     = alltrue([for bucket in [google_storage_bucket.evidence, google_storage_bucket.source] : bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access])
    error_message = "A bucket can be made public."
  }

  assert {
    condition     = length(google_artifact_registry_repository.collector) + length(google_artifact_registry_repository_iam_member.collector) == 0 && output.collector_repository == ""
    error_message = "A repository is made or read, and nobody asked for it."
  }

  assert {
    condition     = length(google_logging_project_exclusion.collector) == 0 && !contains(keys(google_organization_iam_custom_role.reach), "logs")
    error_message = "Logs are excluded or may be read, and nobody asked for it."
  }

  assert {
    condition     = !contains(keys(google_organization_iam_custom_role.reach), "run") && !contains(keys(google_organization_iam_custom_role.reach), "metrics")
    error_message = "Cloud Run may be read, and nobody asked for it."
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.agent) + length(google_kms_crypto_key_iam_member.signing) + length(google_kms_crypto_key.signing) == 0
    error_message = "Keys are granted or made that were not asked for."
  }
}

run "no_console" {
  command = plan

  assert {
    condition     = length(google_service_account.console) + length(google_project_iam_member.console) + length(google_cloud_run_v2_service_iam_member.console) + length(google_project_iam_custom_role.console) == 0 && output.console == null && !strcontains(output.settings, "CONSOLE") && !contains(keys(google_project_service.needed), "iap.googleapis.com")
    error_message = "There is a console that nobody asked for."
  }
}

run "signing" {
  variables {
    signing = { key_version = "projects/example-project/locations/europe-west1/keyRings/responder/cryptoKeys/evidence/cryptoKeyVersions/3" }
  }

  assert {
    condition     = google_project_iam_custom_role.own["signing"].permissions == toset(["cloudkms.cryptoKeyVersions.useToSign"])
    error_message = "More than signing is granted on the key, or signing is not."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.signing[0].crypto_key_id == "projects/example-project/locations/europe-west1/keyRings/responder/cryptoKeys/evidence" && google_kms_crypto_key_iam_member.signing[0].member == google_service_account.responder["run"].member
    error_message = "Somebody else than the function may sign, or with another key."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_SIGNING_KEY == "gcpkms://${var.signing.key_version}" && contains(keys(google_project_service.needed), "cloudkms.googleapis.com")
    error_message = "The function does not know its key, or Cloud KMS is not enabled."
  }

  assert {
    condition     = length(google_kms_key_ring.signing) + length(google_kms_crypto_key.signing) == 0
    error_message = "A key is made though one was given."
  }
}

run "signing_elsewhere" {
  variables {
    signing = { key_version = "projects/keys/locations/europe-west1/keyRings/responder/cryptoKeys/evidence/cryptoKeyVersions/3" }
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.signing) == 0 && !contains(keys(google_project_iam_custom_role.own), "signing")
    error_message = "A role of this project is granted in another, where it holds nothing."
  }
}

run "signing_key_made" {
  command = plan # what is made here is never destroyed, not even by a test

  variables {
    signing = { create_key = true, version = 2 }
  }

  assert {
    condition     = google_kms_crypto_key.signing[0].purpose == "ASYMMETRIC_SIGN" && google_kms_crypto_key.signing[0].version_template[0].algorithm == "EC_SIGN_P256_SHA256" && google_kms_key_ring.signing[0].location == var.region
    error_message = "The key that is made cannot sign evidence, or is in another region."
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.signing) == 1
    error_message = "The function may not sign with the key that is made for it."
  }
}

run "cloud_logging" {
  variables {
    cloud_logging = true
  }

  assert {
    condition     = alltrue([for place, role in google_organization_iam_custom_role.reach : place != "logs" || length(setsubtract(role.permissions, ["logging.logEntries.list", "logging.privateLogEntries.list"])) == 0])
    error_message = "More than reading entries is granted."
  }
}

run "cloud_monitoring" {
  variables {
    cloud_logging      = true
    cloud_monitoring   = true
    cloud_run_projects = ["shop-test"]
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["metrics"].permissions == toset(["monitoring.timeSeries.list"]) && keys(google_project_iam_member.metrics) == ["shop-test"]
    error_message = "More than counting instances and requests is granted, or elsewhere."
  }

  assert {
    condition     = length(google_project_iam_member.logs) == 0 || keys(google_project_iam_member.logs) == ["shop-prod", "shop-test"]
    error_message = "Logs of Cloud Run are not read where it is evidence."
  }
}

run "cloud_run_projects" {
  variables {
    cloud_run_projects = ["shop-prod", "shop-test"]
  }

  assert {
    condition     = alltrue([for name in google_organization_iam_custom_role.reach["run"].permissions : can(regex("^run[.][a-z]+[.](get|getIamPolicy|list)$", name))]) && keys(google_project_iam_member.cloud_run) == ["shop-prod", "shop-test"]
    error_message = "More than reading Cloud Run is granted, or it is read elsewhere."
  }

  assert {
    condition     = length(google_project_iam_member.metrics) == 0
    error_message = "Instances may be counted, and nobody asked for it."
  }

  assert {
    condition     = length(google_service_account.run_writer) + length(google_service_account_iam_member.run_writer) + length(google_organization_iam_custom_role.run_writer) + length(google_project_iam_member.run_writer) == 0 && output.run_writer == null && !contains(keys(google_cloudfunctions2_function.responder.service_config[0].environment_variables), "SCC_RESPONDER_RUN_WRITER")
    error_message = "Somebody may change Cloud Run, and nobody asked for it."
  }
}

run "cloud_run_writes" {
  variables {
    cloud_run_projects = ["shop-prod", "shop-test"]
    cloud_run_writes   = ["shop-test"]
  }

  assert {
    condition     = google_service_account_iam_member.run_writer[0].service_account_id == google_service_account.run_writer[0].name && google_service_account_iam_member.run_writer[0].member == google_service_account.responder["run"].member
    error_message = "Somebody else than the function may act as who changes Cloud Run, or the function as another."
  }

  assert {
    condition     = alltrue([for project, grant in google_project_iam_member.run_writer : project == "shop-test" && grant.member == google_service_account.run_writer[0].member])
    error_message = "Cloud Run is changed elsewhere, or by another."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_RUN_WRITER == google_service_account.run_writer[0].email && google_cloudfunctions2_function.responder.service_config[0].service_account_email != google_service_account.run_writer[0].email
    error_message = "The function does not know who changes Cloud Run, or is that one itself."
  }
}

run "console" {
  variables {
    console = { members = ["group:secops@example.com"], subnetwork = "projects/example-project/regions/europe-west1/subnetworks/serverless" }
  }

  assert {
    condition     = google_project_iam_custom_role.console[0].permissions == toset(["datastore.entities.get", "datastore.entities.list"]) && strcontains(google_project_iam_member.console[0].condition[0].expression, "/databases/scc-responder-journal")
    error_message = "The console may do more than read the journal, or reads another database."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.console[0].member == google_service_account.console[0].member && google_cloud_run_v2_service_iam_member.console[0].role == "roles/run.invoker"
    error_message = "The console cannot call the function."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_CONSOLE == google_service_account.console[0].email && google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_IAP_AUDIENCE == "/projects/123456789012/locations/europe-west1/services/scc-responder-console"
    error_message = "The function does not know its console, or for whom IAP's assertions are made."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_APPROVAL_AUDIENCE == output.url
    error_message = "The function would not look at the console's token."
  }

  assert {
    condition     = output.console.undo == null && length(google_service_account.undo) + length(google_project_iam_member.undo_store) == 0 && !contains(keys(output.console.environment), "SCC_RESPONDER_UNDO_URL")
    error_message = "Cases can be taken back in the console, and nobody asked for it."
  }

  assert {
    condition     = output.console.identity == google_service_account.console[0].email && output.console.environment.SCC_RESPONDER_IAP_AUDIENCE == google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_IAP_AUDIENCE && output.console.environment.SCC_RESPONDER_FUNCTION_URL == output.url
    error_message = "Console and function do not go by the same settings."
  }

  assert {
    condition     = contains(keys(google_project_service.needed), "iap.googleapis.com")
    error_message = "The API of IAP is off."
  }
}

run "console_undo" {
  variables {
    cloud_run_projects = ["shop-prod", "shop-test"]
    cloud_run_writes   = ["shop-test"]
    console            = { members = ["group:secops@example.com"], undo = true, subnetwork = "projects/example-project/regions/europe-west1/subnetworks/serverless" }
  }

  assert {
    condition     = output.console.undo.identity == google_service_account.undo[0].email && length(google_service_account_iam_member.undo) == 0 && output.undo_identity.email == google_service_account.undo[0].email
    error_message = "The service of undo is another identity, or people may act as it who were not listed."
  }

  assert {
    condition     = strcontains(google_project_iam_member.undo_store[0].condition[0].expression, "/databases/scc-responder-journal") && keys(google_project_iam_member.undo_reads_cloud_run) == ["shop-test"] && keys(google_project_iam_member.undo_clusters) == ["shop-prod"]
    error_message = "The service of undo writes another database, or acts elsewhere than where changes are made."
  }

  assert {
    condition     = output.console.environment.SCC_RESPONDER_UNDO_URL == "https://scc-responder-undo-123456789012.europe-west1.run.app" && output.console.undo.environment.SCC_RESPONDER_APPROVAL_AUDIENCE == output.console.environment.SCC_RESPONDER_UNDO_URL && output.console.undo.environment.SCC_RESPONDER_APPROVAL_AUDIENCE != output.url
    error_message = "The service of undo takes tokens that were made for another, or the console does not find it."
  }

  assert {
    condition     = output.console.undo.environment.SCC_RESPONDER_CONSOLE == google_service_account.console[0].email && output.console.undo.environment.SCC_RESPONDER_IAP_AUDIENCE == output.console.environment.SCC_RESPONDER_IAP_AUDIENCE && output.console.undo.environment.SCC_RESPONDER_STORE == output.store
    error_message = "The service of undo does not know its console, IAP's assertions, or the journal."
  }

  assert {
    condition     = !contains(keys(output.console.undo.environment), "SCC_RESPONDER_RUN_WRITER") && !contains(values(google_cloudfunctions2_function.responder.service_config[0].environment_variables), google_service_account.undo[0].email)
    error_message = "The service of undo may act as the writer, or the function knows who takes changes back."
  }
}

run "undo_operators" {
  variables {
    cloud_run_projects = ["shop-prod", "shop-test"]
    cloud_run_writes   = ["shop-test"]
    undo_operators     = ["group:secops@example.com"]
  }

  assert {
    condition     = google_service_account_iam_member.undo["group:secops@example.com"].service_account_id == google_service_account.undo[0].name && length(google_service_account_iam_member.undo) == 1
    error_message = "Somebody else may act as who takes changes back, or those who were listed as another."
  }

  assert {
    condition     = !contains(values(google_cloudfunctions2_function.responder.service_config[0].environment_variables), google_service_account.undo[0].email) && google_cloudfunctions2_function.responder.service_config[0].service_account_email != google_service_account.undo[0].email
    error_message = "The function knows who takes changes back, or is that one itself."
  }

  assert {
    condition     = keys(google_project_iam_member.undo_clusters) == ["shop-prod"] && keys(google_project_iam_member.undo_cloud_run) == ["shop-test"]
    error_message = "Changes are taken back elsewhere than where they are made."
  }

  assert {
    condition     = output.undo_identity.email == google_service_account.undo[0].email && strcontains(output.settings, "SCC_RESPONDER_UNDO_IDENTITY=${google_service_account.undo[0].email}\n")
    error_message = "Nobody is told whom to act as."
  }
}

run "essential_contacts" {
  variables {
    clusters           = ["projects/shop-prod/locations/europe-west1/clusters/prod-1"]
    essential_contacts = true
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["contacts"].permissions == toset(["essentialcontacts.contacts.list"]) && contains(keys(google_organization_iam_member.run), "contacts")
    error_message = "The contacts of a project may not be read, or more than read."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables["SCC_RESPONDER_ESSENTIAL_CONTACTS"] == "true" && contains(keys(google_project_service.needed), "essentialcontacts.googleapis.com")
    error_message = "No route tells the contacts of a project."
  }
}

run "external_system" {
  variables {
    external_system = true
  }

  assert {
    condition     = contains(google_organization_iam_custom_role.reach["findings"].permissions, "securitycenter.findingexternalsystems.update")
    error_message = "The responder may not show a case beside its finding."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables["SCC_RESPONDER_NOTIFIERS"] == "outcome_topic,external_system"
    error_message = "Nobody writes the case beside its finding, or the outcome topic has no notices any more."
  }
}

run "collector_image" {
  variables {
    clusters        = ["projects/shop-prod/locations/europe-west1/clusters/prod-1", "projects/shop-test/locations/*/clusters/*"]
    collector_image = "europe-docker.pkg.dev/example-project/tools/collector@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["logs"].permissions == toset(["logging.sinks.get"]) && keys(google_project_iam_member.logs) == ["shop-prod", "shop-test"]
    error_message = "doctor cannot see whether the collector's log is left out, or more is granted, or elsewhere."
  }

  assert {
    condition     = keys(google_logging_project_exclusion.collector) == ["shop-prod", "shop-test"] && alltrue([for exclusion in google_logging_project_exclusion.collector : !coalesce(exclusion.disabled, false)])
    error_message = "The collector's log is copied to Cloud Logging."
  }
}

run "collector_repository" {
  variables {
    collector_repository = { create = true, readers = ["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"] }
  }

  assert {
    condition     = output.collector_repository == "europe-west1-docker.pkg.dev/example-project/scc-responder-collector/collector"
    error_message = "The image would be pushed to another place than the one that is made."
  }

  assert {
    condition     = google_artifact_registry_repository.collector[0].format == "DOCKER" && google_artifact_registry_repository.collector[0].location == var.region && google_artifact_registry_repository.collector[0].repository_id != google_artifact_registry_repository.images.repository_id
    error_message = "Nodes would read the function's own images, or the image is in another region."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.collector["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"].repository == google_artifact_registry_repository.collector[0].repository_id && google_artifact_registry_repository_iam_member.collector["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"].role == "roles/artifactregistry.reader"
    error_message = "Nodes cannot pull the image, or may do more."
  }
}

run "collector_repository_given" {
  variables {
    collector_repository = { name = "projects/example.com:tools/locations/europe/repositories/security", readers = ["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"] }
  }

  assert {
    condition     = output.collector_repository == "europe-docker.pkg.dev/example.com/tools/security/collector" && length(google_artifact_registry_repository.collector) == 0
    error_message = "Another repository than the given one is named, or one is made."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.collector["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"].project == "example.com:tools" && google_artifact_registry_repository_iam_member.collector["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"].location == "europe"
    error_message = "Nodes are let in somewhere else."
  }
}

run "collector_logs_are_kept" {
  command = plan

  variables {
    collector_image        = "europe-docker.pkg.dev/example-project/tools/collector@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    exclude_collector_logs = false
  }

  assert {
    condition     = length(google_logging_project_exclusion.collector) == 0
    error_message = "Something is excluded in a project where nobody asked for it."
  }

  expect_failures = [check.collector_logs_are_excluded]
}

run "connect_gateway" {
  variables {
    connect_gateway = true
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["clusters"].permissions == toset(["container.clusters.connect", "container.clusters.get", "gkehub.gateway.delete", "gkehub.gateway.get", "gkehub.gateway.patch", "gkehub.gateway.post", "gkehub.memberships.get"])
    error_message = "The gateway cannot be passed, or more than passing it is granted."
  }

  assert {
    condition     = alltrue([for api in ["connectgateway.googleapis.com", "gkehub.googleapis.com"] : contains(keys(google_project_service.needed), api)])
    error_message = "The gateway's APIs are not enabled."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_CONNECT_GATEWAY == "true"
    error_message = "The function does not know that it may use the gateway."
  }
}

run "image_repositories" {
  variables {
    image_repositories = ["projects/shop-prod/locations/us/repositories/gcr.io", "projects/images/locations/europe/repositories/web"]
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_IMAGE_REPOSITORIES == "projects/images/locations/europe/repositories/web,projects/shop-prod/locations/us/repositories/gcr.io"
    error_message = "The function does not know whose images it may ask about."
  }
}

run "notice_secrets" {
  variables {
    notice_secrets = { secops-chat = "projects/example-project/secrets/chat/versions/latest", on-call = "projects/keys/secrets/pager/versions/7" }
  }

  assert {
    condition     = { for volume in google_cloudfunctions2_function.responder.service_config[0].secret_volumes : volume.mount_path => "${volume.project_id} ${volume.secret} ${volume.versions[0].path} ${volume.versions[0].version}" } == { "/notice-secrets/on-call" = "keys pager address 7", "/notice-secrets/secops-chat" = "example-project chat address latest" }
    error_message = "An address is not where the function reads it, or another secret is."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_NOTICE_SECRETS == "/notice-secrets"
    error_message = "The function does not know where its addresses are."
  }

  assert {
    condition     = toset([for grant in google_secret_manager_secret_iam_member.notices : "${grant.project} ${grant.secret_id} ${grant.role}"]) == toset(["example-project chat roles/secretmanager.secretAccessor", "keys pager roles/secretmanager.secretAccessor"])
    error_message = "The function may not read an address, or may read more."
  }

  assert {
    condition     = contains(keys(google_project_service.needed), "secretmanager.googleapis.com")
    error_message = "Secret Manager's API is not enabled."
  }
}

run "customer_managed_keys" {
  variables {
    collector_repository = { create = true }
    kms_key_names = {
      firestore = "projects/keys/locations/europe-west1/keyRings/responder/cryptoKeys/firestore"
      function  = "projects/keys/locations/europe-west1/keyRings/responder/cryptoKeys/function"
      pubsub    = "projects/keys/locations/europe-west1/keyRings/responder/cryptoKeys/pubsub"
      storage   = "projects/keys/locations/europe-west1/keyRings/responder/cryptoKeys/storage"
    }
    operators = ["group:secops@example.com"]
  }

  assert {
    condition     = alltrue([for topic in google_pubsub_topic.responder : topic.kms_key_name == var.kms_key_names.pubsub])
    error_message = "A topic is not under the key that was given for it."
  }

  assert {
    condition     = google_storage_bucket.evidence.encryption[0].default_kms_key_name == var.kms_key_names.storage && google_storage_bucket.source.encryption[0].default_kms_key_name == var.kms_key_names.storage
    error_message = "A bucket is not under the key that was given for it."
  }

  assert {
    condition     = google_firestore_database.journal.cmek_config[0].kms_key_name == var.kms_key_names.firestore
    error_message = "The journal is not under the key that was given for it."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.kms_key_name == var.kms_key_names.function && google_artifact_registry_repository.images.kms_key_name == var.kms_key_names.function && google_artifact_registry_repository.collector[0].kms_key_name == var.kms_key_names.function
    error_message = "The function or its images are not under the key that was given for them."
  }

  assert {
    condition     = keys(google_kms_crypto_key_iam_member.agent) == ["firestore/gcp-sa-firestore", "function/gcf-admin-robot", "function/gcp-sa-artifactregistry", "function/gs-project-accounts", "function/serverless-robot-prod", "pubsub/gcp-sa-pubsub", "storage/gs-project-accounts"]
    error_message = "Others than Google's own agents may use the keys, or one of these may not."
  }

  assert {
    condition     = google_service_account_iam_member.operator["group:secops@example.com"].service_account_id == google_service_account.responder["redrive"].name
    error_message = "Operators may act as another identity than redrive's."
  }
}

run "operators" {
  variables {
    operators = ["group:secops@example.com"]
  }

  assert {
    condition     = google_project_iam_custom_role.operator["journal"].permissions == toset(["datastore.entities.create", "datastore.entities.get", "datastore.entities.list", "datastore.entities.update"])
    error_message = "The kill switch, the breakers and the cases take these permissions, and no other."
  }

  assert {
    condition     = google_project_iam_member.operator_journal["group:secops@example.com"].condition[0].expression == "resource.name == \"projects/example-project/databases/scc-responder-journal\""
    error_message = "Operators may write to every database of the project."
  }

  assert {
    condition     = google_project_iam_custom_role.operator["subscription"].permissions == toset(["pubsub.subscriptions.get", "pubsub.subscriptions.update"]) && google_pubsub_subscription_iam_member.operator["group:secops@example.com"].subscription == google_pubsub_subscription.push.name
    error_message = "Operators cannot pause the subscription, or may do more to it, or to another."
  }

  assert {
    condition     = google_service_account_iam_member.operator_push["group:secops@example.com"].service_account_id == google_service_account.responder["push"].name && google_service_account_iam_member.operator_push["group:secops@example.com"].role == "roles/iam.serviceAccountUser"
    error_message = "Operators cannot resume what they paused: Pub/Sub asks whether they may act as the push identity."
  }

  assert {
    condition     = google_project_iam_custom_role.operator["heartbeat"].permissions == toset(["cloudscheduler.jobs.run"])
    error_message = "Operators may do more to the scheduler's jobs than run them."
  }

  assert {
    condition     = google_project_iam_custom_role.operator["function"].permissions == toset(["run.services.get"])
    error_message = "Operators may do more to the function than look up its address."
  }
}
