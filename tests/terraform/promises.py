"""What holds of everything that the module makes, as functions over a state that `terraform test` told.

Each raises AssertionError where it does not hold. They run on the states of the module's own tests, and on those of
copies that were spoilt on purpose (`test_mutations.py`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from scc_responder.adapters.google.firestore.firestore_documents import (
    ALL,
    DEFAULT_COLLECTION,
    DUE,
    UNFINISHED,
    FirestoreCollection,
)
from scc_responder.domain.permissions import is_run_write
from scc_responder.pipeline.heartbeat import HEARTBEAT_ID
from scc_responder.workbench.doctor.collector_checks import EXCLUSION_FILTER
from tests.terraform.checking import State
from tests.terraform.grants import expected_grants, grants, has_operators, members

PROMISES: dict[str, Callable[[State], None]] = {}
PROJECT = "example-project"
TOPIC = 'google_pubsub_topic.responder["{}"]'


def promise(check: Callable[[State], None]) -> Callable[[State], None]:
    """Add a function to the promises, by its name."""
    PROMISES[check.__name__] = check
    return check


def of_type(state: State, kind: str) -> Iterator[dict[str, Any]]:
    """The values of each resource of a type."""
    return (values for address, values in state.items() if re.match(rf"(?:data\.)?{kind}[.\[]", address))


def only(state: State, kind: str) -> dict[str, Any]:
    """The values of the one resource of a type."""
    (found,) = of_type(state, kind)
    return found


def function(state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """The function's service_config and build_config."""
    values = only(state, "google_cloudfunctions2_function")
    return values["service_config"][0], values["build_config"][0]


def email(state: State, identity: str) -> str:
    """The address of one of the module's own identities."""
    return str(state[f'google_service_account.responder["{identity}"]']["email"])


OWN_ROLES = "google_(?:organization|project)_iam_custom_role[.](?:own|reach)"
OPERATOR_ROLES = "google_project_iam_custom_role[.]operator"
CONSOLE_ROLES = r"google_project_iam_custom_role[.]console"
_CALLS = "google_cloud_run_v2_service_iam_member"
RUN_WRITER_ROLES = r"google_\w+_iam_custom_role[.]run_writer"
MAY_CHANGE = {
    *("run.executions.cancel", "run.jobs.setIamPolicy", "run.operations.get", "run.revisions.delete"),
    *("run.services.setIamPolicy", "run.services.update"),
}
"""What the identity that changes Cloud Run may ever hold: it makes nothing, and takes no service or job away."""
OPERATED = {
    *("datastore.entities.create", "datastore.entities.get", "datastore.entities.list", "datastore.entities.update"),
    *("cloudscheduler.jobs.run", "pubsub.subscriptions.get", "pubsub.subscriptions.update", "run.services.get"),
}
"""What the commands of the page for on-call take of IAM, beside acting as another identity."""


def permissions_held(state: State, roles: str) -> list[str]:
    """The permissions of the custom roles whose addresses begin so, in order."""
    found = (values for address, values in sorted(state.items()) if re.match(rf"{roles}\[", address))
    return [name for values in found for name in values["permissions"]]


@promise
def operators_get_what_on_call_takes(state: State) -> None:
    """Operators' roles hold what the commands of the page for on-call take; without operators there are none."""
    assert sorted(permissions_held(state, OPERATOR_ROLES)) == (sorted(OPERATED) if has_operators(state) else [])


@promise
def grants_are_exactly_these(state: State) -> None:
    """Every grant is one of those listed in grants.py, and each of those is there."""
    made, wanted = grants(state), expected_grants(state)
    assert made == wanted, f"too many: {sorted(made - wanted)}; missing: {sorted(wanted - made)}"


@promise
def only_one_changes_cloud_run(state: State) -> None:
    """The runtime identity changes nothing there; who does is told to the function, and does nothing else."""
    told = function(state)[0]["environment_variables"].get("SCC_RESPONDER_RUN_WRITER")
    account = state.get("google_service_account.run_writer[0]", {})
    assert told == account.get("email")
    assert not [name for name in permissions_held(state, OWN_ROLES) if is_run_write(name)]
    member = account.get("member")
    held = [role for _target, role, who in grants(state) if who == member]
    assert {role.rpartition("/")[2] for role in held} <= {"scc_responder_run_writer"}
    assert told not in {email(state, name) for name in ("build", "push", "redrive", "run", "scheduler", "sweep")}


@promise
def the_function_takes_nothing_back(state: State) -> None:
    """Nothing that the function is told or runs as is the identity of undo, and none of the module's own acts as it."""
    account = state.get("google_service_account.undo[0]", {})
    environment, built = function(state)
    told = {*environment["environment_variables"].values(), environment["service_account_email"]}
    assert account.get("email") not in told
    acting = {who for target, _role, who in grants(state) if target == f"identity/{account.get('email')}"}
    own = {f"serviceAccount:{email(state, name)}" for name in ("build", "push", "redrive", "run", "scheduler", "sweep")}
    assert not acting & own
    assert bool(acting) == bool(account) or "google_project_iam_member.undo_store[0]" in state
    assert str(account.get("email")) not in json.dumps(built)


@promise
def grants_are_only_added(state: State) -> None:
    """No policy is set as a whole, no role is basic, and nobody is everybody."""
    assert [address for address in state if re.match(r"google_\w+_iam_(policy|binding|audit_config)\.", address)] == []
    for _target, role, member in grants(state):
        assert not re.fullmatch(r"roles/(owner|editor|viewer)", role)
        assert not member.startswith("all")
        assert "*" not in member


@promise
def roles_are_exact(state: State) -> None:
    """Custom roles hold the permissions of permissions.json between them, each once, and no wildcard."""
    runtime = permissions_held(state, OWN_ROLES)
    writer = permissions_held(state, RUN_WRITER_ROLES)
    held = [*runtime, *permissions_held(state, OPERATOR_ROLES), *permissions_held(state, CONSOLE_ROLES), *writer]
    assert len(runtime) == len(set(runtime))
    assert not set(runtime) & set(writer)
    assert sorted(held) == sorted(permissions_held(state, r"google_\w+_iam_custom_role[.]\w+"))
    assert not [name for name in writer if name not in MAY_CHANGE]
    held = [name for name in held if name not in writer]
    assert not [name for name in held if not re.fullmatch(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+", name)]
    assert not [name for name in held if re.search(r"setIamPolicy|actAs|\.pods\.|secrets|impersonate", name)]


@promise
def findings_have_three_publishers(state: State) -> None:
    """On the topic of findings publish Security Command Center's agent, the scheduler and redrive, and no other."""
    topic = state[TOPIC.format("findings")]["name"]
    published = {member for target, _role, member in grants(state) if target == f"topic/{topic}"}
    notifier = next(
        values["service_account"] for address, values in state.items() if "_notification_config." in address
    )
    assert published == members(state, "scheduler", "redrive") | {f"serviceAccount:{notifier}"}


@promise
def topics_are_read_by_someone(state: State) -> None:
    """Findings are pushed, dead letters and outcomes are kept by subscriptions of their own, which never expire."""
    read = {values["topic"]: values for values in of_type(state, "google_pubsub_subscription")}
    findings, dead_letters, outcomes = (
        state[TOPIC.format(name)]["id"] for name in ("findings", "dead-letters", "outcomes")
    )
    assert read.keys() == {findings, dead_letters, outcomes}
    assert read[findings]["push_config"]
    assert not read[dead_letters]["push_config"]
    for subscription in read.values():
        assert subscription["expiration_policy"] == [{"ttl": ""}]
        assert not subscription["enable_message_ordering"]
        assert not subscription["filter"]
        assert subscription["message_retention_duration"] in {"604800s", "2678400s"}
    assert read[dead_letters]["message_retention_duration"] == "2678400s"


@promise
def what_fails_comes_again_or_is_kept(state: State) -> None:
    """A delivery that fails comes again with back-off, and then becomes a dead letter; Pub/Sub may do both."""
    push = state["google_pubsub_subscription.push"]
    letters = push["dead_letter_policy"][0]
    assert letters["dead_letter_topic"] == state[TOPIC.format("dead-letters")]["id"]
    assert letters["max_delivery_attempts"] == 20
    assert push["retry_policy"] == [{"maximum_backoff": "600s", "minimum_backoff": "10s"}]


@promise
def a_delivery_outlasts_the_function(state: State) -> None:
    """The deadline of a delivery is longer than the function's timeout, and the timeout shorter than a lease."""
    service, _ = function(state)
    push = state["google_pubsub_subscription.push"]
    assert 120 > service["timeout_seconds"] >= 60
    assert 600 >= push["ack_deadline_seconds"] >= service["timeout_seconds"] + 10


@promise
def only_pubsub_calls_the_function(state: State) -> None:
    """The function is closed to the internet, and is called with a token made for it, by an identity of its own."""
    service, _ = function(state)
    pushed = state["google_pubsub_subscription.push"]["push_config"][0]
    assert service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
    assert pushed["push_endpoint"] == service["uri"]
    assert pushed["oidc_token"] == [{"audience": service["uri"], "service_account_email": email(state, "push")}]
    assert pushed["no_wrapper"] == []


@promise
def the_tested_zip_is_run(state: State) -> None:
    """The function is built from the zip that was given, under a name that its content alone decides."""
    _, build = function(state)
    source = build["source"][0]["storage_source"][0]
    bundle = only(state, "google_storage_bucket_object")
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", bundle["name"])
    assert (source["bucket"], source["object"]) == (bundle["bucket"], bundle["name"])
    assert source["generation"] == bundle["generation"]
    assert (build["entry_point"], build["runtime"]) == ("respond", "python313")
    assert build["docker_repository"] == state["google_artifact_registry_repository.images"]["id"]
    service, _ = function(state)
    assert service["all_traffic_on_latest_revision"] is True


@promise
def each_does_its_own_part(state: State) -> None:
    """The function runs as one identity, is built as another and called as a third; the heartbeat is a fourth's."""
    service, build = function(state)
    heartbeat = state["google_cloud_scheduler_job.heartbeat"]["http_target"][0]
    assert service["service_account_email"] == email(state, "run")
    assert build["service_account"].endswith(email(state, "build"))
    assert heartbeat["oauth_token"][0]["service_account_email"] == email(state, "scheduler")
    assert len({email(state, name) for name in ("build", "push", "redrive", "run", "scheduler", "sweep")}) == 6


@promise
def the_function_uses_what_is_protected(state: State) -> None:
    """Cases, evidence and outcomes go to the database, the bucket and the topic that are made for them."""
    service, _ = function(state)
    given = service["environment_variables"]
    database = only(state, "google_firestore_database")
    assert given["SCC_RESPONDER_STORE"] == f"firestore://{PROJECT}/{database['name']}"
    assert given["SCC_RESPONDER_EVIDENCE"] == f"gs://{state['google_storage_bucket.evidence']['name']}/cases"
    assert given["SCC_RESPONDER_OUTCOME_TOPIC"] == state[TOPIC.format("outcomes")]["id"]


@promise
def only_listed_sources_are_believed(state: State) -> None:
    """The function is told numeric sources, the heartbeat's first among them: without any it would believe none."""
    service, _ = function(state)
    sources = service["environment_variables"]["SCC_RESPONDER_SOURCES"].split(",")
    assert all(re.fullmatch(r"[0-9]+", source) for source in sources)
    body = state["google_cloud_scheduler_job.heartbeat"]["http_target"][0]["body"]
    (message,) = json.loads(base64.b64decode(body))["messages"]
    assert f"/sources/{sources[0]}/".encode() in base64.b64decode(message["data"])


@promise
def no_more_instances_than_are_watched(state: State) -> None:
    """As many instances as limits say, so that the alert for all of them can go off."""
    service, _ = function(state)
    alert = state['google_monitoring_alert_policy.threshold["saturated"]']["conditions"][0]["condition_threshold"][0]
    assert alert["threshold_value"] == service["max_instance_count"] - 1


@promise
def nobody_approves_who_may_not_call(state: State) -> None:
    """Tokens of approvers are listened to where there are approvers or a console, and not otherwise."""
    service, _ = function(state)
    callers = [name for kind in ("approver", "console") for name in of_type(state, f"{_CALLS}.{kind}")]
    assert ("SCC_RESPONDER_APPROVAL_AUDIENCE" in service["environment_variables"]) is bool(callers)


@promise
def the_console_reads_and_calls(state: State) -> None:
    """The console's identity reads the journal and calls the function; it acts as nobody, and nobody acts as it."""
    account = state.get("google_service_account.console[0]", {})
    service, _ = function(state)
    told = service["environment_variables"]
    assert told.get("SCC_RESPONDER_CONSOLE") == account.get("email")
    assert ("SCC_RESPONDER_IAP_AUDIENCE" in told) is bool(account)
    held = permissions_held(state, CONSOLE_ROLES)
    assert held == (["datastore.entities.get", "datastore.entities.list"] if account else [])
    assert service["service_account_email"] != account.get("email")
    assert not [who for target, _role, who in grants(state) if target == f"identity/{account.get('email')}"]


@promise
def the_gateway_is_wholly_on_or_off(state: State) -> None:
    """Connect Gateway may be used where its permissions are granted and its APIs enabled, and nowhere else."""
    service, _ = function(state)
    kinds = ("google_organization_iam_custom_role", "google_project_iam_custom_role")
    held = [name for kind in kinds for role in of_type(state, kind) for name in role["permissions"]]
    enabled = {values["service"] for values in of_type(state, "google_project_service")}
    told = service["environment_variables"]["SCC_RESPONDER_CONNECT_GATEWAY"] == "true"
    assert any(name.startswith("gkehub.") for name in held) is told
    assert ({"connectgateway.googleapis.com", "gkehub.googleapis.com"} <= enabled) is told


@promise
def the_collectors_log_is_left_out(state: State) -> None:
    """Where a collector is put into pods, what it writes is left out of Cloud Logging; what others write is not."""
    service, _ = function(state)
    given = service["environment_variables"]
    projects = {pattern.split("/")[1] for pattern in given["SCC_RESPONDER_CLUSTERS"].split(",")} - {"*"}
    exclusions = list(of_type(state, "google_logging_project_exclusion"))
    assert {values["project"] for values in exclusions} == (projects if "SCC_RESPONDER_COLLECTOR" in given else set())
    for values in exclusions:
        assert values["filter"] == EXCLUSION_FILTER
        assert not values["disabled"]


@promise
def threads_match_concurrency(state: State) -> None:
    """No request waits inside an instance for a thread."""
    service, _ = function(state)
    assert service["environment_variables"]["THREADS"] == str(service["max_instance_request_concurrency"])


@promise
def only_active_threats_are_sent(state: State) -> None:
    """The filter keeps what is not active, no threat, or muted, from being sent; whatever is added narrows it."""
    notification = next(values for address, values in state.items() if "_notification_config." in address)
    sent = notification["streaming_config"][0]["filter"]
    always = 'state = "ACTIVE" AND finding_class = "THREAT" AND -mute = "MUTED"'
    assert re.fullmatch(re.escape(always) + r"(?: AND \(.*\))?", sent)
    assert notification["pubsub_topic"] == state[TOPIC.format("findings")]["id"]


@promise
def the_function_knows_what_sends_findings(state: State) -> None:
    """It is told the notification config as it is made: where, to which topic, and with which filter."""
    made = next(values for address, values in state.items() if "_notification_config." in address)
    told = json.loads(function(state)[0]["environment_variables"]["SCC_RESPONDER_NOTIFICATION_CONFIG"])
    parents = (f"{kind}s/{made[kind]}" for kind in ("organization", "folder", "project") if made.get(kind))
    assert told == {
        "name": f"{next(parents)}/locations/{made['location']}/notificationConfigs/{made['config_id']}",
        "pubsub_topic": made["pubsub_topic"],
        "filter": made["streaming_config"][0]["filter"],
    }


@promise
def findings_come_from_where_they_are_read(state: State) -> None:
    """Notifications and the reading of findings use the same location."""
    notification = next(values for address, values in state.items() if "_notification_config." in address)
    service, _ = function(state)
    assert service["environment_variables"]["SCC_RESPONDER_SCC_LOCATION"] == notification["location"]


@promise
def the_journal_outlives_mistakes(state: State) -> None:
    """The journal's database cannot be deleted by mistake, can be brought back to any minute, and forgets in time."""
    database = only(state, "google_firestore_database")
    assert database["delete_protection_state"] == "DELETE_PROTECTION_ENABLED"
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    assert database["type"] == "FIRESTORE_NATIVE"
    fields = {values["field"]: values for values in of_type(state, "google_firestore_field")}
    assert [name for name, values in fields.items() if values["ttl_config"]] == ["expires_at"]
    assert {values["database"] for values in fields.values()} == {database["name"]}
    assert {values["collection"] for values in fields.values()} == {DEFAULT_COLLECTION}
    assert database["name"].endswith("-journal")


@promise
def apis_stay_enabled(state: State) -> None:
    """Taking the module away disables no API that others may use."""
    assert {values["disable_on_destroy"] for values in of_type(state, "google_project_service")} <= {False}


@promise
def the_journal_can_be_searched(state: State) -> None:
    """What entries are searched by keeps its automatic index; only the other fields, each by its name, have none."""
    collection = FirestoreCollection.of("firestore://example-project/(default)")
    written = collection.written("key", b"", "word", datetime.now(UTC), unfinished=True, due_at=datetime.now(UTC))[
        "fields"
    ]
    fields = [*of_type(state, "google_firestore_field")]
    assert {values["field"] for values in fields} == written.keys() - {ALL, UNFINISHED, DUE}
    assert all(len(values["index_config"]) == 1 and not values["index_config"][0]["indexes"] for values in fields)
    assert only(state, "google_firestore_database")["database_edition"] in {None, "STANDARD"}


@promise
def evidence_is_kept(state: State) -> None:
    """Evidence cannot be deleted, nor read by the public; the bucket is not emptied to be destroyed."""
    bucket = state["google_storage_bucket.evidence"]
    (retention,) = bucket["retention_policy"]
    assert int(retention["retention_period"]) == 365 * 86400
    assert retention["is_locked"] is True
    assert not bucket["force_destroy"]
    for one in of_type(state, "google_storage_bucket"):
        assert one["public_access_prevention"] == "enforced"
        assert one["uniform_bucket_level_access"] is True


@promise
def findings_stay_in_their_region(state: State) -> None:
    """Whatever holds a finding is in the region that was asked for."""
    for topic in of_type(state, "google_pubsub_topic"):
        assert topic["message_storage_policy"][0]["allowed_persistence_regions"] == ["europe-west1"]
    for kind, field in (
        ("google_storage_bucket", "location"),
        ("google_firestore_database", "location_id"),
        ("google_cloudfunctions2_function", "location"),
        ("google_artifact_registry_repository", "location"),
    ):
        assert {values[field] for values in of_type(state, kind)} == {"europe-west1"}


@promise
def alerts_reach_someone(state: State) -> None:
    """Each alert goes to the channels that were given, and says what to do."""
    alerts = {values["display_name"]: values for values in of_type(state, "google_monitoring_alert_policy")}
    assert {name.partition(": ")[2] for name in alerts} == {
        *("access lost", "case", "config changed", "control lowered", "control unset", "dead letters", "failed"),
        *(
            "heartbeat missing",
            "held",
            "held severe",
            "no finding",
            "notice undeliverable",
            "oldest message",
            "saturated",
            "sweep missing",
        ),
        "waiting",
    }
    for alert in alerts.values():
        assert alert["notification_channels"] == ["projects/example-project/notificationChannels/1"]
        assert len(alert["documentation"][0]["content"]) > 80


WATCHED = {
    "access lost": ("/access_lost", 0),
    "control lowered": ("/control_lowered", 142),
    "control unset": ("/control_unset", 0),
    "dead letters": ("subscription/num_undelivered_messages", 0),
    "failed": ("/failed", 0),
    "held": ("/held", 0),
    "held severe": ("/held_severe", 0),
    "oldest message": ("subscription/oldest_unacked_message_age", 300),
    "waiting": ("/waiting", 0),
}
"""What each alert counts, and over how many it goes off."""


@promise
def alerts_watch_what_they_are_named_after(state: State) -> None:
    """Each alert watches the metric that it is named after; those of silence watch heartbeats and sweeps alone."""
    for alert in of_type(state, "google_monitoring_alert_policy"):
        name, condition = alert["display_name"].partition(": ")[2], alert["conditions"][0]
        if name in WATCHED:
            metric, over = WATCHED[name]
            (threshold,) = condition["condition_threshold"]
            assert threshold["filter"].endswith(f'{metric}"')
            assert threshold["threshold_value"] == over
        if name in ("heartbeat missing", "sweep missing"):
            assert condition["condition_absent"][0]["filter"].endswith(f'/{name.partition(" ")[0]}s"')


@promise
def an_incident_hides_no_later_one(state: State) -> None:
    """Each closes by itself: what counts, or tells of a line, in half an hour; what tells of a silence in a week."""
    for address, alert in state.items():
        if address.startswith("google_monitoring_alert_policy."):
            (strategy,) = alert["alert_strategy"]
            assert strategy["auto_close"] == ("604800s" if ".absence[" in address else "1800s"), address


@promise
def the_sweep_is_asked_for(state: State) -> None:
    """Every five minutes the function is asked to sweep, by the one identity that its settings name."""
    service, _ = function(state)
    job = state["google_cloud_scheduler_job.sweep"]
    target = job["http_target"][0]
    assert (job["schedule"], target["uri"]) == ("*/5 * * * *", f"{service['uri']}/sweep")
    assert target["http_method"] == "POST"
    (token,) = target["oidc_token"]
    assert token["service_account_email"] == email(state, "sweep")
    own = rf"https://{re.escape(job['name'].removesuffix('-sweep'))}-[0-9]+\.{re.escape(job['region'])}\.run\.app"
    assert re.fullmatch(own, token["audience"])
    known = service["environment_variables"].get("SCC_RESPONDER_APPROVAL_AUDIENCE", token["audience"])
    assert known == token["audience"]
    assert service["environment_variables"]["SCC_RESPONDER_SWEEPER"] == email(state, "sweep")


@promise
def looks_are_asked_for(state: State) -> None:
    """Each minute the function is asked to look at what is due, as it is asked to sweep, and it knows when that is."""
    settings = function(state)[0]
    job, sweep = state["google_cloud_scheduler_job.look"], state["google_cloud_scheduler_job.sweep"]
    target = job["http_target"][0]
    assert (job["schedule"], target["uri"]) == ("* * * * *", f"{settings['uri']}/look")
    assert (target["http_method"], target["oidc_token"]) == ("POST", sweep["http_target"][0]["oidc_token"])
    assert job["paused"] == (settings["environment_variables"]["SCC_RESPONDER_LOOKS"] == "never")


@promise
def the_heartbeat_names_no_target(state: State) -> None:
    """The heartbeat goes to the topic of findings, and no cluster, pod or other resource can be read into it."""
    job = state["google_cloud_scheduler_job.heartbeat"]
    target = job["http_target"][0]
    assert target["uri"] == f"https://pubsub.googleapis.com/v1/{state[TOPIC.format('findings')]['id']}:publish"
    assert target["oauth_token"][0]["scope"] == "https://www.googleapis.com/auth/pubsub"
    (message,) = json.loads(base64.b64decode(target["body"]))["messages"]
    told = json.loads(base64.b64decode(message["data"]))
    assert told.keys() == {"finding"}
    assert told["finding"].keys() == {"category", "eventTime", "name", "state"}
    assert told["finding"]["name"].endswith(f"/findings/{HEARTBEAT_ID}")
    assert told["finding"]["state"] == "INACTIVE"
