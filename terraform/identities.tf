# One identity for each thing that is done, and for each the least that it takes. What the runtime identity may do is in
# permissions.tf, who may publish in pubsub.tf.

resource "google_service_account" "responder" {
  for_each = {
    build     = "builds the function's image"
    push      = "calls the function for Pub/Sub"
    redrive   = "sends dead letters again, for an operator"
    run       = "responds to findings: the function's own identity"
    scheduler = "publishes the heartbeat"
    sweep     = "asks the function to go on with what a crash left behind, and to look at what it contained"
  }

  account_id   = "${var.name}-${each.key}"
  description  = "${var.name}: ${each.value}."
  display_name = "${var.name} ${each.key}"
  project      = var.project_id

  depends_on = [google_project_service.needed]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  member     = google_service_account.responder["build"].member
  project    = var.project_id
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
}

resource "google_storage_bucket_iam_member" "build_source" {
  bucket = local._bundle_bucket
  member = google_service_account.responder["build"].member
  role   = "roles/storage.objectViewer"
}

# Cloud Functions copies the source to a bucket that it makes itself, and builds from there.
resource "google_project_iam_member" "build_sources" {
  member  = google_service_account.responder["build"].member
  project = var.project_id
  role    = "roles/storage.objectViewer"

  condition {
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.responder.number}-${var.region}\")"
    title      = "sources_of_functions_only"
  }
}

resource "google_project_iam_member" "build_logs" {
  member  = google_service_account.responder["build"].member
  project = var.project_id
  role    = "roles/logging.logWriter"
}
