# The console as a service of Cloud Run, behind Identity-Aware Proxy (IAP): from the very zip that the function is built
# from, with another entry point. Only the provider google-beta can put IAP before a service, so this is a module of its own.

locals {
  _consoles = var.responder[*]
  _undoes   = flatten([for console in local._consoles : console.undo[*]])
  _base     = one([for console in local._consoles : "${console.region}-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/${console.runtime}"])
  _iap      = one([for console in local._consoles : "serviceAccount:service-${console.project_number}@gcp-sa-iap.iam.gserviceaccount.com"])
}

# Makes IAP's service agent, where the project never used IAP: a grant to a missing agent fails.
resource "google_project_service_identity" "iap" {
  count    = length(local._consoles)
  provider = google-beta

  project = var.responder.project_id
  service = "iap.googleapis.com"
}

resource "google_cloud_run_v2_service" "console" {
  count    = length(local._consoles)
  provider = google-beta

  deletion_protection = false # it keeps nothing
  description         = "Shows cases, and hands on what persons answer."
  iap_enabled         = true
  ingress             = var.ingress
  labels              = var.responder.labels
  launch_stage        = "BETA"
  location            = var.responder.region
  name                = var.responder.name
  project             = var.responder.project_id

  build_config {
    base_image               = local._base
    enable_automatic_updates = true
    function_target          = "console"
    image_uri                = var.responder.image
    service_account          = var.responder.build_identity
    source_location          = var.responder.source # another zip is another name, and so another build
  }

  template {
    max_instance_request_concurrency = 8
    service_account                  = var.responder.identity
    timeout                          = "180s" # an approved plan is carried out within the request

    containers {
      base_image_uri = local._base
      image          = var.responder.image

      dynamic "env" {
        for_each = var.responder.environment

        content {
          name  = env.key
          value = env.value
        }
      }

      resources {
        cpu_idle = true
        limits   = { cpu = "1", memory = "512Mi" }
      }
    }

    scaling {
      max_instance_count = 1 # each seals its forms with a key of its own, which no other knows
      min_instance_count = 0
    }

    dynamic "vpc_access" {
      for_each = var.responder.subnetwork[*]

      content {
        egress = "ALL_TRAFFIC" # what goes by the network counts as internal to the function

        network_interfaces {
          subnetwork = vpc_access.value
        }
      }
    }
  }

  lifecycle {
    # The build names the image by its digest, and Google says which stage is needed.
    ignore_changes = [client, client_version, launch_stage, template[0].containers[0].image]
  }
}

resource "google_cloud_run_v2_service_iam_member" "iap" {
  count    = length(local._consoles)
  provider = google-beta

  location = var.responder.region
  member   = local._iap # nobody else calls it: who opens it comes by IAP
  name     = google_cloud_run_v2_service.console[0].name
  project  = var.responder.project_id
  role     = "roles/run.invoker"

  depends_on = [google_project_service_identity.iap]
}

# Takes cases back, where that is asked for: the same zip with a third entry point, as the identity of undo. The console
# alone may call it.
resource "google_cloud_run_v2_service" "undo" {
  count    = length(local._undoes)
  provider = google-beta

  deletion_protection = false # it keeps nothing
  description         = "Takes back what the responder did, for persons in the console."
  ingress             = var.responder.subnetwork == null ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  labels              = var.responder.labels
  location            = var.responder.region
  name                = var.responder.undo.name
  project             = var.responder.project_id

  build_config {
    base_image               = local._base
    enable_automatic_updates = true
    function_target          = "undo"
    image_uri                = "${var.responder.image}-undo"
    service_account          = var.responder.build_identity
    source_location          = var.responder.source
  }

  template {
    max_instance_request_concurrency = 4
    service_account                  = var.responder.undo.identity
    timeout                          = "180s" # a case is taken back within the request

    containers {
      base_image_uri = local._base
      image          = "${var.responder.image}-undo"

      dynamic "env" {
        for_each = var.responder.undo.environment

        content {
          name  = env.key
          value = env.value
        }
      }

      resources {
        cpu_idle = true
        limits   = { cpu = "1", memory = "512Mi" }
      }
    }

    scaling {
      max_instance_count = 1 # one person takes back one case
      min_instance_count = 0
    }

    dynamic "vpc_access" {
      for_each = var.responder.subnetwork[*]

      content {
        egress = "PRIVATE_RANGES_ONLY" # control planes that have private addresses alone

        network_interfaces {
          subnetwork = vpc_access.value
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, launch_stage, template[0].containers[0].image]
  }
}

resource "google_cloud_run_v2_service_iam_member" "undo" {
  count    = length(local._undoes)
  provider = google-beta

  location = var.responder.region
  member   = "serviceAccount:${var.responder.identity}" # the console's identity, and nobody else
  name     = google_cloud_run_v2_service.undo[0].name
  project  = var.responder.project_id
  role     = "roles/run.invoker"
}

resource "google_iap_web_cloud_run_service_iam_member" "visitor" {
  for_each = toset(flatten(local._consoles[*].members))
  provider = google-beta

  cloud_run_service_name = google_cloud_run_v2_service.console[0].name
  location               = var.responder.region
  member                 = each.value
  project                = var.responder.project_id
  role                   = "roles/iap.httpsResourceAccessor"
}
