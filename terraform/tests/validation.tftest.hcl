# Every input that a deployment must not have is refused before anything is planned.

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

run "alert_channels_a_bare_id" {
  command = plan

  variables {
    alert_channels = ["123"]
  }

  expect_failures = [var.alert_channels]
}

run "alerts_open_for_a_minute" {
  command = plan

  variables {
    alerts = { auto_close_minutes = 1 }
  }

  expect_failures = [var.alerts]
}

run "alerts_open_for_ever" {
  command = plan

  variables {
    alerts = { auto_close_minutes = 10081 }
  }

  expect_failures = [var.alerts]
}

run "alerts_half_a_minute_open" {
  command = plan

  variables {
    alerts = { auto_close_minutes = 30.5 }
  }

  expect_failures = [var.alerts]
}

run "alerts_lowered_for_two_days" {
  command = plan

  variables {
    alerts = { lowered_hours = 48 }
  }

  expect_failures = [var.alerts]
}

run "alerts_lowered_for_less_than_nothing" {
  command = plan

  variables {
    alerts = { lowered_hours = -1 }
  }

  expect_failures = [var.alerts]
}

run "alerts_lowered_half_an_hour" {
  command = plan

  variables {
    alerts = { lowered_hours = 0.5 }
  }

  expect_failures = [var.alerts]
}

run "alerts_at_once" {
  command = plan

  variables {
    alerts = { minutes_between = 0 }
  }

  expect_failures = [var.alerts]
}

run "alerts_every_third_day" {
  command = plan

  variables {
    alerts = { minutes_between = 2881 }
  }

  expect_failures = [var.alerts]
}

run "alerts_half_a_minute_between" {
  command = plan

  variables {
    alerts = { minutes_between = 5.5 }
  }

  expect_failures = [var.alerts]
}

run "alerts_no_finding_for_less_than_nothing" {
  command = plan

  variables {
    alerts = { no_finding_days = -1 }
  }

  expect_failures = [var.alerts]
}

run "alerts_no_finding_for_half_a_day" {
  command = plan

  variables {
    alerts = { no_finding_days = 0.5 }
  }

  expect_failures = [var.alerts]
}

run "alerts_pages_in_the_clear" {
  command = plan

  variables {
    alerts = { pages = "http://git.example.com/docs" }
  }

  expect_failures = [var.alerts]
}

run "alerts_pages_with_a_slash" {
  command = plan

  variables {
    alerts = { pages = "https://git.example.com/docs/" }
  }

  expect_failures = [var.alerts]
}

run "alerts_pages_with_a_verb" {
  command = plan

  variables {
    alerts = { pages = "https://git.example.com/%s" }
  }

  expect_failures = [var.alerts]
}

run "approvers_everybody" {
  command = plan

  variables {
    approvers = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.approvers]
}

run "approvers_a_pattern" {
  command = plan

  variables {
    approvers = ["user:*@example.com"]
  }

  expect_failures = [var.approvers]
}

run "approvers_no_address" {
  command = plan

  variables {
    approvers = ["user:not an email"]
  }

  expect_failures = [var.approvers]
}

run "approvers_all_users_as_group" {
  command = plan

  variables {
    approvers = ["group:allUsers"]
  }

  expect_failures = [var.approvers]
}

run "approvers_a_bare_principal" {
  command = plan

  variables {
    approvers = ["principal:somebody"]
  }

  expect_failures = [var.approvers]
}

run "approvers_a_whole_pool" {
  command = plan

  variables {
    approvers = ["principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*"]
  }

  expect_failures = [var.approvers]
}

run "bundle_no_digest" {
  command = plan

  variables {
    bundle = { path = "versions.tf", sha256 = "latest" }
  }

  expect_failures = [var.bundle]
}

run "bundle_of_two_places" {
  command = plan

  variables {
    bundle = { path = "versions.tf", bucket = "example-zips", generation = 1, sha256 = filesha256("versions.tf") }
  }

  expect_failures = [var.bundle]
}

run "bundle_of_no_place" {
  command = plan

  variables {
    bundle = { sha256 = filesha256("versions.tf") }
  }

  expect_failures = [var.bundle]
}

run "bundle_not_pinned" {
  command = plan

  variables {
    bundle = { bucket = "example-zips", sha256 = filesha256("versions.tf") }
  }

  expect_failures = [var.bundle]
}

run "bundle_generation_of_no_object" {
  command = plan

  variables {
    bundle = { bucket = "example-zips", generation = 0, sha256 = filesha256("versions.tf") }
  }

  expect_failures = [var.bundle]
}

run "clusters_none" {
  command = plan

  variables {
    clusters = []
  }

  expect_failures = [var.clusters]
}

run "clusters_a_bare_name" {
  command = plan

  variables {
    clusters = ["prod-1"]
  }

  expect_failures = [var.clusters]
}

run "clusters_half_a_segment" {
  command = plan

  variables {
    clusters = ["projects/p/locations/l/clusters/prod-*"]
  }

  expect_failures = [var.clusters]
}

run "clusters_a_comma" {
  command = plan

  variables {
    clusters = ["projects/p/locations/l/clusters/c,projects/*/locations/*/clusters/*"]
  }

  expect_failures = [var.clusters]
}

run "clusters_too_short" {
  command = plan

  variables {
    clusters = ["projects/*"]
  }

  expect_failures = [var.clusters]
}

run "clusters_zones" {
  command = plan

  variables {
    clusters = ["projects/p/zones/z/clusters/c"]
  }

  expect_failures = [var.clusters]
}

run "clusters_beyond_the_project" {
  command = plan

  variables {
    scope = { project = "shop-test" }
  }

  expect_failures = [var.clusters]
}

run "clusters_a_project_number" {
  command = plan

  variables {
    clusters = ["projects/123456789012/locations/europe-west1/clusters/prod-1"]
  }

  expect_failures = [var.clusters]
}

run "collector_repository_two" {
  command = plan

  variables {
    collector_repository = { create = true, name = "projects/tools/locations/europe/repositories/security" }
  }

  expect_failures = [var.collector_repository]
}

run "collector_repository_a_place" {
  command = plan

  variables {
    collector_repository = { name = "europe-docker.pkg.dev/tools/security" }
  }

  expect_failures = [var.collector_repository]
}

run "collector_repository_readers_of_nothing" {
  command = plan

  variables {
    collector_repository = { readers = ["serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"] }
  }

  expect_failures = [var.collector_repository]
}

run "collector_repository_everybody" {
  command = plan

  variables {
    collector_repository = { create = true, readers = ["allUsers"] }
  }

  expect_failures = [var.collector_repository]
}

run "concurrency_none" {
  command = plan

  variables {
    concurrency = 0
  }

  expect_failures = [var.concurrency]
}

run "concurrency_too_many" {
  command = plan

  variables {
    concurrency = 81
  }

  expect_failures = [var.concurrency]
}

run "concurrency_half" {
  command = plan

  variables {
    concurrency = 1.5
  }

  expect_failures = [var.concurrency]
}

run "collector_image_by_tag" {
  command = plan

  variables {
    collector_image = "europe-docker.pkg.dev/example-project/tools/collector:1"
  }

  expect_failures = [var.collector_image]
}

run "console_for_nobody" {
  command = plan

  variables {
    console = { members = [] }
  }

  expect_failures = [var.console]
}

run "console_for_everybody" {
  command = plan

  variables {
    console = { members = ["allUsers"] }
  }

  expect_failures = [var.console]
}

run "console_by_a_network" {
  command = plan

  variables {
    console = { members = ["group:secops@example.com"], subnetwork = "default" }
  }

  expect_failures = [var.console]
}

run "evidence_no_retention" {
  command = plan

  variables {
    evidence = { retention_days = 0 }
  }

  expect_failures = [var.evidence]
}

run "evidence_too_long" {
  command = plan

  variables {
    evidence = { retention_days = 3651 }
  }

  expect_failures = [var.evidence]
}

run "evidence_half_a_day" {
  command = plan

  variables {
    evidence = { retention_days = 1.5 }
  }

  expect_failures = [var.evidence]
}

run "heartbeat_minutes_uneven" {
  command = plan

  variables {
    heartbeat_minutes = 7
  }

  expect_failures = [var.heartbeat_minutes]
}

run "cloud_run_projects_a_number" {
  command = plan

  variables {
    cloud_run_projects = ["123456789012"]
  }

  expect_failures = [var.cloud_run_projects]
}

run "cloud_run_projects_any" {
  command = plan

  variables {
    cloud_run_projects = ["shop-*"]
  }

  expect_failures = [var.cloud_run_projects]
}

run "cloud_run_projects_out_of_scope" {
  command = plan

  variables {
    clusters           = ["projects/shop-prod/locations/*/clusters/*"]
    cloud_run_projects = ["shop-test"]
    scope              = { project = "shop-prod" }
  }

  expect_failures = [var.cloud_run_projects]
}

run "cloud_run_writes_unread" {
  command = plan

  variables {
    cloud_run_projects = ["shop-test"]
    cloud_run_writes   = ["shop-prod"]
  }

  expect_failures = [var.cloud_run_writes]
}

run "cloud_run_writes_the_responder" {
  command = plan

  variables {
    cloud_run_projects = ["example-project"]
    cloud_run_writes   = ["example-project"]
  }

  expect_failures = [var.cloud_run_writes]
}

run "image_repositories_a_place" {
  command = plan

  variables {
    image_repositories = ["europe-docker.pkg.dev/shop-prod/images"]
  }

  expect_failures = [var.image_repositories]
}

run "image_repositories_any" {
  command = plan

  variables {
    image_repositories = ["projects/shop-prod/locations/europe/repositories/*"]
  }

  expect_failures = [var.image_repositories]
}

run "image_repositories_out_of_scope" {
  command = plan

  variables {
    clusters           = ["projects/shop-prod/locations/*/clusters/*"]
    image_repositories = ["projects/images/locations/europe/repositories/web"]
    scope              = { project = "shop-prod" }
  }

  expect_failures = [var.image_repositories]
}

run "ingress_unknown" {
  command = plan

  variables {
    ingress = "INTERNAL"
  }

  expect_failures = [var.ingress]
}

run "kms_key_names_a_bare_name" {
  command = plan

  variables {
    kms_key_names = { pubsub = "key" }
  }

  expect_failures = [var.kms_key_names]
}

run "kms_key_names_a_key_ring" {
  command = plan

  variables {
    kms_key_names = { pubsub = "projects/keys/locations/europe-west1/keyRings/r" }
  }

  expect_failures = [var.kms_key_names]
}

run "kms_key_names_another_region" {
  command = plan

  variables {
    kms_key_names = { firestore = "projects/keys/locations/us-central1/keyRings/r/cryptoKeys/k" }
  }

  expect_failures = [var.kms_key_names]
}

run "kms_key_names_global" {
  command = plan

  variables {
    kms_key_names = { function = "projects/keys/locations/global/keyRings/r/cryptoKeys/k" }
  }

  expect_failures = [var.kms_key_names]
}

run "labels_upper_case" {
  command = plan

  variables {
    labels = { "Team Name" = "secops" }
  }

  expect_failures = [var.labels]
}

run "labels_a_digit_first" {
  command = plan

  variables {
    labels = { "1st" = "secops" }
  }

  expect_failures = [var.labels]
}

run "labels_value_with_spaces" {
  command = plan

  variables {
    labels = { team = "security operations" }
  }

  expect_failures = [var.labels]
}

run "labels_value_too_long" {
  command = plan

  variables {
    labels = { team = join("", [for number in range(64) : "x"]) }
  }

  expect_failures = [var.labels]
}

run "labels_too_many" {
  command = plan

  variables {
    labels = { for number in range(65) : "key-${number}" => "" }
  }

  expect_failures = [var.labels]
}

run "limits_over_the_lease" {
  command = plan

  variables {
    limits = { timeout_seconds = 120 }
  }

  expect_failures = [var.limits]
}

run "limits_no_time" {
  command = plan

  variables {
    limits = { timeout_seconds = 59 }
  }

  expect_failures = [var.limits]
}

run "limits_min_over_max" {
  command = plan

  variables {
    limits = { min_instances = 3, max_instances = 2 }
  }

  expect_failures = [var.limits]
}

run "limits_no_instances" {
  command = plan

  variables {
    limits = { min_instances = 0, max_instances = 0 }
  }

  expect_failures = [var.limits]
}

run "limits_too_many_instances" {
  command = plan

  variables {
    limits = { max_instances = 1001 }
  }

  expect_failures = [var.limits]
}

run "limits_half_a_cpu" {
  command = plan

  variables {
    limits = { cpu = "0.5" }
  }

  expect_failures = [var.limits]
}

run "limits_no_cpu" {
  command = plan

  variables {
    concurrency = 1
    limits      = { cpu = "banana" }
  }

  expect_failures = [var.limits]
}

run "limits_too_little_cpu" {
  command = plan

  variables {
    concurrency = 1
    limits      = { cpu = "0.07" }
  }

  expect_failures = [var.limits]
}

run "limits_three_cpus" {
  command = plan

  variables {
    limits = { cpu = "3" }
  }

  expect_failures = [var.limits]
}

run "limits_no_memory" {
  command = plan

  variables {
    limits = { memory = "banana" }
  }

  expect_failures = [var.limits]
}

run "limits_no_unit_of_memory" {
  command = plan

  variables {
    limits = { memory = "512" }
  }

  expect_failures = [var.limits]
}

run "limits_too_little_memory" {
  command = plan

  variables {
    limits = { memory = "127Mi" }
  }

  expect_failures = [var.limits]
}

run "limits_too_much_memory" {
  command = plan

  variables {
    limits = { cpu = "8", memory = "33Gi" }
  }

  expect_failures = [var.limits]
}

run "limits_more_memory_than_one_cpu_has" {
  command = plan

  variables {
    limits = { memory = "5Gi" }
  }

  expect_failures = [var.limits]
}

run "limits_less_memory_than_four_cpus_need" {
  command = plan

  variables {
    limits = { cpu = "4", memory = "1Gi" }
  }

  expect_failures = [var.limits]
}

run "limits_more_memory_than_half_a_cpu_has" {
  command = plan

  variables {
    concurrency = 1
    limits      = { cpu = "0.5", memory = "2Gi" }
  }

  expect_failures = [var.limits]
}

run "limits_half_an_instance" {
  command = plan

  variables {
    limits = { max_instances = 1.5 }
  }

  expect_failures = [var.limits]
}

run "limits_half_an_idle_instance" {
  command = plan

  variables {
    limits = { min_instances = 0.5 }
  }

  expect_failures = [var.limits]
}

run "limits_half_a_second" {
  command = plan

  variables {
    limits = { timeout_seconds = 60.5 }
  }

  expect_failures = [var.limits]
}

run "message_retention_days_none" {
  command = plan

  variables {
    message_retention_days = 0
  }

  expect_failures = [var.message_retention_days]
}

run "message_retention_days_too_many" {
  command = plan

  variables {
    message_retention_days = 32
  }

  expect_failures = [var.message_retention_days]
}

run "message_retention_days_half" {
  command = plan

  variables {
    message_retention_days = 1.5
  }

  expect_failures = [var.message_retention_days]
}

run "name_too_long" {
  command = plan

  variables {
    name = "a-name-of-21-letters-x"
  }

  expect_failures = [var.name]
}

run "name_too_short" {
  command = plan

  variables {
    name = "ab"
  }

  expect_failures = [var.name]
}

run "name_upper_case" {
  command = plan

  variables {
    name = "Responder"
  }

  expect_failures = [var.name]
}

run "name_underscore" {
  command = plan

  variables {
    name = "scc_responder"
  }

  expect_failures = [var.name]
}

run "notice_secrets_a_path" {
  command = plan

  variables {
    notice_secrets = { "../chat" = "projects/example-project/secrets/chat/versions/1" }
  }

  expect_failures = [var.notice_secrets]
}

run "notice_secrets_in_clear" {
  command = plan

  variables {
    notice_secrets = { chat = "https://chat.example.com/hook" }
  }

  expect_failures = [var.notice_secrets]
}

run "operators_everybody" {
  command = plan

  variables {
    operators = ["allUsers"]
  }

  expect_failures = [var.operators]
}

run "operators_a_bare_address" {
  command = plan

  variables {
    operators = ["secops@example.com"]
  }

  expect_failures = [var.operators]
}

run "operators_a_pattern" {
  command = plan

  variables {
    operators = ["user:*@example.com"]
  }

  expect_failures = [var.operators]
}

run "operators_no_address" {
  command = plan

  variables {
    operators = ["group:secops"]
  }

  expect_failures = [var.operators]
}

run "outcome_format_unknown" {
  command = plan

  variables {
    outcome_format = "v2"
  }

  expect_failures = [var.outcome_format]
}

run "outcome_subscriptions_of_no_name" {
  command = plan

  variables {
    outcome_subscriptions = { "Siem" = {} }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_both_ways" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { bigquery_table = "example-project.security.outcomes", push_endpoint = "https://siem.example.com/in" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_in_the_clear" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { push_endpoint = "http://siem.example.com/in" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_an_identity_of_nothing" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { push_identity = "siem@example-project.iam.gserviceaccount.com" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_an_identity_without_address" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { push_endpoint = "https://siem.example.com/in", push_identity = "siem" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_an_audience_of_nobody" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { push_endpoint = "https://siem.example.com/in", push_audience = "siem" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_no_table" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { bigquery_table = "security.outcomes" } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_pushed_and_read" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { push_endpoint = "https://siem.example.com/in", readers = ["group:secops@example.com"] } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_stored_and_read" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { bigquery_table = "example-project.security.outcomes", readers = ["group:secops@example.com"] } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "outcome_subscriptions_everybody" {
  command = plan

  variables {
    outcome_subscriptions = { siem = { readers = ["allUsers"] } }
  }

  expect_failures = [var.outcome_subscriptions]
}

run "permissions_another_file" {
  command = plan

  variables {
    permissions = "versions.tf"
  }

  expect_failures = [var.permissions]
}

run "project_id_a_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "project_id_with_prefix" {
  command = plan

  variables {
    project_id = "projects/example-project"
  }

  expect_failures = [var.project_id]
}

run "region_a_zone" {
  command = plan

  variables {
    region = "europe-west1-b"
  }

  expect_failures = [var.region]
}

run "region_a_multi_region" {
  command = plan

  variables {
    region = "EU"
  }

  expect_failures = [var.region]
}

run "retry_no_backoff" {
  command = plan

  variables {
    retry = { minimum_backoff_seconds = 0 }
  }

  expect_failures = [var.retry]
}

run "retry_min_over_max" {
  command = plan

  variables {
    retry = { minimum_backoff_seconds = 20, maximum_backoff_seconds = 10 }
  }

  expect_failures = [var.retry]
}

run "retry_too_long" {
  command = plan

  variables {
    retry = { maximum_backoff_seconds = 601 }
  }

  expect_failures = [var.retry]
}

run "retry_too_few" {
  command = plan

  variables {
    retry = { max_delivery_attempts = 4 }
  }

  expect_failures = [var.retry]
}

run "retry_too_many" {
  command = plan

  variables {
    retry = { max_delivery_attempts = 101 }
  }

  expect_failures = [var.retry]
}

run "retry_half_an_attempt" {
  command = plan

  variables {
    retry = { max_delivery_attempts = 5.5 }
  }

  expect_failures = [var.retry]
}

run "retry_half_a_second_at_most" {
  command = plan

  variables {
    retry = { maximum_backoff_seconds = 60.5 }
  }

  expect_failures = [var.retry]
}

run "retry_half_a_second" {
  command = plan

  variables {
    retry = { minimum_backoff_seconds = 1.5 }
  }

  expect_failures = [var.retry]
}

run "runtime_too_old" {
  command = plan

  variables {
    runtime = "python310"
  }

  expect_failures = [var.runtime]
}

run "scc_location_a_region" {
  command = plan

  variables {
    scc_location = "europe-west1"
  }

  expect_failures = [var.scc_location]
}

run "scope_none" {
  command = plan

  variables {
    scope = {}
  }

  expect_failures = [var.scope]
}

run "scope_two" {
  command = plan

  variables {
    scope = { organization = "123", project = "shop-prod" }
  }

  expect_failures = [var.scope]
}

run "scope_folder_alone" {
  command = plan

  variables {
    scope = { folder = "456" }
  }

  expect_failures = [var.scope]
}

run "scope_folder_and_project" {
  command = plan

  variables {
    scope = { folder = "456", project = "shop-prod" }
  }

  expect_failures = [var.scope]
}

run "scope_with_prefix" {
  command = plan

  variables {
    scope = { organization = "organizations/123" }
  }

  expect_failures = [var.scope]
}

run "scope_folder_with_prefix" {
  command = plan

  variables {
    scope = { organization = "123", folder = "folders/456" }
  }

  expect_failures = [var.scope]
}

run "scope_project_number" {
  command = plan

  variables {
    scope = { project = "123456789012" }
  }

  expect_failures = [var.scope]
}

run "services_a_bare_name" {
  command = plan

  variables {
    services = ["checkout"]
  }

  expect_failures = [var.services]
}

run "services_half_a_segment" {
  command = plan

  variables {
    services = ["projects/p/locations/l/services/check*"]
  }

  expect_failures = [var.services]
}

run "services_a_worker_pool" {
  command = plan

  variables {
    services = ["projects/p/locations/l/workerPools/queue"]
  }

  expect_failures = [var.services]
}

run "services_a_project_number" {
  command = plan

  variables {
    services = ["projects/123456789012/locations/l/services/checkout"]
  }

  expect_failures = [var.services]
}

run "services_no_name_of_one" {
  command = plan

  variables {
    services = ["projects/p/locations/l/services/checkout.v:2"]
  }

  expect_failures = [var.services]
}

run "signing_two" {
  command = plan

  variables {
    signing = { create_key = true, key_version = "projects/example-project/locations/europe-west1/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1" }
  }

  expect_failures = [var.signing]
}

run "signing_a_key_without_version" {
  command = plan

  variables {
    signing = { key_version = "projects/example-project/locations/europe-west1/keyRings/r/cryptoKeys/k" }
  }

  expect_failures = [var.signing]
}

run "signing_as_the_function_names_it" {
  command = plan

  variables {
    signing = { key_version = "gcpkms://projects/example-project/locations/europe-west1/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1" }
  }

  expect_failures = [var.signing]
}

run "signing_no_version" {
  command = plan

  variables {
    signing = { create_key = true, version = 0 }
  }

  expect_failures = [var.signing]
}

run "signing_a_version_of_no_key" {
  command = plan

  variables {
    signing = { version = 2 }
  }

  expect_failures = [var.signing]
}

run "signing_another_level" {
  command = plan

  variables {
    signing = { create_key = true, protection_level = "EXTERNAL" }
  }

  expect_failures = [var.signing]
}

run "source_ids_none" {
  command = plan

  variables {
    source_ids = []
  }

  expect_failures = [var.source_ids]
}

run "source_ids_a_name" {
  command = plan

  variables {
    source_ids = ["organizations/123/sources/1"]
  }

  expect_failures = [var.source_ids]
}

run "source_ids_any" {
  command = plan

  variables {
    source_ids = ["*"]
  }

  expect_failures = [var.source_ids]
}

run "vpc_connector_a_bare_name" {
  command = plan

  variables {
    vpc_connector = "clusters"
  }

  expect_failures = [var.vpc_connector]
}

run "vpc_connector_another_region" {
  command = plan

  variables {
    vpc_connector = "projects/example-project/locations/us-central1/connectors/clusters"
  }

  expect_failures = [var.vpc_connector]
}

run "looks_in_words" {
  command = plan

  variables {
    looks = ["1m", "an hour"]
  }

  expect_failures = [var.looks]
}

run "undo_operators_everybody" {
  command = plan

  variables {
    undo_operators = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.undo_operators]
}
