"""Lines of the module on which safety hangs, each with a change that Terraform takes and that must be noticed."""

from __future__ import annotations

from scc_responder.domain.value import Value


class Mutation(Value, frozen=True, kw_only=True):
    """In `file`, `right` is replaced by `wrong`. `tests` are the module's test files that are run then."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...] = ("delivery", "privilege", "scopes")


def _of(
    file: str, *rows: tuple[str, str, str], tests: tuple[str, ...] = ("delivery", "privilege", "scopes")
) -> list[Mutation]:
    return [Mutation(name=name, file=file, right=right, wrong=wrong, tests=tests) for name, right, wrong in rows]


_TOPIC = 'google_pubsub_topic.responder["{}"]'
_FOLDER = "folder       = var.scope.folder\n  location     = var.scc_location\n  pubsub_topic = "
_JOURNAL = 'resource.name == \\"projects/${var.project_id}/databases/${google_firestore_database.journal.name}\\"'
_EVIDENCE = '\n  name                        = "${var.project_id}-${var.name}-evidence"'
_SAYS_SO = " # the function's Cloud Run service bears its name\n  project  = var.project_id\n  role     = "
_TOLD = "\n  project               = var.project_id\n  severity              = each"
_SILENCE = (
    f'{_TOLD}.value.severity\n  user_labels           = var.labels\n\n  alert_strategy {{\n    auto_close = "604800s"'
)
_MATCH = (
    f"{_TOLD}.value.severity\n  user_labels           = var.labels\n\n  alert_strategy {{\n"
    '    auto_close = "${var.alerts.auto_close_minutes * 60}s"\n\n'
)
_SOMEBODY = "can(regex(local._somebody, member))])\n"
_APPROVERS = '    error_message = "Each of approvers'
_OPERATORS = '    error_message = "Each of operators'
_VALIDATION = ("bounds", "validation")
MUTATIONS = [
    *_of(
        "findings.tf",
        ("inactive findings", '"state = \\"ACTIVE\\"", ', ""),
        ("other classes", '"finding_class = \\"THREAT\\"", ', ""),
        ("muted findings", ', "-mute = \\"MUTED\\""', ""),
        ("only muted findings", '"-mute', '"mute'),
        ("filter without parentheses", '["(${var.additional_filter})"]', "[var.additional_filter]"),
        ("organisation instead of folder", 'count = local.scope == "organization"', 'count = local.scope != "project"'),
        ("another filter is expected", "filter       = local.filter", 'filter       = "true"'),
        ("another config is expected", "notificationConfigs/${var.name}", "notificationConfigs/other"),
        ("folder never", 'count = local.scope == "folder"', 'count = local.scope == "none"'),
        ("other location", "location     = var.scc_location\n  organization", 'location     = "eu"\n  organization'),
        (
            "findings to outcomes",
            f"{_FOLDER}{_TOPIC.format('findings')}",
            f"{_FOLDER}{_TOPIC.format('outcomes')}",
        ),
    ),
    *_of(
        "pubsub.tf",
        (
            "dead letters into the loop",
            f"dead_letter_topic     = {_TOPIC.format('dead-letters')}",
            f"dead_letter_topic     = {_TOPIC.format('findings')}",
        ),
        (
            "dead letters unread",
            f"topic                      = {_TOPIC.format('dead-letters')}",
            f"topic                      = {_TOPIC.format('outcomes')}",
        ),
        (
            "push of outcomes",
            f"topic                      = {_TOPIC.format('findings')}",
            f"topic                      = {_TOPIC.format('outcomes')}",
        ),
        ("deadline of the timeout", "var.limits.timeout_seconds + 30", "var.limits.timeout_seconds"),
        ("expiring push", 'ttl = "" # never', 'ttl = "2678400s" # never'),
        ("expiring dead letters", 'ttl = ""\n', 'ttl = "2678400s"\n'),
        ("outcomes forgotten in an hour", '"${7 * 86400}s"', '"3600s"'),
        (
            "findings for all who read outcomes",
            "google_pubsub_subscription.outcomes[each.value.name].name",
            "google_pubsub_subscription.push.name",
        ),
        (
            "other audience",
            "audience              = google_cloudfunctions2_function.responder.service_config[0].uri",
            'audience              = "https://example.com"',
        ),
        (
            "other endpoint",
            "push_endpoint = google_cloudfunctions2_function.responder.service_config[0].uri",
            'push_endpoint = "https://example.com"',
        ),
        ("called as the runtime", 'responder["push"].email', 'responder["run"].email'),
        ("no back-off", '"${var.retry.minimum_backoff_seconds}s"', '"0s"'),
        ("no retries to speak of", "max_delivery_attempts = var.retry", "max_delivery_attempts = 5 # var.retry"),
        (
            "short memory",
            'message_retention_duration = local._retention\n  name                       = "${var.name}-push"',
            'message_retention_duration = "600s"\n  name                       = "${var.name}-push"',
        ),
        (
            "dead letters forgotten",
            "message_retention_duration = local._longest",
            "message_retention_duration = local._retention",
        ),
        (
            "everybody publishes",
            'notifier  = "serviceAccount:${local.notifier}"',
            'notifier  = "allAuthenticatedUsers"',
        ),
        (
            "runtime publishes findings",
            'google_service_account.responder["redrive"].member\n  }\n}',
            'google_service_account.responder["run"].member\n  }\n}',
        ),
        (
            "publishers may do more",
            'role    = "roles/pubsub.publisher"\n  topic   = google_pubsub_topic.responder["findings"].name',
            'role    = "roles/pubsub.editor"\n  topic   = google_pubsub_topic.responder["findings"].name',
        ),
        (
            "dead letters not forwarded",
            "member  = local._pubsub_agent",
            'member  = google_service_account.responder["run"].member',
        ),
        (
            "dead letters not taken off",
            "subscription = google_pubsub_subscription.push.name",
            "subscription = google_pubsub_subscription.dead_letters.name",
        ),
        (
            "redrive reads findings",
            "subscription = google_pubsub_subscription.dead_letters.name",
            "subscription = google_pubsub_subscription.push.name",
        ),
        (
            "other regions",
            "allowed_persistence_regions = [var.region]",
            'allowed_persistence_regions = ["us-central1"]',
        ),
        (
            "topics without the key",
            "kms_key_name               = var.kms_key_names.pubsub",
            "kms_key_name               = null",
        ),
    ),
    *_of(
        "function.tf",
        ("another secret is mounted", "secret_volumes.value)[3]", "secret_volumes.value)[1]"),
        ("an address stands elsewhere", 'path    = "address"', 'path    = "secret"'),
        ("addresses are nowhere", "length(var.notice_secrets) == 0 ?", "length(var.notice_secrets) >= 0 ?"),
        ("a folder without addresses", "length(var.notice_secrets) == 0 ?", "length(var.notice_secrets) == 9 ?"),
        ("open ingress", "= var.ingress", '= "ALLOW_ALL"'),
        ("threads of their own", "tostring(var.concurrency)", '"4"'),
        (
            "concurrency of its own",
            "max_instance_request_concurrency = var.concurrency",
            "max_instance_request_concurrency = 80",
        ),
        (
            "another store",
            '"firestore://${var.project_id}/${google_firestore_database.journal.name}"',
            '"firestore://${var.project_id}/(default)"',
        ),
        ("another location", "= var.scc_location", '= "global"'),
        ("any cluster", 'join(",", sort(var.clusters))', '"projects/*/locations/*/clusters/*"'),
        (
            "runs as the builder",
            'service_account_email            = google_service_account.responder["run"].email',
            'service_account_email            = google_service_account.responder["build"].email',
        ),
        (
            "builds as the runtime",
            'google_service_account.responder["build"].id',
            'google_service_account.responder["run"].id',
        ),
        ("calls for everybody", 'member   = google_service_account.responder["push"].member', 'member   = "allUsers"'),
        (
            "callers may do more",
            f'{_SAYS_SO}"roles/run.invoker"',
            f'{_SAYS_SO}"roles/run.admin"',
        ),
        ("one name for every zip", '"${var.bundle.sha256}.zip"', '"bundle.zip"'),
        ("public source", 'public_access_prevention    = "enforced"', 'public_access_prevention    = "inherited"'),
        ("approval without approvers", "length(var.approvers) == 0 &&", "length(var.approvers) == -1 &&"),
        ("another image in pods", "SCC_RESPONDER_COLLECTOR = var.collector_image", 'SCC_RESPONDER_COLLECTOR = "web:1"'),
        ("gateway without permissions", "tostring(var.connect_gateway)", '"true"'),
        ("all traffic by the connector", '"PRIVATE_RANGES_ONLY"', '"ALL_TRAFFIC"'),
    ),
    *_of(
        "function.tf",
        (
            "a zip that was not tested",
            "filesha256(var.bundle.path) == var.bundle.sha256",
            "var.bundle.path != var.bundle.sha256",
        ),
        tests=("checks",),
    ),
    *_of("project.tf", ("gateway's API is off", "var.connect_gateway ?", "!var.connect_gateway ?")),
    *_of(
        "signing.tf",
        ("a role where it holds nothing", "== var.project_id", "!= var.project_id"),
        ("everybody signs", 'member        = google_service_account.responder["run"].member', 'member = "allUsers"'),
        ("a key that encrypts", '"ASYMMETRIC_SIGN"', '"ASYMMETRIC_DECRYPT"'),
        ("another algorithm", '"EC_SIGN_P256_SHA256"', '"RSA_SIGN_PSS_2048_SHA256"'),
        tests=("privilege",),
    ),
    *_of(
        "console.tf",
        ("the console writes", '"datastore.entities.list"]', '"datastore.entities.list", "datastore.entities.update"]'),
        ("the console reads any database", "expression = local._journal_only", 'expression = "true"'),
        ("the console is admin of the function", '"roles/run.invoker"', '"roles/run.admin"'),
        (
            "everybody calls for the console",
            "  location = var.region\n  member   = local._console_member",
            '  location = var.region\n  member   = "allUsers"',
        ),
        ("another console's assertions", 'services/${local._console_name}"', 'services/other"'),
        tests=("privilege",),
    ),
    *_of(
        "function.tf",
        ("another hands on", "SCC_RESPONDER_CONSOLE = local._console,", 'SCC_RESPONDER_CONSOLE = "eve@example.com",'),
        ("any assertion", ", SCC_RESPONDER_IAP_AUDIENCE = local._iap_audience }", " }"),
        tests=("privilege",),
    ),
    *_of(
        "collector.tf",
        ("every log left out", ' AND resource.labels.container_name=~\\"^scc-responder-\\"', ""),
        ("left out unasked", 'var.collector_image != "" && var', "var"),
        ("left out in spite of it", " && var.exclude_collector_logs ?", " ?"),
        ("nodes write the collector", '"roles/artifactregistry.reader"', '"roles/artifactregistry.writer"'),
        ("everybody reads the collector", "member     = each.value", 'member     = "allUsers"'),
        (
            "nodes read the function's image",
            "\n  repository = local._collector.repository",
            "\n  repository = google_artifact_registry_repository.images.repository_id",
        ),
        ("the collector under no key", "kms_key_name  = var.kms_key_names.function", "kms_key_name  = null"),
        ("left out in our own project", "project     = each.value", "project     = var.project_id"),
        tests=("privilege",),
    ),
    *_of(
        "permissions.tf",
        ("secrets may be changed", "roles/secretmanager.secretAccessor", "roles/secretmanager.secretVersionManager"),
        ("gateway for everybody", "= var.connect_gateway\n", "= true\n"),
        ("signing for everybody", "= local._grants_signing\n", "= true\n"),
        ("contacts for everybody", "= var.essential_contacts\n", "= true\n"),
        ("external systems for everybody", "= var.external_system\n", "= true\n"),
        ("sinks for everybody", '= var.collector_image != ""\n', "= true\n"),
        (
            "clusters everywhere",
            'if contains(["contacts", "findings"], place) || (contains(["clusters", "logs"], place)',
            'if true || (contains(["clusters", "logs"], place)',
        ),
        ("any project as one", 'contains(local._projects, "*") ? toset([]) : local._projects', "local._projects"),
        (
            "a known role",
            'role   = local._roles[each.key]\n}\n\nresource "google_folder',
            'role   = "roles/container.admin"\n}\n\nresource "google_folder',
        ),
        (
            "folder's roles in the organisation",
            'resource "google_organization_iam_member" "run" {\n  for_each = local.scope == "organization"',
            'resource "google_organization_iam_member" "run" {\n  for_each = local.scope != "project"',
        ),
        (
            "every database",
            f'= "{_JOURNAL}"',
            '= "resource.name != \\"\\""',
        ),
        (
            "evidence can be read",
            'role   = google_project_iam_custom_role.own["evidence"].name',
            'role   = "roles/storage.objectAdmin"',
        ),
        ("outcomes anywhere", f"topic   = {_TOPIC.format('outcomes')}", f"topic   = {_TOPIC.format('dead-letters')}"),
        (
            "more in the role",
            "permissions = each.value\n  project     = var.project_id",
            'permissions = concat(each.value, ["iam.serviceAccounts.actAs"])\n  project     = var.project_id',
        ),
        (
            "builder reaches clusters",
            'member  = google_service_account.responder["run"].member\n  project = each.value',
            'member  = google_service_account.responder["build"].member\n  project = each.value',
        ),
    ),
    *_of(
        "identities.tf",
        ("builder writes anywhere", '"roles/storage.objectViewer"\n}', '"roles/storage.admin"\n}'),
        ("builder reads any bucket", "gcf-v2-sources-${data.google_project.responder.number}-${var.region}", ""),
        ("builder administers images", '"roles/artifactregistry.writer"', '"roles/artifactregistry.admin"'),
        ("builder edits the project", '"roles/logging.logWriter"', '"roles/editor"'),
    ),
    *_of(
        "permissions.tf",
        ("instances counted unasked", "= var.cloud_monitoring &&", "= true ||"),
        ("Cloud Run read unasked", "= length(var.cloud_run_projects) > 0\n", "= true\n"),
        tests=("privilege",),
    ),
    *_of(
        "run_writer.tf",
        ("everybody changes Cloud Run", "google_service_account.run_writer[0].member", '"allUsers"'),
        (
            "the runtime changes Cloud Run",
            "google_service_account.run_writer[0].member",
            'google_service_account.responder["run"].member',
        ),
        (
            "others act as the writer",
            'google_service_account.responder["run"].member',
            'google_service_account.responder["push"].member',
        ),
        ("the writer's account is owned", '"roles/iam.serviceAccountTokenCreator"', '"roles/iam.serviceAccountAdmin"'),
        (
            "acting as the runtime",
            "service_account_id = google_service_account.run_writer[0].name",
            'service_account_id = google_service_account.responder["run"].name',
        ),
        ("a writer nobody asked for", "_writes_run = length(var.cloud_run_writes) > 0", "_writes_run = true"),
        ("changed where it is read", "? var.cloud_run_writes :", "? var.cloud_run_projects :"),
        tests=("privilege",),
    ),
    *_of(
        "undo.tf",
        ("everybody takes changes back", "member             = each.value", 'member             = "allUsers"'),
        (
            "the runtime takes changes back",
            "member             = each.value",
            'member             = google_service_account.responder["run"].member',
        ),
        (
            "undoing as the runtime",
            "service_account_id = google_service_account.undo[0].name",
            'service_account_id = google_service_account.responder["run"].name',
        ),
        ("undo nobody asked for", "length(var.undo_operators) > 0 ||", "true ||"),
        ("the service undoes as the writer", '"CLUSTERS", "COLLECTOR"', '"CLUSTERS", "RUN_WRITER", "COLLECTOR"'),
        ("the service takes the function's tokens", "AUDIENCE = local._undo_address", "AUDIENCE = local._address"),
        ("the journal of an undo nobody asked for", "count = local._console_undoes &&", "count = local._undoes &&"),
        ("taken back where it is read", "? var.cloud_run_writes :", "? var.cloud_run_projects :"),
        tests=("privilege",),
    ),
    *_of(
        "operators.tf",
        (
            "operators act as the runtime",
            'service_account_id = google_service_account.responder["redrive"].name',
            'service_account_id = google_service_account.responder["run"].name',
        ),
        ("operators own the identity", '"roles/iam.serviceAccountTokenCreator"', '"roles/iam.serviceAccountAdmin"'),
        (
            "operators delete cases",
            '"datastore.entities.update"]',
            '"datastore.entities.update", "datastore.entities.delete"]',
        ),
        ("operators cannot write", ', "datastore.entities.update"]', "]"),
        ("operators read every database", "expression = local._journal_only", "expression = \"resource.name != ''\""),
        ("operators take findings", '"pubsub.subscriptions.update"]', '"pubsub.subscriptions.consume"]'),
        (
            "operators pause the dead letters",
            "subscription = google_pubsub_subscription.push.name",
            "subscription = google_pubsub_subscription.dead_letters.name",
        ),
        (
            "operators make jobs",
            '["cloudscheduler.jobs.run"]',
            '["cloudscheduler.jobs.run", "cloudscheduler.jobs.create"]',
        ),
        (
            "operators cannot resume",
            'service_account_id = google_service_account.responder["push"].name',
            'service_account_id = google_service_account.responder["scheduler"].name',
        ),
        (
            "operators sign as the push identity",
            '"roles/iam.serviceAccountUser"',
            '"roles/iam.serviceAccountTokenCreator"',
        ),
        ("operators deploy", '["run.services.get"]', '["run.services.get", "run.services.update"]'),
        ("roles for nobody", "length(var.operators) == 0 ?", "length(var.operators) == -1 ?"),
        tests=("privilege",),
    ),
    *_of(
        "storage.tf",
        ("database can be deleted", '"DELETE_PROTECTION_ENABLED"', '"DELETE_PROTECTION_DISABLED"'),
        ("no way back", '"POINT_IN_TIME_RECOVERY_ENABLED"', '"POINT_IN_TIME_RECOVERY_DISABLED"'),
        ("nothing expires", 'each.key == "expires_at" ? [true] : []', "[]"),
        ("everything expires", 'each.key == "expires_at" ? [true] : []', "[true]"),
        (
            "unfinished cases not found",
            '["expires_at", "value", "write"]',
            '["expires_at", "unfinished", "value", "write"]',
        ),
        ("nothing found", '["expires_at", "value", "write"]', '["*", "expires_at", "value", "write"]'),
        ("public evidence", 'public_access_prevention    = "enforced"', 'public_access_prevention    = "inherited"'),
        ("access lists", "uniform_bucket_level_access = true", "uniform_bucket_level_access = false"),
        ("unlocked for good", "is_locked        = var.evidence.locked", "is_locked        = false"),
        ("retention in seconds", "var.evidence.retention_days * 86400", "var.evidence.retention_days"),
        (
            "evidence elsewhere",
            f"location                    = var.region{_EVIDENCE}",
            f'location                    = "US"{_EVIDENCE}',
        ),
        ("evidence without the key", "for_each = var.kms_key_names.storage[*]", "for_each = []"),
        ("journal without the key", "for_each = var.kms_key_names.firestore[*]", "for_each = []"),
    ),
    *_of(
        "keys.tf",
        ("more agents", '["gcp-sa-pubsub"]', '["gcp-sa-pubsub", "compute-system"]'),
        ("keys administered", '"roles/cloudkms.cryptoKeyEncrypterDecrypter"', '"roles/cloudkms.admin"'),
    ),
    *_of(
        "heartbeat.tf",
        ("published by the runtime", 'responder["scheduler"].email', 'responder["run"].email'),
        ("a finding that may exist", "/findings/sccresponderheartbeat", "/findings/f1"),
        ("an active finding", '"INACTIVE"', '"ACTIVE"'),
        ("never", '"*/${var.heartbeat_minutes} * * * *"', '"0 0 1 1 *"'),
    ),
    *_of(
        "sweep.tf",
        ("swept by the runtime", 'responder["sweep"].email', 'responder["run"].email'),
        ("swept nowhere", "].uri}/sweep", "].uri}/"),
        ("a token for another", "= local._address #", '= "https://example.com" #'),
        ("anybody sweeps", 'member   = google_service_account.responder["sweep"].member', 'member   = "allUsers"'),
        ("swept once a year", '"*/5 * * * *"', '"0 0 1 1 *"'),
        ("looked at once a year", '"* * * * *"', '"0 0 1 1 *"'),
        ("looked at nowhere", "].uri}/look", "].uri}/"),
        ("never looked at", "length(var.looks) == 0", "length(var.looks) >= 0"),
    ),
    *_of(
        "alerts.tf",
        ("dead letters whisper", 'filter   = "${local._dead_letters} AND', 'filter   = "${local._push} AND'),
        (
            "nobody is told",
            f"notification_channels = var.alert_channels{_TOLD}",
            f"notification_channels = []{_TOLD}",
        ),
        ("idle instances alarm", ' AND metric.labels.state=\\"active\\""', '"'),
        (
            "saturated for a moment",
            "over     = var.limits.max_instances - 1",
            "over     = 0",
        ),
        ("silence for long", "3 * var.heartbeat_minutes * 60", "30 * var.heartbeat_minutes * 60"),
    ),
    *_of(
        "checks.tf",
        (
            "no word of unlocked evidence",
            "condition     = var.evidence.locked",
            "condition     = var.evidence.retention_days > 0",
        ),
        ("no word of silence", "length(var.alert_channels) > 0", "length(var.alert_channels) >= 0"),
        ("no word of wide access", "length(local.cluster_projects) > 0 ||", "length(local.cluster_projects) >= 0 ||"),
        (
            "no word of services held",
            "alltrue([for service in var.services :",
            "anytrue([for service in var.services :",
        ),
        ("no word of the internet", 'var.ingress != "ALLOW_ALL"', 'var.ingress != ""'),
        tests=("checks",),
    ),
    *_of(
        "variables.tf",
        ("half a segment", "clusters/([*]|[a-z0-9][a-z0-9.:-]*)$", "clusters/[a-z0-9.:*-]*$"),
        (
            "clusters of other projects",
            'contains(["*", coalesce(var.scope.project, "-")],',
            'contains(["*", try(split("/", cluster)[1], "")],',
        ),
        (
            "any source",
            '[for id in var.source_ids : can(regex("^[0-9]{1,20}$", id))]',
            '[for id in var.source_ids : can(regex("^[0-9*]{1,20}$", id))]',
        ),
        ("Cloud Run by number", '"^[a-z][a-z0-9-]{4,28}[a-z0-9]$", project))])', '"^[a-z0-9-]+$", project))])'),
        ("Cloud Run out of scope", ': project == coalesce(var.scope.project, "-")])', ': project != ""])'),
        (
            "changed unread",
            "length(setsubtract(var.cloud_run_writes, var.cloud_run_projects)) == 0",
            "length(var.cloud_run_writes) >= 0",
        ),
        (
            "the responder changed",
            "contains(var.cloud_run_writes, var.project_id)",
            "contains(var.cloud_run_writes, var.region)",
        ),
        ("everybody operates", f"{_SOMEBODY}{_OPERATORS}", f'can(regex(".", member))])\n{_OPERATORS}'),
        ("over the lease", "var.limits.timeout_seconds < 120", "var.limits.timeout_seconds <= 540"),
        ("any digest", "^[0-9a-f]{64}$", ".*"),
        ("any address", "[^@*:/\\\\s]+@[a-z0-9-]+([.][a-z0-9-]+)+", ".+"),
        ("whole pools", "principal(Set)?://iam[.]googleapis[.]com/[^*\\\\s]+)$", "principal(Set)?:.+)$"),
        ("projects by number", "^projects/[0-9]+/", "^projects/-[0-9]+/"),
        ("keys of any region", 'try(split("/", key)[3], "") == var.region', 'try(split("/", key)[3], "") != ""'),
        ("connectors of any region", 'try(split("/", var.vpc_connector)[3] == var.region, true)', "true"),
        ("any label", "[\\\\p{Ll}\\\\p{Lo}][\\\\p{Ll}\\\\p{Lo}\\\\p{N}_-]{0,62}$", ".*$"),
        ("any value of a label", '"^[\\\\p{Ll}\\\\p{Lo}\\\\p{N}_-]{0,63}$"', '".*"'),
        ("any number of labels", "length(var.labels) <= 64", "length(var.labels) <= 65"),
        ("any cpu", "^(0[.](0[89]|[1-9])[0-9]{0,2}|1|2|4|6|8)$", "."),
        ("any memory", " * local._mebibytes[parts[1]] >= 128])", " > 0])"),
        ("memory beyond one CPU", "[0, 4096]", "[0, 8192]"),
        ("too little memory for four CPUs", "[2048, 16384]", "[0, 16384]"),
        ("memory beyond half a CPU", "? 512 : 1024", "? 512 : 4096"),
        ("half an instance", " && floor(var.limits.max_instances) == var.limits.max_instances", ""),
        ("half an idle instance", " && floor(var.limits.min_instances) == var.limits.min_instances", ""),
        ("half a second", " && floor(var.limits.timeout_seconds) == var.limits.timeout_seconds", ""),
        ("half an attempt", " && floor(var.retry.max_delivery_attempts) == var.retry.max_delivery_attempts", ""),
        (
            "half a second of back-off",
            " && floor(var.retry.minimum_backoff_seconds) == var.retry.minimum_backoff_seconds",
            "",
        ),
        (
            "half a second of back-off at most",
            " && floor(var.retry.maximum_backoff_seconds) == var.retry.maximum_backoff_seconds",
            "",
        ),
        ("half a day of messages", " && floor(var.message_retention_days) == var.message_retention_days", ""),
        ("half a day of evidence", " && floor(var.evidence.retention_days) == var.evidence.retention_days", ""),
        tests=_VALIDATION,
    ),
    *_of(
        "findings.tf",
        ("project never", 'count = local.scope == "project"', 'count = local.scope == "none"'),
        (
            "findings of another project",
            "project      = var.scope.project",
            'project      = "another-project"',
        ),
        ("findings of another folder", "folder       = var.scope.folder", 'folder       = "999"'),
        ("findings of another organisation", "organization = var.scope.organization", 'organization = "999"'),
    ),
    *_of(
        "pubsub.tf",
        (
            "heartbeat by the runtime",
            'heartbeat = google_service_account.responder["scheduler"].member',
            'heartbeat = google_service_account.responder["run"].member',
        ),
        ("another agent", "@gcp-sa-pubsub.iam", "@compute-system.iam"),
        (
            "dead letters published among findings",
            f"topic   = {_TOPIC.format('dead-letters')}.name",
            f"topic   = {_TOPIC.format('findings')}.name",
        ),
        (
            "the agent may do more with dead letters",
            f'role    = "roles/pubsub.publisher"\n  topic   = {_TOPIC.format("dead-letters")}',
            f'role    = "roles/pubsub.admin"\n  topic   = {_TOPIC.format("dead-letters")}',
        ),
        (
            "the agent may do more with the push",
            'role         = "roles/pubsub.subscriber"\n  subscription = google_pubsub_subscription.push',
            'role         = "roles/pubsub.editor"\n  subscription = google_pubsub_subscription.push',
        ),
        (
            "redrive may do more",
            'role         = "roles/pubsub.subscriber"\n  subscription = google_pubsub_subscription.dead_letters',
            'role         = "roles/pubsub.editor"\n  subscription = google_pubsub_subscription.dead_letters',
        ),
        ("no seek", 'each.key == "findings" ? local._retention : null', "null"),
        (
            "no back-off to speak of",
            '"${var.retry.maximum_backoff_seconds}s"',
            '"${var.retry.minimum_backoff_seconds}s"',
        ),
    ),
    *_of(
        "function.tf",
        ("every source", 'join(",", sort(var.source_ids))', '""'),
        (
            "the pushing one sweeps",
            'SCC_RESPONDER_SWEEPER             = google_service_account.responder["sweep"].email',
            'SCC_RESPONDER_SWEEPER             = google_service_account.responder["push"].email',
        ),
        (
            "evidence among the sources",
            '"gs://${google_storage_bucket.evidence.name}/cases"',
            '"gs://${google_storage_bucket.source.name}/cases"',
        ),
        (
            "outcomes among the findings",
            f"SCC_RESPONDER_OUTCOME_TOPIC       = {_TOPIC.format('outcomes')}",
            f"SCC_RESPONDER_OUTCOME_TOPIC       = {_TOPIC.format('findings')}",
        ),
        (
            "approvals for another",
            "SCC_RESPONDER_APPROVAL_AUDIENCE = local._address",
            'SCC_RESPONDER_APPROVAL_AUDIENCE = "https://example.com"',
        ),
        ("access lists of the source", "uniform_bucket_level_access = true", "uniform_bucket_level_access = false"),
        ("source without the key", "for_each = var.kms_key_names.storage[*]", "for_each = []"),
        (
            "images without the key",
            "kms_key_name  = var.kms_key_names.function",
            "kms_key_name  = null",
        ),
        ("function without the key", "kms_key_name = var.kms_key_names.function", "kms_key_name = null"),
        ("images of elsewhere", "docker_repository = google_artifact_registry_repository.images.id", ""),
        ("an older revision", "all_traffic_on_latest_revision   = true", "all_traffic_on_latest_revision   = false"),
        ("another entry point", '"respond"', '"main"'),
        (
            "longer than the lease",
            "timeout_seconds                  = var.limits.timeout_seconds",
            "timeout_seconds                  = 540",
        ),
        (
            "more instances than limited",
            "max_instance_count               = var.limits.max_instances",
            "max_instance_count               = 1000",
        ),
        (
            "everybody approves",
            "member   = each.value",
            'member   = "allAuthenticatedUsers"',
        ),
        (
            "approvers may do more",
            (
                "member   = each.value\n  name     = google_cloudfunctions2_function.responder.name\n"
                '  project  = var.project_id\n  role     = "roles/run.invoker"'
            ),
            (
                "member   = each.value\n  name     = google_cloudfunctions2_function.responder.name\n"
                '  project  = var.project_id\n  role     = "roles/run.developer"'
            ),
        ),
    ),
    *_of(
        "permissions.tf",
        (
            "the store for the taking",
            'role    = google_project_iam_custom_role.own["store"].name',
            'role    = "roles/datastore.owner"',
        ),
        (
            "any topic",
            'role    = google_project_iam_custom_role.own["outcomes"].name',
            'role    = "roles/pubsub.editor"',
        ),
        (
            "evidence in another bucket",
            "bucket = google_storage_bucket.evidence.name",
            "bucket = google_storage_bucket.source.name",
        ),
        (
            "the folder's organisation",
            'folder = "folders/${var.scope.folder}"',
            'folder = "folders/999"',
        ),
        (
            "clusters by a known role",
            'role    = local._roles["clusters"]',
            'role    = "roles/container.developer"',
        ),
        (
            "more in the role at the scope",
            "permissions = each.value\n  role_id",
            'permissions = concat(each.value, ["container.pods.delete"])\n  role_id',
        ),
        (
            "more in the project's role",
            "permissions = each.value\n  project     = var.scope.project",
            'permissions = concat(each.value, ["container.pods.delete"])\n  project     = var.scope.project',
        ),
    ),
    *_of(
        "identities.tf",
        (
            "the runtime writes images",
            'member     = google_service_account.responder["build"].member',
            'member     = google_service_account.responder["run"].member',
        ),
        (
            "builder reads the evidence",
            "bucket = local._bundle_bucket",
            "bucket = google_storage_bucket.evidence.name",
        ),
        (
            "the runtime reads the sources",
            'member = google_service_account.responder["build"].member',
            'member = google_service_account.responder["run"].member',
        ),
    ),
    *_of(
        "storage.tf",
        (
            "journal elsewhere",
            "location_id                       = var.region",
            'location_id                       = "nam5"',
        ),
        ("the default database", '"${var.name}-journal"', '"(default)"'),
        ("another collection", 'collection = "scc-responder"', 'collection = "cases"'),
        ("values are indexed", 'toset(["expires_at", "value", "write"])', 'toset(["expires_at"])'),
        (
            "evidence is emptied",
            'public_access_prevention    = "enforced"',
            'force_destroy = true\n  public_access_prevention    = "enforced"',
        ),
    ),
    *_of(
        "keys.tf",
        ("evidence cannot be encrypted", 'storage   = ["gs-project-accounts"]', "storage   = []"),
        (
            "everybody uses the keys",
            '"serviceAccount:service-${data.google_project.responder.number}@${each.value.agent}.iam.gserviceaccount.com"',
            '"allAuthenticatedUsers"',
        ),
    ),
    *_of(
        "heartbeat.tf",
        ("a token for everything", "auth/pubsub", "auth/cloud-platform"),
        (
            "heartbeats among the outcomes",
            '${google_pubsub_topic.responder["findings"].id}',
            '${google_pubsub_topic.responder["outcomes"].id}',
        ),
    ),
    *_of(
        "sweep.tf",
        ("sweepers may do more", 'role     = "roles/run.invoker"', 'role     = "roles/run.admin"'),
        ("asked, not told", 'http_method = "POST"', 'http_method = "GET"'),
    ),
    *_of(
        "project.tf",
        ("gone with the module", "disable_on_destroy = false", "disable_on_destroy = true"),
    ),
    *_of(
        "alerts.tf",
        ("plans whisper", "${local.metric_types.waiting}", "${local.metric_types.deliveries}"),
        ("severe holds whisper", "${local.metric_types.held_severe}", "${local.metric_types.held}"),
        ("a lowered switch whispers", "${local.metric_types.control_lowered}", "${local.metric_types.control_unset}"),
        ("any sign of a sweep", "local.metric_types.sweeps", "local.metric_types.deliveries"),
        ("incidents that stay open", "${var.alerts.auto_close_minutes * 60}s", "604800s"),
        ("a silence that ends itself", '"604800s" # a silence', '"1800s" # a silence'),
        ("failures whisper", "${local.metric_types.failed}", "${local.metric_types.deliveries}"),
        ("lost clusters whisper", "${local.metric_types.access_lost}", "${local.metric_types.deliveries}"),
        ("an unset switch whispers", "${local.metric_types.control_unset}", "${local.metric_types.deliveries}"),
        ("held findings whisper", "${local.metric_types.held}", "${local.metric_types.deliveries}"),
        ("an hour's wait", "over     = 300", "over     = 3600"),
        (
            "nobody is told of silence",
            f"notification_channels = var.alert_channels{_SILENCE}",
            f"notification_channels = []{_SILENCE}",
        ),
        (
            "nobody is told of a case",
            f"notification_channels = var.alert_channels{_MATCH}",
            f"notification_channels = []{_MATCH}",
        ),
        ("any sign of life", "local.metric_types.heartbeats", "local.metric_types.deliveries"),
    ),
    *_of(
        "checks.tf",
        ("no word of cold starts", "var.limits.min_instances > 0", "var.limits.min_instances >= 0"),
        ("no word of a shared project", "!contains(local.cluster_projects, var.project_id)", "var.project_id != null"),
        tests=("checks",),
    ),
    *_of(
        "variables.tf",
        ("open by default", 'default     = "ALLOW_INTERNAL_ONLY"', 'default     = "ALLOW_ALL"'),
        ("kept for a day", "optional(number, 365)", "optional(number, 1)"),
    ),
    *_of(
        "variables.tf",
        ("everybody approves by name", f"{_SOMEBODY}{_APPROVERS}", f'can(regex(".", member))])\n{_APPROVERS}'),
        (
            "any ingress",
            'contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"], var.ingress)',
            'var.ingress != ""',
        ),
        ("no clusters", "length(var.clusters) > 0", "length(var.clusters) >= 0"),
        ("no sources", "length(var.source_ids) > 0", "length(var.source_ids) >= 0"),
        ("no retention", "var.evidence.retention_days >= 1", "var.evidence.retention_days >= 0"),
        (
            "any key",
            'key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", key))',
            'key == null || key != ""',
        ),
        (
            "two scopes",
            "(var.scope.project == null) != (var.scope.organization == null)",
            "var.scope.project != null || var.scope.organization != null",
        ),
        ("any project", 'can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))', 'var.project_id != ""'),
        ("any region", 'can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))', 'var.region != ""'),
        ("any channel", 'can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))', 'channel != ""'),
        ("any location", 'contains(["eu", "global", "sa", "us"], var.scc_location)', 'var.scc_location != ""'),
        ("dead letters at once", "var.retry.max_delivery_attempts >= 5", "var.retry.max_delivery_attempts >= 1"),
        ("any back-off", "var.retry.minimum_backoff_seconds >= 1", "var.retry.minimum_backoff_seconds >= 0"),
        ("forgotten at once", "var.message_retention_days >= 1", "var.message_retention_days >= 0"),
        tests=_VALIDATION,
    ),
]
