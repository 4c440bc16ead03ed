# What Google would answer, where the module or a test reads it.

mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_resource "google_cloudfunctions2_function" {
  defaults = {
    id = "projects/example-project/locations/europe-west1/functions/scc-responder"
  }
}

mock_resource "google_pubsub_subscription" {
  defaults = {
    id = "projects/example-project/subscriptions/scc-responder-push"
  }
}

mock_resource "google_scc_v2_folder_notification_config" {
  defaults = {
    service_account = "service-org-123@gcp-sa-scc-notification.iam.gserviceaccount.com"
  }
}

mock_resource "google_scc_v2_organization_notification_config" {
  defaults = {
    service_account = "service-org-123@gcp-sa-scc-notification.iam.gserviceaccount.com"
  }
}

mock_resource "google_scc_v2_project_notification_config" {
  defaults = {
    service_account = "service-123456789012@gcp-sa-scc-notification.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.responder["build"]
  values = {
    email     = "scc-responder-build@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-build@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-build@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-build@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000000"
  }
}

override_resource {
  target = google_service_account.responder["push"]
  values = {
    email     = "scc-responder-push@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-push@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-push@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-push@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000000"
  }
}

override_resource {
  target = google_service_account.responder["redrive"]
  values = {
    email     = "scc-responder-redrive@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-redrive@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-redrive@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-redrive@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000000"
  }
}

override_resource {
  target = google_service_account.responder["run"]
  values = {
    email     = "scc-responder-run@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-run@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-run@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-run@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000001"
  }
}

override_resource {
  target = google_service_account.run_writer
  values = {
    email     = "scc-responder-writer@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-writer@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-writer@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-writer@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000006"
  }
}

override_resource {
  target = google_service_account.console
  values = {
    email     = "scc-responder-console@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-console@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-console@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-console@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000008"
  }
}

override_resource {
  target = google_project_iam_custom_role.console
  values = {
    name = "projects/example-project/roles/scc_responder_console"
  }
}

override_resource {
  target = google_service_account.undo
  values = {
    email     = "scc-responder-undo@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-undo@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-undo@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-undo@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000007"
  }
}

override_resource {
  target = google_service_account.responder["scheduler"]
  values = {
    email     = "scc-responder-scheduler@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-scheduler@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-scheduler@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-scheduler@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000000"
  }
}

override_resource {
  target = google_service_account.responder["sweep"]
  values = {
    email     = "scc-responder-sweep@example-project.iam.gserviceaccount.com"
    id        = "projects/example-project/serviceAccounts/scc-responder-sweep@example-project.iam.gserviceaccount.com"
    member    = "serviceAccount:scc-responder-sweep@example-project.iam.gserviceaccount.com"
    name      = "projects/example-project/serviceAccounts/scc-responder-sweep@example-project.iam.gserviceaccount.com"
    unique_id = "100000000000000000000"
  }
}

override_resource {
  target = google_pubsub_topic.responder["dead-letters"]
  values = {
    id = "projects/example-project/topics/scc-responder-dead-letters"
  }
}

override_resource {
  target = google_pubsub_topic.responder["findings"]
  values = {
    id = "projects/example-project/topics/scc-responder-findings"
  }
}

override_resource {
  target = google_pubsub_topic.responder["outcomes"]
  values = {
    id = "projects/example-project/topics/scc-responder-outcomes"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["clusters"]
  values = {
    name = "organizations/123/roles/scc_responder_clusters"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["clusters"]
  values = {
    name = "projects/example-project/roles/scc_responder_clusters"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["contacts"]
  values = {
    name = "organizations/123/roles/scc_responder_contacts"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["contacts"]
  values = {
    name = "projects/example-project/roles/scc_responder_contacts"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["findings"]
  values = {
    name = "organizations/123/roles/scc_responder_findings"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["findings"]
  values = {
    name = "projects/example-project/roles/scc_responder_findings"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["images"]
  values = {
    name = "organizations/123/roles/scc_responder_images"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["images"]
  values = {
    name = "projects/example-project/roles/scc_responder_images"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["logs"]
  values = {
    name = "organizations/123/roles/scc_responder_logs"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["logs"]
  values = {
    name = "projects/example-project/roles/scc_responder_logs"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["metrics"]
  values = {
    name = "organizations/123/roles/scc_responder_metrics"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["metrics"]
  values = {
    name = "projects/example-project/roles/scc_responder_metrics"
  }
}

override_resource {
  target = google_organization_iam_custom_role.reach["run"]
  values = {
    name = "organizations/123/roles/scc_responder_run"
  }
}

override_resource {
  target = google_project_iam_custom_role.reach["run"]
  values = {
    name = "projects/example-project/roles/scc_responder_run"
  }
}

override_resource {
  target = google_organization_iam_custom_role.run_writer
  values = {
    name = "organizations/123/roles/scc_responder_run_writer"
  }
}

override_resource {
  target = google_project_iam_custom_role.run_writer
  values = {
    name = "projects/example-project/roles/scc_responder_run_writer"
  }
}

override_resource {
  target = google_project_iam_custom_role.operator["function"]
  values = {
    name = "projects/example-project/roles/scc_responder_operator_function"
  }
}

override_resource {
  target = google_project_iam_custom_role.operator["heartbeat"]
  values = {
    name = "projects/example-project/roles/scc_responder_operator_heartbeat"
  }
}

override_resource {
  target = google_project_iam_custom_role.operator["journal"]
  values = {
    name = "projects/example-project/roles/scc_responder_operator_journal"
  }
}

override_resource {
  target = google_project_iam_custom_role.operator["subscription"]
  values = {
    name = "projects/example-project/roles/scc_responder_operator_subscription"
  }
}

override_resource {
  target = google_project_iam_custom_role.own["evidence"]
  values = {
    name = "projects/example-project/roles/scc_responder_evidence"
  }
}

override_resource {
  target = google_project_iam_custom_role.own["outcomes"]
  values = {
    name = "projects/example-project/roles/scc_responder_outcomes"
  }
}

override_resource {
  target = google_project_iam_custom_role.own["signing"]
  values = {
    name = "projects/example-project/roles/scc_responder_signing"
  }
}

override_resource {
  target = google_project_iam_custom_role.own["store"]
  values = {
    name = "projects/example-project/roles/scc_responder_store"
  }
}
