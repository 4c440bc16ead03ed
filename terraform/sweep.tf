# What a crash leaves behind is taken up again, whatever became of its message: cases whose lease ran out, plans that
# nobody answered in time, and what the kill switch held.

resource "google_cloud_scheduler_job" "sweep" {
  attempt_deadline = "120s"
  description      = "Lets ${var.name} go on with what a crash left behind."
  name             = "${var.name}-sweep"
  project          = var.project_id
  region           = var.region
  schedule         = "*/5 * * * *"
  time_zone        = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.responder.service_config[0].uri}/sweep"

    oidc_token {
      audience              = local._address # the one that the function knows itself by
      service_account_email = google_service_account.responder["sweep"].email
    }
  }

  retry_config {
    retry_count = 1
  }

  depends_on = [google_project_service.needed]
}

# What was contained is looked at when that is due: a minute after is the first time, so it is asked for each minute. Where
# nothing is due, that is one read of the journal.
resource "google_cloud_scheduler_job" "look" {
  attempt_deadline = "120s"
  description      = "Lets ${var.name} look whether what it contained is still so."
  name             = "${var.name}-look"
  paused           = length(var.looks) == 0
  project          = var.project_id
  region           = var.region
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.responder.service_config[0].uri}/look"

    oidc_token {
      audience              = local._address # the one that the function knows itself by
      service_account_email = google_service_account.responder["sweep"].email
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_cloud_run_v2_service_iam_member" "sweep" {
  location = var.region
  member   = google_service_account.responder["sweep"].member
  name     = google_cloudfunctions2_function.responder.name
  project  = var.project_id
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.responder]
  }
}
