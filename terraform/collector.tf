# The image that looks into containers and cuts their connections: the repository that nodes pull it from. Nobody writes there
# through this module: make collector puts the image there, as the person who runs it.

locals {
  _collector_name = var.collector_repository.create ? "projects/${var.project_id}/locations/${var.region}/repositories/${one(google_artifact_registry_repository.collector[*].repository_id)}" : coalesce(var.collector_repository.name, "-")
  _collector      = { for index, part in split("/", local._collector_name) : ["projects", "project", "locations", "location", "repositories", "repository"][index] => part if local._collector_name != "-" }

  # Where the image is pushed to, without a digest.
  collector_repository = local._collector_name == "-" ? "" : "${local._collector.location}-docker.pkg.dev/${replace(local._collector.project, ":", "/")}/${local._collector.repository}/collector"
}

resource "google_artifact_registry_repository" "collector" {
  count = var.collector_repository.create ? 1 : 0

  description   = "The image that looks into containers, which nodes pull by its digest."
  format        = "DOCKER"
  kms_key_name  = var.kms_key_names.function
  labels        = var.labels
  location      = var.region
  project       = var.project_id
  repository_id = "${var.name}-collector"

  depends_on = [google_kms_crypto_key_iam_member.agent, google_project_service.needed]
}

resource "google_artifact_registry_repository_iam_member" "collector" {
  for_each = var.collector_repository.readers

  location   = local._collector.location
  member     = each.value
  project    = local._collector.project
  repository = local._collector.repository
  role       = "roles/artifactregistry.reader"
}

# What the collector writes goes to its container's log, which GKE copies to Cloud Logging: encrypted, and up to 256 MiB for
# one look. This leaves it out, in the projects of the clusters.
resource "google_logging_project_exclusion" "collector" {
  for_each = var.collector_image != "" && var.exclude_collector_logs ? local.cluster_projects : toset([])

  description = "The log of the containers that ${var.name} puts into pods: it is followed in the cluster."
  filter      = "resource.type=\"k8s_container\" AND resource.labels.container_name=~\"^scc-responder-\""
  name        = "${var.name}-collector"
  project     = each.value
}
