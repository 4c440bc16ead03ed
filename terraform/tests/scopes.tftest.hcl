# One test for each scope. The Python tests read their states: tests/terraform.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  alert_channels = ["projects/example-project/notificationChannels/1"]
  bundle         = { path = "versions.tf", sha256 = filesha256("versions.tf") }
  clusters       = ["projects/shop-prod/locations/europe-west1/clusters/prod-1", "projects/shop-test/locations/*/clusters/*"]
  evidence       = { locked = true }
  labels         = { team = "secops" }
  operators      = ["group:secops@example.com"]
  project_id     = "example-project"
  region         = "europe-west1"
  scope          = { organization = "123" }
  source_ids     = ["2222222222222222222", "1111111111111111111"]
}

run "organization" {
  assert {
    condition     = google_scc_v2_organization_notification_config.responder[0].organization == "123"
    error_message = "The organisation's findings are not sent."
  }

  assert {
    condition     = length(google_scc_v2_folder_notification_config.responder) + length(google_scc_v2_project_notification_config.responder) == 0
    error_message = "More than one scope sends findings: each would come twice."
  }

  assert {
    condition     = keys(google_organization_iam_member.run) == ["findings"] && length(google_folder_iam_member.run) + length(google_project_iam_member.run) == 0
    error_message = "Findings are to be read in the organisation, and clusters not where every pattern names its project."
  }

  assert {
    condition     = keys(google_project_iam_member.clusters) == ["shop-prod", "shop-test"]
    error_message = "Access to clusters is granted elsewhere than in the projects that the patterns name."
  }
}

run "organization_any_project" {
  variables {
    clusters = ["projects/*/locations/*/clusters/*", "projects/shop-prod/locations/*/clusters/*"]
  }

  assert {
    condition     = keys(google_organization_iam_member.run) == ["clusters", "findings"] && length(google_project_iam_member.clusters) == 0
    error_message = "Clusters of any project are reached only where the organisation grants it."
  }

  expect_failures = [check.clusters_are_narrow]
}

run "folder" {
  variables {
    clusters     = ["projects/*/locations/*/clusters/*"]
    scc_location = "eu"
    scope        = { organization = "123", folder = "456" }
  }

  assert {
    condition     = google_scc_v2_folder_notification_config.responder[0].folder == "456" && google_scc_v2_folder_notification_config.responder[0].location == "eu"
    error_message = "The folder's findings are not sent from their location."
  }

  assert {
    condition     = length(google_scc_v2_organization_notification_config.responder) + length(google_scc_v2_project_notification_config.responder) == 0
    error_message = "More than one scope sends findings: each would come twice."
  }

  assert {
    condition     = keys(google_folder_iam_member.run) == ["clusters", "findings"] && alltrue([for grant in google_folder_iam_member.run : grant.folder == "folders/456"])
    error_message = "What is needed in the folder is not granted there."
  }

  assert {
    condition     = length(google_organization_iam_member.run) + length(google_project_iam_member.run) == 0
    error_message = "A folder's responder may reach beyond its folder."
  }

  assert {
    condition     = google_organization_iam_custom_role.reach["findings"].org_id == "123"
    error_message = "A folder's custom roles are its organisation's."
  }

  assert {
    condition     = google_cloudfunctions2_function.responder.service_config[0].environment_variables.SCC_RESPONDER_SCC_LOCATION == "eu"
    error_message = "Findings are read elsewhere than notifications come from."
  }

  expect_failures = [check.clusters_are_narrow]
}

run "project" {
  variables {
    clusters = ["projects/*/locations/*/clusters/*"]
    scope    = { project = "shop-prod" }
  }

  assert {
    condition     = google_scc_v2_project_notification_config.responder[0].project == "shop-prod"
    error_message = "The project's findings are not sent."
  }

  assert {
    condition     = length(google_scc_v2_organization_notification_config.responder) + length(google_scc_v2_folder_notification_config.responder) == 0
    error_message = "More than one scope sends findings: each would come twice."
  }

  assert {
    condition     = keys(google_project_iam_member.run) == ["clusters", "findings"] && alltrue([for grant in google_project_iam_member.run : grant.project == "shop-prod"])
    error_message = "What is needed in the project is not granted there."
  }

  assert {
    condition     = length(google_organization_iam_custom_role.reach) + length(google_organization_iam_member.run) + length(google_folder_iam_member.run) == 0
    error_message = "A project's responder needs something of an organisation."
  }
}
