"""Who may do what: every grant that the module makes, and the table of those that it is to make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.terraform.checking import State

Grant = tuple[str, str, str]
"""(what on, role, member). A grant with a condition names it after the role."""

PUBSUB = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
_TARGETS = {
    "google_artifact_registry_repository_iam_member": ("repository", "repository"),
    "google_cloud_run_v2_service_iam_member": ("service", "name"),
    "google_folder_iam_member": ("folder", "folder"),
    "google_kms_crypto_key_iam_member": ("key", "crypto_key_id"),
    "google_organization_iam_member": ("organization", "org_id"),
    "google_project_iam_member": ("project", "project"),
    "google_pubsub_subscription_iam_member": ("subscription", "subscription"),
    "google_pubsub_topic_iam_member": ("topic", "topic"),
    "google_service_account_iam_member": ("identity", "service_account_id"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}


def grants(state: State) -> set[Grant]:
    """Every grant in a state."""
    found = {}
    for address, values in state.items():
        kind = address.partition(".")[0]
        if re.search(r"_iam_member$", kind):
            name, field = _TARGETS[kind]
            found[address] = (f"{name}/{values[field].rpartition('/')[2]}", _role(values), values["member"])
    assert len(set(found.values())) == len(found), "the same grant is made twice"
    return set(found.values())


def _role(values: Mapping[str, Any]) -> str:
    conditions = [condition["expression"] for condition in values.get("condition") or ()]
    return " if ".join([values["role"], *conditions])


def members(state: State, *identities: str) -> set[str]:
    """The module's own identities as IAM members."""
    return {state[f'google_service_account.responder["{name}"]']["member"] for name in identities}


def expected_grants(state: State) -> set[Grant]:
    """The grants that are to be there, in the scope and with the keys and operators of this state."""
    scopes = {
        "organization": ("organization/123", "organizations/123"),
        "folder": ("folder/456", "organizations/123"),
        "project": ("project/shop-prod", "projects/example-project"),
    }
    (scope,) = {name for name in scopes if f"google_scc_v2_{name}_notification_config.responder[0]" in state}
    target, owner = scopes[scope]
    run, build, push, redrive, scheduler, sweep = (
        next(iter(members(state, name))) for name in ("run", "build", "push", "redrive", "scheduler", "sweep")
    )
    notifier = "123456789012" if scope == "project" else "org-123"
    own = "projects/example-project/roles/scc_responder"
    clusters = sorted(_cluster_projects(state)) or [target]
    database, sources = "example-project/databases/scc-responder-journal", "gcf-v2-sources-123456789012-europe-west1"
    uploaded = "google_storage_bucket_object.bundle[0]" in state
    zips = "example-project-scc-responder-source" if uploaded else "example-zips"
    return {
        # What responding takes.
        (target, f"{owner}/roles/scc_responder_findings", run),
        *((where, f"{owner}/roles/scc_responder_contacts", run) for where in _contacts(state, target)),
        *((where, f"{owner}/roles/scc_responder_clusters", run) for where in clusters),
        *((where, f"{owner}/roles/scc_responder_logs", run) for where in _logs(state, clusters)),
        ("project/example-project", f'{own}_store if resource.name == "projects/{database}"', run),
        ("bucket/example-project-scc-responder-evidence", f"{own}_evidence", run),
        ("topic/scc-responder-outcomes", f"{own}_outcomes", run),
        # What brings findings here, and keeps those that cannot be handled.
        (
            "topic/scc-responder-findings",
            "roles/pubsub.publisher",
            f"serviceAccount:service-{notifier}@gcp-sa-scc-notification.iam.gserviceaccount.com",
        ),
        ("topic/scc-responder-findings", "roles/pubsub.publisher", scheduler),
        ("topic/scc-responder-findings", "roles/pubsub.publisher", redrive),
        ("topic/scc-responder-dead-letters", "roles/pubsub.publisher", PUBSUB),
        ("subscription/scc-responder-push", "roles/pubsub.subscriber", PUBSUB),
        ("subscription/scc-responder-dead-letters", "roles/pubsub.subscriber", redrive),
        ("service/scc-responder", "roles/run.invoker", push),
        ("service/scc-responder", "roles/run.invoker", sweep),
        # What building the image takes.
        ("repository/scc-responder-images", "roles/artifactregistry.writer", build),
        (f"bucket/{zips}", "roles/storage.objectViewer", build),
        ("project/example-project", "roles/logging.logWriter", build),
        (
            "project/example-project",
            f'roles/storage.objectViewer if resource.name.startsWith("projects/_/buckets/{sources}")',
            build,
        ),
        *((where, f"{owner}/roles/scc_responder_run", run) for where in _run_projects(state)),
        *((where, f"{owner}/roles/scc_responder_metrics", run) for where in _metrics(state)),
        *_run_writer(state, run, owner),
        *_undo(state, clusters, owner),
        *_console(state, own, database),
        *_nodes(state),
        *_outcome_readers(state),
        *((where, f"{owner}/roles/scc_responder_images", run) for where in _image_repositories(state)),
        *((where, "roles/secretmanager.secretAccessor", run) for where in _notice_secrets(state)),
        *_people(state),
        *_keys(state),
        *((("key/evidence", f"{own}_signing", run),) if "google_kms_crypto_key_iam_member.signing[0]" in state else ()),
    }


def _nodes(state: State) -> set[Grant]:
    """Nodes on the repository of the collector's image, made or given, where they were given; on no other."""
    nodes = "serviceAccount:nodes@shop-prod.iam.gserviceaccount.com"
    if f'google_artifact_registry_repository_iam_member.collector["{nodes}"]' not in state:
        return set()
    made = "google_artifact_registry_repository.collector[0]" in state
    name = "scc-responder-collector" if made else "security"
    return {(f"repository/{name}", "roles/artifactregistry.reader", nodes)}


def _outcome_readers(state: State) -> set[Grant]:
    """Who reads what was done, each on the subscription that it was named for."""
    named = (one.partition(" ") for one in _told(state, "google_pubsub_subscription_iam_member.outcome_reader"))
    return {(f"subscription/scc-responder-outcomes-{name}", "roles/pubsub.subscriber", who) for name, _, who in named}


def _run_projects(state: State) -> set[str]:
    """The projects whose Cloud Run is read."""
    return {f"project/{name}" for name in _told(state, "google_project_iam_member.cloud_run")}


def _metrics(state: State) -> set[str]:
    """Where it is read and its instances are counted."""
    return _run_projects(state) if "SCC_RESPONDER_CLOUD_MONITORING" in _environment(state) else set()


def _contacts(state: State, target: str) -> set[str]:
    """Where contacts are read."""
    return {target} if "SCC_RESPONDER_ESSENTIAL_CONTACTS" in _environment(state) else set()


def _logs(state: State, clusters: Sequence[str]) -> set[str]:
    """Where logs are read: of clusters, and with the input for it of Cloud Run."""
    if not _has_role(state, "logs"):
        return set()
    of_run = _run_projects(state) if _environment(state)["SCC_RESPONDER_CLOUD_LOGGING"] == "true" else set()
    return {*clusters, *of_run}


def _run_writer(state: State, run: str, owner: str) -> set[Grant]:
    """Who changes Cloud Run: in the projects that were given for it, where there is anything to be changed."""
    account = state.get("google_service_account.run_writer[0]")
    if account is None:
        return set()
    writer, role = account["member"], f"{owner}/roles/scc_responder_run_writer"
    return {
        (f"identity/{account['email']}", "roles/iam.serviceAccountTokenCreator", run),
        *((f"project/{name}", role, writer) for name in _told(state, "google_project_iam_member.run_writer")),
    }


def _undo(state: State, clusters: Sequence[str], owner: str) -> set[Grant]:
    """Who takes changes back: where the responder reaches clusters, and where Cloud Run may be changed."""
    account = state.get("google_service_account.undo[0]")
    if account is None:
        return set()
    people = _told(state, "google_service_account_iam_member.undo")
    return {
        *((f"identity/{account['email']}", "roles/iam.serviceAccountTokenCreator", person) for person in people),
        *((where, f"{owner}/roles/scc_responder_clusters", account["member"]) for where in clusters),
        *(
            (f"project/{name}", f"{owner}/roles/scc_responder_run_writer", account["member"])
            for name in _told(state, "google_project_iam_member.undo_cloud_run")
        ),
        *_undo_service(state, account["member"], owner),
    }


def _undo_service(state: State, member: str, owner: str) -> set[Grant]:
    """What it takes where a service runs as it: the journal, and to read what is changed back on Cloud Run."""
    if "google_project_iam_member.undo_store[0]" not in state:
        return set()
    journal = 'resource.name == "projects/example-project/databases/scc-responder-journal"'
    reads = _told(state, "google_project_iam_member.undo_reads_cloud_run")
    return {
        ("project/example-project", f"projects/example-project/roles/scc_responder_store if {journal}", member),
        *((f"project/{name}", f"{owner}/roles/scc_responder_run", member) for name in reads),
    }


def _console(state: State, own: str, database: str) -> set[Grant]:
    """The console, where there is one: it reads the journal and calls the function, and no more."""
    account = state.get("google_service_account.console[0]")
    if account is None:
        return set()
    reads = f'{own}_console if resource.name == "projects/{database}"'
    return {
        ("project/example-project", reads, account["member"]),
        ("service/scc-responder", "roles/run.invoker", account["member"]),
    }


def _told(state: State, resource: str) -> set[str]:
    """The keys that a resource is made for: which they are to be, the module's own tests say."""
    return {key for address in state for key in re.findall(rf'^{re.escape(resource)}\["(.*)"\]$', address)}


def _has_role(state: State, name: str) -> bool:
    """Whether there is a role of this name: one that would hold nothing is not made."""
    return any(re.match(rf'google_\w+_iam_custom_role[.]reach\["{name}"\]', address) for address in state)


def _image_repositories(state: State) -> set[str]:
    """The repositories that the function is told of, where it may read any."""
    told = _environment(state).get("SCC_RESPONDER_IMAGE_REPOSITORIES", "")
    return {f"repository/{name.split('/')[5]}" for name in told.split(",") if name and _has_role(state, "images")}


def _notice_secrets(state: State) -> set[str]:
    """The secrets with addresses of receivers: which they are to be, the module's own tests say."""
    named = _told(state, "google_secret_manager_secret_iam_member.notices")
    return {f"secret/{name.split('/')[3]}" for name in named}


def _environment(state: State) -> dict[str, str]:
    (function,) = (
        values for address, values in state.items() if address.startswith("google_cloudfunctions2_function.")
    )
    found: dict[str, str] = function["service_config"][0]["environment_variables"]
    return found


def _cluster_projects(state: State) -> set[str]:
    patterns = _environment(state)["SCC_RESPONDER_CLUSTERS"].split(",")
    named = {pattern.split("/")[1] for pattern in patterns}
    return set() if "*" in named else {f"project/{name}" for name in named}


def _people(state: State) -> set[Grant]:
    """Operators on what the page for on-call needs, and approvers on the function, where they were given."""
    person = "group:secops@example.com"
    identity = "identity/scc-responder-{}@example-project.iam.gserviceaccount.com"
    own = "projects/example-project/roles/scc_responder_operator"
    database = "projects/example-project/databases/scc-responder-journal"
    operated = {
        (identity.format("redrive"), "roles/iam.serviceAccountTokenCreator", person),
        (identity.format("push"), "roles/iam.serviceAccountUser", person),
        ("project/example-project", f'{own}_journal if resource.name == "{database}"', person),
        ("project/example-project", f"{own}_heartbeat", person),
        ("subscription/scc-responder-push", f"{own}_subscription", person),
        ("service/scc-responder", f"{own}_function", person),
    }
    approved = {("service/scc-responder", "roles/run.invoker", person)}
    return {
        *(operated if has_operators(state) else ()),
        *(approved if f'google_cloud_run_v2_service_iam_member.approver["{person}"]' in state else ()),
    }


def has_operators(state: State) -> bool:
    """Whether somebody is on call in this state."""
    return any(address.startswith("google_service_account_iam_member.operator[") for address in state)


def _keys(state: State) -> set[Grant]:
    """Google's service agents on the keys that the resources name."""
    agents = {
        "firestore": ["gcp-sa-firestore"],
        "function": ["gcf-admin-robot", "gcp-sa-artifactregistry", "gs-project-accounts", "serverless-robot-prod"],
        "pubsub": ["gcp-sa-pubsub"],
        "storage": ["gs-project-accounts"],
    }
    if not state['google_pubsub_topic.responder["findings"]']["kms_key_name"]:
        return set()
    return {
        (
            f"key/{purpose}",
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            f"serviceAccount:service-123456789012@{agent}.iam.gserviceaccount.com",
        )
        for purpose, names in agents.items()
        for agent in names
    }
