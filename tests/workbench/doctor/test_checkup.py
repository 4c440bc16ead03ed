"""What doctor makes of answers, whoever gives them."""

from __future__ import annotations

import shlex
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.collect.confirm import covers
from scc_responder.collect.endpoints import ENDPOINT_PERMISSIONS, EndpointKind
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError, SettingsError, StoreUnavailable
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi, Subscription
from scc_responder.journal.case import CaseRecord, encode
from scc_responder.journal.journal import Journal
from scc_responder.policy.policy_set import load_policies
from scc_responder.settings import Settings
from scc_responder.workbench.doctor.check import CheckResult, fault, filled, permission_of, unanswered
from scc_responder.workbench.doctor.clock_check import MOST, judge_clock
from scc_responder.workbench.doctor.cluster_checks import Examined, examine_cluster, unlisted_cluster
from scc_responder.workbench.doctor.delivery_checks import subscription_checks
from scc_responder.workbench.doctor.deployed import Deployment, parse_environment, read_deployment
from scc_responder.workbench.doctor.policy_checks import consistent
from scc_responder.workbench.doctor.responder_identity import OTHER, examine_user
from scc_responder.workbench.doctor.side_by_side import JobResult, side_by_side
from scc_responder.workbench.doctor.store_checks import Ask, examine_store, look_through
from scc_responder.workbench.doctor.ways_to_clusters import way_to
from tests.docs.command_lines import fix_mistakes, mistakes
from tests.kits.responder import policy, write_policies

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
NAME = "projects/example-project/subscriptions/push"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOUND = Subscription(
    topic="projects/example-project/topics/findings",
    push_endpoint="https://a.example.com/",
    push_identity="push@example.com",
    ack_deadline_seconds=140,
    minimum_backoff_seconds=10,
    dead_letter_topic="projects/example-project/topics/dead",
)
MADE = Deployment(
    topic=SOUND.topic, push_endpoint="https://a.example.com", push_identity="push@example.com", timeout_seconds=110
)


@pytest.mark.parametrize(
    ("seconds", "timeout", "result"),
    [
        (111, 110, CheckResult.OK),
        (110, 110, CheckResult.FAULT),
        (10, 110, CheckResult.FAULT),
        (600, 0, CheckResult.UNKNOWN),
    ],
)
def test_the_ack_deadline_exceeds_the_timeout(seconds: int, timeout: int, result: CheckResult) -> None:
    """The deadline has to be longer than the function's timeout; without knowing that one, nobody can tell."""
    found = Subscription(topic="t", ack_deadline_seconds=seconds)
    checks = {check.name: check for check in subscription_checks(NAME, found, Deployment(timeout_seconds=timeout))}
    assert checks["delivery.ack_deadline"].result is result


def test_a_sound_subscription_has_no_fault() -> None:
    """A subscription that is as it should be has no fault, whether its address ends in a slash or not."""
    assert {check.result for check in subscription_checks(NAME, SOUND, MADE)} == {CheckResult.OK}


PUSHES = [
    pytest.param({"push_endpoint": ""}, MADE, "push_endpoint_absent", id="paused"),
    pytest.param({"push_endpoint": "https://b.example.com"}, MADE, "push_endpoint_differs", id="elsewhere"),
    pytest.param({"push_identity": ""}, MADE, "push_identity_absent", id="nobody"),
    pytest.param({"push_identity": "other@example.com"}, MADE, "push_identity_differs", id="somebody-else"),
    pytest.param({"push_endpoint": ""}, Deployment(), "push_endpoint_absent", id="nothing-known"),
]


@pytest.mark.parametrize(("broken", "made", "reason"), PUSHES)
def test_pushes_are_set_in_full(broken: dict[str, str], made: Deployment, reason: str) -> None:
    """Whatever is wrong with the push, the command that fixes it gives endpoint, identity and audience."""
    (check,) = (check for check in subscription_checks(NAME, replace(SOUND, **broken), made) if check.reason == reason)
    command, _, other = check.fix.partition("; or: ")
    given = {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(command) if word[:2] == "--"}
    url = made.push_endpoint or "URL"
    assert given == {
        "--project": "example-project",
        "--push-endpoint": url,
        "--push-auth-service-account": made.push_identity or SOUND.push_identity,
        "--push-auth-token-audience": url,
    }
    assert (list(mistakes(command)), other) == ([], "terraform apply")


@pytest.mark.parametrize(
    ("topic", "wanted", "reason"),
    [
        (SOUND.topic, SOUND.topic, ""),
        ("projects/example-project/topics/WRONG", SOUND.topic, "topic_differs"),
        ("_deleted-topic_", SOUND.topic, "topic_differs"),
        (SOUND.topic, "", "topic_not_known"),
    ],
)
def test_a_subscription_of_another_topic_is_named(topic: str, wanted: str, reason: str) -> None:
    """A subscription of another topic brings nothing; the one that it has is told."""
    checks = {
        one.name: one for one in subscription_checks(NAME, replace(SOUND, topic=topic), replace(MADE, topic=wanted))
    }
    assert checks["delivery.topic"].reason == reason
    assert topic in checks["delivery.topic"].why


@given(st.text(min_size=1, max_size=80))
def test_commands_are_safe_to_copy(text: str) -> None:
    """What a subscription says of itself is one word of the command that fixes it, whatever it says."""
    found = Subscription(topic="t", push_endpoint=text, push_identity="other@example.com")
    made = replace(MADE, push_endpoint="")
    (check,) = (check for check in subscription_checks(NAME, found, made) if check.reason == "push_identity_differs")
    command = check.fix.removesuffix("; or: terraform apply")
    if len(check.fix) < 600:
        words = shlex.split(command)
        assert words[:4] == ["gcloud", "pubsub", "subscriptions", "modify-push-config"]
        assert len(words) == 9


@pytest.mark.parametrize(
    ("server", "result", "told"),
    [
        (NOON, CheckResult.OK, "agree"),
        (NOON - MOST, CheckResult.OK, "agree"),
        (NOON - MOST - timedelta(seconds=1), CheckResult.FAULT, "11 s ahead of"),
        (NOON + timedelta(seconds=5) + MOST, CheckResult.OK, "agree"),
        (NOON + timedelta(seconds=16), CheckResult.FAULT, "11 s behind"),
    ],
)
def test_the_time_of_an_answer_does_not_count(server: datetime, result: CheckResult, told: str) -> None:
    """The time that an answer took counts for nobody."""
    check = judge_clock("clock", "s", server, (NOON, NOON + timedelta(seconds=5)))
    assert check.result is result
    assert told in check.why


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True), st.from_regex(r"[!-~]{0,20}", fullmatch=True)
    )
)
def test_a_settings_file_is_read_as_written(values: dict[str, str]) -> None:
    """A settings file gives back what was written, quoted or not."""
    plain = {name: value.strip("'\"") for name, value in values.items()}
    for quote in ("", "'", '"'):
        text = "".join(f"{name}={quote}{value}{quote}\n" for name, value in plain.items())
        assert parse_environment(f"# made\n\n{text}", "x.env") == plain


@given(st.text())
def test_settings_file_of_anything(text: str) -> None:
    """Whatever the file holds, it is read or refused with its line."""
    try:
        parse_environment(text, "x.env")
    except SettingsError as error:
        assert str(error).startswith("x.env:")  # noqa: PT017 - either end will do


@pytest.mark.parametrize(
    ("name", "value"),
    [("SUBSCRIPTION", "push"), ("SCOPE", "organizations/a"), ("TIMEOUT_SECONDS", "2m"), ("SCOPE", "projects/a\n")],
)
def test_an_unusable_deployment_names_its_variable(name: str, value: str) -> None:
    """What is no such thing is refused by its variable's name."""
    with pytest.raises(SettingsError, match=f"SCC_RESPONDER_{name}"):
        read_deployment({f"SCC_RESPONDER_{name}": value})


def answers(*jobs: Any, seconds: float = 5.0) -> dict[int, JobResult[Any]]:
    """Each job's answer by its number."""
    return {answer.number: answer for answer in side_by_side(jobs, seconds, workers=2)}


def test_side_by_side() -> None:
    """Each job has one answer: its value, or its error."""
    found = answers(lambda: "a", lambda: 1 / 0, lambda: None, *[lambda: "b"] * 50)
    assert len(found) == 53
    assert found[0].value == "a"
    assert isinstance(found[1].error, ZeroDivisionError)


def test_a_hanging_probe_delays_nobody() -> None:
    """One that hangs takes no other's answer, and nobody waits for it beyond the deadline."""
    for_ever = threading.Event()
    began = time.monotonic()
    found = answers(for_ever.wait, *[lambda: "b"] * 9, seconds=0.5)
    for_ever.set()
    assert time.monotonic() - began < 5
    assert (found[0].value, found[0].error) == (None, None)
    assert [found[number].value for number in range(1, 10)] == ["b"] * 9


def test_each_unanswered_probe_says_why() -> None:
    """Why a probe came to nothing: a setting, an API, doctor itself, or the time."""
    told = [SettingsError("s", "x"), ApiError("a", "x"), ValueError("x"), None]
    checks = [unanswered("n", "p", error, 5) for error in told]
    assert [(check.result, check.reason) for check in checks] == [
        (CheckResult.FAULT, "s"),
        (CheckResult.FAULT, "a"),
        (CheckResult.UNKNOWN, "probe_failed"),
        (CheckResult.UNKNOWN, "no_answer_in_time"),
    ]
    assert all(check.fix for check in checks)


def test_the_missing_permission_is_found() -> None:
    """The permission is found where a store's error only says what caused it."""
    error = StoreUnavailable("store_unavailable")
    error.__cause__ = ApiError("x", permission="datastore.entities.get")
    assert permission_of(error) == "datastore.entities.get"
    assert permission_of(ValueError()) == ""


def test_placeholders_are_filled_and_quoted() -> None:
    """Words in capitals become what is known, in quotes where a shell would not leave them whole."""
    check = fault("n", "p", "r", "IDENTITY", "do --member=IDENTITY in STORE of PROJECT")
    assert filled(check, {"IDENTITY": "a@b; rm \\1", "STORE": ""}).fix == (
        "do --member='a@b; rm \\1' in STORE of PROJECT"
    )


WAYS = [
    ("endpoint_forbidden", "container.clusters.connect", "grants container.clusters.connect"),
    ("endpoint_forbidden", "gkehub.gateway.get", "Terraform variable connect_gateway = true"),
    ("connect_gateway_off", "", "--enable-dns-access; or: Terraform variable connect_gateway"),
    ("kubernetes_forbidden", "selfsubjectaccessreviews: create", "kubectl get clusterrolebinding system:basic-user"),
    ("kubernetes_unauthenticated", "", "gcloud auth application-default login"),
    ("no_credentials", "", "gcloud auth application-default login"),
    ("timeout", "", "gcloud container clusters describe"),
    ("cluster_unreachable", "", "--enable-dns-access; or: Terraform variable vpc_connector"),
    ("cluster_endpoint_private", "", "--enable-dns-access; or: Terraform variable vpc_connector"),
    ("no_reachable_endpoint", "", "--enable-dns-access"),
    ("no_cluster_authority", "", "--enable-dns-access"),
]


@pytest.mark.parametrize(("reason", "permission", "told"), WAYS)
def test_each_lack_has_its_own_fix(reason: str, permission: str, told: str) -> None:
    """What keeps doctor from a cluster has its own fix: another endpoint fixes no lack of a permission."""
    fix = way_to(REF, ApiError(reason, "why", permission=permission))
    assert told in fix
    assert ("--enable-dns-access" in fix) is ("--enable-dns-access" in told)
    assert list(fix_mistakes(fix)) == []


class Knows:
    """An API server that knows the caller as `username`, or refuses to say."""

    def __init__(self, username: Any) -> None:
        self.username = username

    def create(self, _path: str, _body: object, *, dry_run: bool = False) -> dict[str, Any]:
        if isinstance(self.username, Exception):
            raise self.username
        return {"status": {"userInfo": {"username": self.username}}}


@pytest.mark.parametrize(
    ("username", "result", "reason"),
    [
        ("run@example.com", CheckResult.OK, ""),
        ("ann@example.com", CheckResult.FAULT, OTHER),
        ("RUN@example.com", CheckResult.FAULT, OTHER),
        ("100000000000000000000", CheckResult.UNKNOWN, "caller_not_known"),
        ("", CheckResult.UNKNOWN, "caller_not_known"),
        (None, CheckResult.UNKNOWN, "caller_not_known"),
        (ApiError("kubernetes_forbidden", "no"), CheckResult.UNKNOWN, "caller_not_known"),
        (ApiError("no_such_resource", "no"), CheckResult.UNKNOWN, "caller_not_known"),
    ],
)
def test_rbac_names_are_compared_exactly(username: Any, result: CheckResult, reason: str) -> None:
    """RBAC compares names letter by letter; a number, or nothing, is compared with nothing."""
    api: Any = Knows(username)
    check = examine_user(api, "prod-1", "run@example.com")
    assert (check.result, check.reason) == (result, reason)


def test_user_out_of_reach() -> None:
    """A server that is not reached is for whoever asked."""
    api: Any = Knows(ApiError("cluster_unreachable", "away"))
    with pytest.raises(ApiError):
        examine_user(api, "prod-1", "run@example.com")


@pytest.mark.parametrize(
    ("path", "covered"),
    [("projects/a/locations/l/clusters/c", True), ("projects/b/locations/l/clusters/c", False)],
)
def test_a_cluster_outside_patterns_names_the_variable(path: str, covered: bool) -> None:
    """A cluster in no pattern is a fault that names the variable."""
    check = unlisted_cluster(["projects/a/locations/*/clusters/*"], path, covers)
    assert (check is None) is covered
    assert check is None or check.fix == f'Terraform variable clusters: add "{path}"'


@pytest.mark.parametrize(
    ("store", "audience", "reasons"),
    [
        ("firestore://p/journal", "", ["approval_audience_not_set"]),
        ("firestore://p/journal", "https://a.example.com", []),
        ("sqlite:///x.db", "", []),
    ],
)
def test_nobody_can_approve(tmp_path: Path, store: str, audience: str, reasons: list[str]) -> None:
    """A policy that waits for approval needs somebody who can give it."""
    folder = write_policies(tmp_path / "policies", policy("label_pod", mode="approve"))
    settings = Settings(policies=folder, clusters=(), sources=(), store=store, approval_audience=audience)
    assert [check.reason for check in consistent(settings, load_policies(folder))] == reasons


def test_unreadable_records_are_counted_and_named(tmp_path: Path) -> None:
    """Cases of a later version are told with one of them and why, and the others count all the same."""
    store = SqliteStore(tmp_path / "journal.db")
    known = {"finding_name": "f", "event_time": NOON, "digest": "d", "updated_at": NOON}
    record = CaseRecord(finding_key="0" * 64, decision={"policy_digest": "of noon"}, **known)
    store.create(f"case/{record.finding_key}", encode(record))
    for number in (1, 2):
        store.create(f"case/{number:064}", b'{"schema":2}')
    folder = write_policies(tmp_path / "policies", policy("label_pod"))
    settings = Settings(policies=folder, clusters=(), sources=("1",), store="sqlite:///x.db")
    ask = Ask(settings=settings, deployment=Deployment(), policies=load_policies(folder))
    checks = {check.name: check for check in examine_store(store, ask, lambda: datetime.now(UTC))}
    store.close()
    told = checks["records"]
    assert (told.reason, told.probed) == ("record_newer", "2 of 3 cases")
    assert "case 000000000000: schema 2, of 1" in told.why
    assert "deploy the later version again" in told.fix
    assert checks["policies.digest"].reason == "policy_digest_differs"


def test_the_latest_decision_counts(tmp_path: Path) -> None:
    """Of all cases the latest decision counts, however they are ordered; so many are read and no more."""
    store = SqliteStore(tmp_path / "journal.db")
    for number in range(450):
        minute = timedelta(minutes=(number * 7) % 450)
        record = CaseRecord(
            finding_key=f"{number:064}",
            finding_name="f",
            event_time=NOON,
            digest="d",
            reason="source_not_allowed" if number % 2 else "done",
            updated_at=NOON + minute,
            decision={"policy_digest": f"of minute {minute.total_seconds() / 60:g}"},
        )
        store.create(f"case/{record.finding_key}", encode(record))
    journal = Journal(store, lambda: NOON)
    kept, fewer = look_through(journal), look_through(journal, most=300)
    store.close()

    assert (kept.digest, kept.looked_through, kept.complete) == ("of minute 449", 450, True)
    assert kept.refused.keys() == {"source_not_allowed"}
    assert kept.refused["source_not_allowed"].updated_at == NOON + timedelta(minutes=449)
    assert (fewer.looked_through, fewer.complete) == (300, False)


class Beyond:
    """A cluster whose front end refuses every request."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    def describe(self, ref: ClusterRef) -> Cluster:
        """It is known to GKE."""
        return Cluster(ref=ref, enforces_network_policy=True)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Nobody gets there."""
        raise ApiError("endpoint_forbidden", f"denied for {ref.name}", status=403, permission=self.permission)


@pytest.mark.parametrize("permission", ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
def test_the_gateway_s_permissions(permission: str) -> None:
    """Where Connect Gateway wants a permission, it is named with the input that grants it."""
    *_, check = examine_cluster(Beyond(permission), lambda _: "connect_gateway", Examined(ref=REF, needs=()))
    assert (check.name, check.reason) == ("cluster.reached", "permission_missing")
    assert check.why == f"missing permission: {permission}"
    assert check.fix.startswith(f"Terraform variable connect_gateway = true: terraform apply grants {permission};")


def test_the_dns_endpoint_s_permission() -> None:
    """Another way's permission is not said to come with that input."""
    beyond = Beyond("container.clusters.connect")
    *_, check = examine_cluster(beyond, lambda _: "dns_endpoint", Examined(ref=REF, needs=()))
    assert "connect_gateway" not in check.fix
