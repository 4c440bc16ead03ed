# What is risky but allowed warns, and what was not tested is not uploaded.

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

run "nobody_is_told" {
  command = plan

  variables {
    alert_channels = []
  }

  expect_failures = [check.someone_is_told]
}

run "outcomes_for_nobody" {
  command = plan

  variables {
    outcome_subscriptions = {}
  }

  expect_failures = [check.outcomes_are_kept]
}

run "evidence_unlocked" {
  command = plan

  variables {
    evidence = {}
  }

  expect_failures = [check.evidence_is_locked]
}

run "cold_starts" {
  command = plan

  variables {
    limits = { min_instances = 0 }
  }

  expect_failures = [check.an_instance_waits]
}

run "services_that_nobody_changes" {
  command = plan

  variables {
    cloud_run_projects = ["shop-prod", "shop-test"]
    cloud_run_writes   = ["shop-prod"]
    services           = ["projects/shop-prod/locations/*/services/*", "projects/shop-test/locations/*/services/*"]
  }

  expect_failures = [check.services_can_be_changed]
}

run "services_of_any_project" {
  command = plan

  variables {
    services = ["projects/*/locations/*/services/*"]
  }

  expect_failures = [check.services_can_be_changed]
}

run "clusters_of_any_project" {
  command = plan

  variables {
    clusters = ["projects/*/locations/*/clusters/*"]
  }

  expect_failures = [check.clusters_are_narrow]
}

run "a_collector_in_any_project" {
  command = plan

  variables {
    clusters        = ["projects/*/locations/*/clusters/*"]
    collector_image = "europe-docker.pkg.dev/example-project/tools/collector@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [check.clusters_are_narrow, check.collector_logs_are_excluded]
}

run "among_its_own_clusters" {
  command = plan

  variables {
    clusters = ["projects/example-project/locations/*/clusters/*"]
  }

  expect_failures = [check.project_is_of_its_own]
}

run "another_zip" {
  command = plan

  variables {
    bundle = { path = "outputs.tf", sha256 = filesha256("versions.tf") }
  }

  expect_failures = [google_storage_bucket_object.bundle]
}

run "open_to_the_internet" {
  command = plan

  variables {
    ingress = "ALLOW_ALL"
  }

  expect_failures = [check.function_is_internal]
}

run "console_before_a_closed_function" {
  command = plan

  variables {
    console = { members = ["group:secops@example.com"] }
  }

  expect_failures = [check.console_reaches_the_function]
}
