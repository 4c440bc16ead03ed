# What the runtime identity may do: the permissions that the enabled policies need, as `scc-responder permissions` lists
# them in permissions.json, or `scc-responder bundle` beside the zip of other policies, each granted at the one place where it is used. A section that bears the name of a variable is
# granted only where that variable asks for it.
# Everything inside clusters is Kubernetes RBAC: a permission such as container.pods.delete would hold in every namespace
# of every cluster, and is refused.

locals {
  _listed = jsondecode(file(var.permissions == "" ? "${path.module}/permissions.json" : var.permissions))
  _asked_for = {
    cloud_logging      = var.cloud_logging
    cloud_monitoring   = var.cloud_monitoring && length(var.cloud_run_projects) > 0
    cloud_run_projects = length(var.cloud_run_projects) > 0
    collector_image    = var.collector_image != ""
    connect_gateway    = var.connect_gateway
    essential_contacts = var.essential_contacts
    external_system    = var.external_system
    image_repositories = length(var.image_repositories) > 0
    signing            = local._grants_signing
  }
  permissions = toset(concat(local._listed.iam, [for section, asked in local._asked_for : local._listed[section] if asked]...)[*].permission)

  _known = {
    clusters = "^container[.]clusters[.](connect|get)$|^gkehub[.](gateway[.](delete|get|patch|post|put)|memberships[.]get)$"
    contacts = "^essentialcontacts[.]contacts[.]list$"
    evidence = "^storage[.]objects[.]create$"
    images   = "^artifactregistry[.]repositories[.]downloadArtifacts$"
    findings = "^securitycenter[.](findingexternalsystems[.]update|findings[.]list|notificationconfig[.]get)$"
    logs     = "^logging[.]((logEntries|privateLogEntries)[.]list|sinks[.]get)$"
    metrics  = "^monitoring[.]timeSeries[.]list$"
    outcomes = "^pubsub[.]topics[.]publish$"
    run      = "^run[.](executions|jobs|revisions|services)[.](get|getIamPolicy|list)$"
    signing  = "^cloudkms[.]cryptoKeyVersions[.]useToSign$"
    store    = "^datastore[.]entities[.](create|delete|get|list|update)$"
  }
  _granted = { for place, known in local._known : place => [for name in local.permissions : name if can(regex(known, name))] }
  _unknown = setsubtract(local.permissions, flatten(values(local._granted)))

  # Folders have no custom roles: theirs are the organisation's.
  _reach = { for place in ["clusters", "contacts", "findings", "images", "logs", "metrics", "run"] : place => local._granted[place] if length(local._granted[place]) > 0 }
  _own   = { for place in ["evidence", "outcomes", "signing", "store"] : place => local._granted[place] if length(local._granted[place]) > 0 }

  # Conditions see databases, and nothing in them.
  _journal_only = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.journal.name}\""

  _roles_prefix = replace(var.name, "-", "_")
  _roles = merge(
    { for place, role in google_organization_iam_custom_role.reach : place => role.name },
    { for place, role in google_project_iam_custom_role.reach : place => role.name },
  )

  _projects        = toset([for cluster in var.clusters : split("/", cluster)[1]])
  cluster_projects = contains(local._projects, "*") ? toset([]) : local._projects
  _at_scope        = toset([for place in keys(local._reach) : place if contains(["contacts", "findings"], place) || (contains(["clusters", "logs"], place) && length(local.cluster_projects) == 0)])
}

resource "google_organization_iam_custom_role" "reach" {
  for_each = local.scope == "project" ? {} : local._reach

  description = "What ${var.name} needs for: ${each.key}."
  org_id      = var.scope.organization
  permissions = each.value
  role_id     = "${local._roles_prefix}_${each.key}"
  title       = "${var.name} ${each.key}"
}

resource "google_project_iam_custom_role" "reach" {
  for_each = local.scope == "project" ? local._reach : {}

  description = "What ${var.name} needs for: ${each.key}."
  permissions = each.value
  project     = var.scope.project
  role_id     = "${local._roles_prefix}_${each.key}"
  title       = "${var.name} ${each.key}"
}

resource "google_project_iam_custom_role" "own" {
  for_each = local._own

  description = "What ${var.name} needs for: ${each.key}."
  permissions = each.value
  project     = var.project_id
  role_id     = "${local._roles_prefix}_${each.key}"
  title       = "${var.name} ${each.key}"

  lifecycle {
    precondition {
      condition     = length(local._unknown) == 0
      error_message = "The permissions ${join(", ", local._unknown)} are not granted by this module: permissions.tf knows no place where they would be safe. Write permissions.json anew with: scc-responder permissions --iam permissions.json."
    }
  }
}

resource "google_organization_iam_member" "run" {
  for_each = local.scope == "organization" ? local._at_scope : toset([])

  member = google_service_account.responder["run"].member
  org_id = var.scope.organization
  role   = local._roles[each.key]
}

resource "google_folder_iam_member" "run" {
  for_each = local.scope == "folder" ? local._at_scope : toset([])

  folder = "folders/${var.scope.folder}"
  member = google_service_account.responder["run"].member
  role   = local._roles[each.key]
}

resource "google_project_iam_member" "run" {
  for_each = local.scope == "project" ? local._at_scope : toset([])

  member  = google_service_account.responder["run"].member
  project = var.scope.project
  role    = local._roles[each.key]
}

resource "google_project_iam_member" "clusters" {
  for_each = contains(keys(local._reach), "clusters") ? local.cluster_projects : toset([])

  member  = google_service_account.responder["run"].member
  project = each.value
  role    = local._roles["clusters"]
}

# With cloud_logging it reads every log of these projects, and of those whose Cloud Run is evidence; with collector_image
# alone, where the sink of clusters' projects sends them.
resource "google_project_iam_member" "logs" {
  for_each = contains(keys(local._reach), "logs") ? setunion(local.cluster_projects, var.cloud_logging ? var.cloud_run_projects : []) : toset([])

  member  = google_service_account.responder["run"].member
  project = each.value
  role    = local._roles["logs"]
}

# Whose services and jobs of Cloud Run are evidence. What changes them is another identity's: run_writer.tf.
resource "google_project_iam_member" "cloud_run" {
  for_each = contains(keys(local._reach), "run") ? var.cloud_run_projects : toset([])

  member  = google_service_account.responder["run"].member
  project = each.value
  role    = local._roles["run"]
}

# How many instances and requests services of these projects have.
resource "google_project_iam_member" "metrics" {
  for_each = contains(keys(local._reach), "metrics") ? var.cloud_run_projects : toset([])

  member  = google_service_account.responder["run"].member
  project = each.value
  role    = local._roles["metrics"]
}

# Only where an enabled policy asks for inspect_container. It may pull from these repositories, and from no other.
resource "google_artifact_registry_repository_iam_member" "images" {
  for_each = contains(keys(local._reach), "images") ? var.image_repositories : toset([])

  location   = split("/", each.value)[3]
  member     = google_service_account.responder["run"].member
  project    = split("/", each.value)[1]
  repository = split("/", each.value)[5]
  role       = local._roles["images"]
}

# It may read the addresses of receivers, each secret that is named, and no other.
resource "google_secret_manager_secret_iam_member" "notices" {
  for_each = toset([for version in values(var.notice_secrets) : split("/versions/", version)[0]])

  member    = google_service_account.responder["run"].member
  project   = split("/", each.value)[1]
  role      = "roles/secretmanager.secretAccessor"
  secret_id = split("/", each.value)[3]
}

resource "google_project_iam_member" "store" {
  count = contains(keys(local._own), "store") ? 1 : 0

  member  = google_service_account.responder["run"].member
  project = var.project_id
  role    = google_project_iam_custom_role.own["store"].name

  condition {
    expression = local._journal_only
    title      = "journal_only"
  }
}

resource "google_storage_bucket_iam_member" "evidence" {
  count = contains(keys(local._own), "evidence") ? 1 : 0

  bucket = google_storage_bucket.evidence.name
  member = google_service_account.responder["run"].member
  role   = google_project_iam_custom_role.own["evidence"].name
}

resource "google_pubsub_topic_iam_member" "outcomes" {
  count = contains(keys(local._own), "outcomes") ? 1 : 0

  member  = google_service_account.responder["run"].member
  project = var.project_id
  role    = google_project_iam_custom_role.own["outcomes"].name
  topic   = google_pubsub_topic.responder["outcomes"].name
}
