# What Google takes at least and at most is taken.

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

run "what_google_takes" {
  command = plan

  variables {
    approvers = [
      "group:secops@example.com",
      "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/oncall",
      "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/secops",
      "serviceAccount:oncall-1@example-project.iam.gserviceaccount.com",
      "serviceAccount:example-project.svc.id.goog[ops/robot]",
      "user:o'neil.first+tag@mail.example.co.uk",
    ]
    concurrency   = 1
    kms_key_names = { pubsub = "projects/keys/locations/europe-west1/keyRings/r/cryptoKeys/k" }
    labels        = { cost-center_1 = "", équipe = "sécurité" }
    limits        = { cpu = "0.083", memory = "256M" }
    vpc_connector = "projects/example-project/locations/europe-west1/connectors/clusters"
  }
}

run "what_google_takes_at_most" {
  command = plan

  variables {
    clusters = ["projects/example.com:p/locations/europe-west1/clusters/prod-1", "projects/*/locations/*/clusters/*"]
    limits   = { cpu = "8", memory = "32Gi", max_instances = 1000, timeout_seconds = 119 }
  }

  expect_failures = [check.clusters_are_narrow]
}
