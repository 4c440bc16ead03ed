# What is allowed and risky: each warns at every plan, and none stops it.

check "someone_is_told" {
  assert {
    condition     = length(var.alert_channels) > 0
    error_message = "No alert reaches anybody: give alert_channels."
  }
}

check "outcomes_are_kept" {
  assert {
    condition     = length(var.outcome_subscriptions) > 0
    error_message = "What was done is published to nobody: Pub/Sub drops what no subscription takes. Name one in outcome_subscriptions."
  }
}

check "evidence_is_locked" {
  assert {
    condition     = var.evidence.locked
    error_message = "Whoever may administer the evidence bucket can shorten its retention and delete evidence: set locked in evidence once retention_days is what you want to keep. It cannot be taken back."
  }
}

check "an_instance_waits" {
  assert {
    condition     = var.limits.min_instances > 0
    error_message = "With min_instances 0 a finding that comes after a quiet time waits for a cold start first."
  }
}

check "clusters_are_narrow" {
  assert {
    condition     = length(local.cluster_projects) > 0 || local.scope == "project"
    error_message = "A pattern of clusters has * as its project: access is granted to all clusters of the ${local.scope}. Name the projects to grant it there alone."
  }
}

check "collector_logs_are_excluded" {
  assert {
    condition     = var.collector_image == "" || (var.exclude_collector_logs && length(local.cluster_projects) > 0)
    error_message = "What the collector writes is copied to Cloud Logging, up to 256 MiB for one look: set exclude_collector_logs, and name the projects in clusters, or make the exclusion there yourself."
  }
}

check "project_is_of_its_own" {
  assert {
    condition     = !contains(local.cluster_projects, var.project_id)
    error_message = "The responder runs in the project ${var.project_id}, whose clusters it acts in: whoever takes over that project can act as the responder. Give it a project of its own."
  }
}

check "services_can_be_changed" {
  assert {
    condition     = alltrue([for service in var.services : contains(setunion(var.cloud_run_writes, local._writes_run ? ["*"] : []), try(split("/", service)[1], ""))])
    error_message = "Not every project of services is in cloud_run_writes: what is listed there is held as no_run_writer, or refused for want of a permission."
  }
}

check "function_is_internal" {
  assert {
    condition     = var.ingress != "ALLOW_ALL"
    error_message = "The function can be called from the internet by whoever may call it: only identities that were given run.invoker, but nothing else is in between."
  }
}

check "console_reaches_the_function" {
  assert {
    condition     = var.console == null || try(var.console.subnetwork, null) != null || var.ingress == "ALLOW_ALL"
    error_message = "The console shows cases and cannot answer any: the function is closed to the internet. Give console a subnetwork with Private Google Access."
  }
}
