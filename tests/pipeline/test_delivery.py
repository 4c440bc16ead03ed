"""What is settled, what comes again, and what is refused before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import data, notification, push_body
from tests.kits.responder import ALL, CONTAINED, RUN_SOURCE, Deployment, deployed, finding_about, mutations, policy

Object = dict[str, Any]
LABEL = policy("label_pod")


class Unread:
    """Findings that must not be asked for."""

    def read(self, finding: object) -> None:
        raise AssertionError("the finding was read")

    related = read


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment with one policy of one action."""
    return deployed(tmp_path, cluster, LABEL)


FOREIGN = [
    pytest.param({"cluster": "projects/other-project/locations/europe-west1/clusters/prod-1"}, id="project"),
    pytest.param({"cluster": "projects/example-project-2/locations/europe-west1/clusters/prod-1"}, id="look-alike"),
]


@pytest.mark.parametrize("changes", FOREIGN)
def test_a_cluster_not_listed_is_refused(deployment: Deployment, pod: Object, changes: Object) -> None:
    """A cluster that settings do not list is refused before any connection, token or read."""
    deployment.services.findings = Unread()  # type: ignore[assignment]  # no finding may be read
    ending = deployment.deliver(finding_about(pod, **changes))
    assert (ending.status, ending.reason) == (204, "cluster_not_listed")
    assert deployment.clusters.asked == 0


def test_a_source_not_listed_is_refused(deployment: Deployment, pod: Object) -> None:
    """A finding of a source that settings do not list is refused, whatever its source calls itself."""
    deployment.services.findings = Unread()  # type: ignore[assignment]  # no finding may be read
    document = finding_about(pod)
    forged = json.loads(json.dumps(document).replace("sources/1111111111111111111", "sources/9999999999999999999"))
    ending = deployment.deliver(forged)
    assert (ending.status, ending.reason) == (204, "source_not_allowed")
    assert deployment.clusters.asked == 0


def test_a_source_that_names_a_foreign_cluster_is_refused(deployment: Deployment, pod: Object) -> None:
    """A finding whose source knows it to be about a cluster that is not listed is refused before any connection."""
    document = finding_about(pod)
    deployment.list_finding(finding_about(pod, cluster="projects/other-project/locations/europe-west1/clusters/prod-1"))
    ending = deployment.deliver(document)
    assert (ending.status, ending.reason) == (204, "cluster_not_listed")
    assert deployment.clusters.asked == 0


def test_an_unknown_finding_is_finally_rejected(deployment: Deployment, pod: Object) -> None:
    """A finding that its source does not list comes again for ten minutes, and is then rejected as perhaps forged."""
    began = utc_now()
    document = finding_about(pod)

    endings = []
    for minutes in (0, 9, 11, 12):
        deployment.set_clock(lambda minutes=minutes: began + timedelta(minutes=minutes))
        endings.append(deployment.deliver(document))

    assert [(ending.status, ending.reason) for ending in endings] == [
        (503, "finding_not_listed_yet"),
        (503, "finding_not_listed_yet"),
        (204, "unknown_finding"),
        (204, "duplicate"),
    ]
    assert endings[2].severity == "ERROR"
    assert "finding_not_listed_yet" not in str(deployment.published.messages), "people are told once it is rejected"
    assert deployment.case(document).state == "rejected"
    assert deployment.clusters.asked == 0


def _with(document: Object, **fields: Any) -> bytes:
    return data(document | {"finding": document["finding"] | fields})


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda document: _with(document, eventTime="2026-12-31T23:59:60Z"), id="a leap second"),
        pytest.param(lambda document: _with(document, name=document["finding"]["name"] + "\n"), id="a line break"),
        pytest.param(lambda document: data(document)[:-1], id="cut off"),
        pytest.param(lambda document: b"[" * 9000 + data(document), id="nested too deep"),
    ],
)
def test_what_cannot_be_parsed_is_read_again_by_its_name(
    deployment: Deployment, pod: Object, damaged: Callable[[Object], bytes]
) -> None:
    """A finding that names itself is responded to as Security Command Center has it."""
    document = finding_about(pod)
    deployment.list_finding(document)

    ending = deployment.deliver(damaged(document))

    assert (ending.status, ending.reason) == (204, "done")
    assert deployment.outcomes(document) == ["label_pod: patched"]


def test_a_finding_that_nobody_can_read_is_told_once(
    deployment: Deployment, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as notified nor as read again: it comes again, with an ERROR and one notice."""
    document = finding_about(pod)
    monkeypatch.setattr(deployment.services.findings, "read", lambda _finding: {"finding": {}})
    endings = [deployment.deliver(data(document)[:-1]) for _ in range(2)]
    assert [(each.status, each.reason, each.severity) for each in endings] == [(503, "finding_unreadable", "ERROR")] * 2
    assert [message["reason"] for message in deployment.published.messages] == ["finding_unreadable"]


TWO = b'["folders/1/sources/2/findings/a", "folders/1/sources/2/findings/b"]'


@pytest.mark.parametrize(
    ("content", "reason", "severity", "notices"),
    [
        pytest.param(TWO, "not_a_finding", "ERROR", 1, id="several findings named"),
        pytest.param(b'{"finding": {"name": "mine"}}', "malformed_finding_name", "ERROR", 1, id="a finding, no name"),
        pytest.param(b'{"temperature": 21}', "not_a_finding", "WARNING", 0, id="JSON of somebody else"),
        pytest.param(b"hello", "not_json", "WARNING", 0, id="junk"),
    ],
)
def test_a_finding_that_stays_unread_is_told_once(
    deployment: Deployment, content: bytes, reason: str, severity: str, notices: int
) -> None:
    """By an ERROR and a notice, where there is something of a finding in it; its copies add nothing."""
    endings = [deployment.deliver(content) for _ in range(2)]

    assert [(ending.status, ending.reason, ending.severity) for ending in endings] == [(204, reason, severity)] * 2
    assert [message["reason"] for message in deployment.published.messages] == [reason] * notices


def test_a_duplicate_asks_nobody(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A copy of what was settled changes nothing and asks nobody."""
    document = finding_about(pod)
    deployment.respond_to(document)
    asked = len(cluster.audit)

    ending = deployment.deliver(document)

    assert (ending.status, ending.reason) == (204, "duplicate")
    assert len(cluster.audit) == asked


def test_a_stale_notification_changes_nothing(deployment: Deployment, pod: Object) -> None:
    """A notification older than what is known of its finding changes nothing."""
    document = finding_about(pod)
    deployment.respond_to(document)
    older = finding_about(pod, finding={"eventTime": "2026-01-01T00:00:00Z"})

    assert deployment.deliver(older).reason == "stale"


def test_news_reopens_a_settled_case(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A newer notification that says something new is worked on: told and captured again, nothing done twice."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "capture_evidence", "notify"))
    deployment.respond_to(finding_about(pod))
    newer = finding_about(pod, finding={"severity": "LOW", "eventTime": _later(pod)})

    deployment.respond_to(newer)

    assert deployment.case(newer).epoch == 2
    assert len(deployment.published.messages) == 2
    assert len(list(tmp_path.glob("evidence/**/manifest-*.json"))) == 2
    assert mutations(cluster.audit) == ["patch pods"]


def _later(pod: Object) -> str:
    return str(finding_about(pod)["finding"]["eventTime"]).replace("Z", ".500Z")


def test_an_unmuted_finding_is_worked_on(deployment: Deployment, pod: Object) -> None:
    """A finding that was muted and is no longer is worked on, though its event time is the same."""
    document = finding_about(pod)
    muted = finding_about(pod, finding={"mute": "MUTED"})
    deployment.list_finding(muted)
    first = deployment.deliver(document)
    copy = deployment.deliver(muted)

    deployment.list_finding(document)
    again = deployment.deliver(document)

    assert [ending.reason for ending in (first, copy, again)] == ["muted", "duplicate", "done"]


JUNK = [
    pytest.param(b"\x00\xff", "not_json", id="bytes"),
    pytest.param(b"[]", "not_a_finding", id="list"),
    pytest.param(b'{"kind": "storage#object"}', "not_a_finding", id="foreign"),
]


@pytest.mark.parametrize(("content", "reason"), JUNK)
def test_junk_is_recorded_by_hash(deployment: Deployment, content: bytes, reason: str) -> None:
    """What is no finding is recorded by its hash and settled."""
    ending = deployment.deliver(content)
    assert (ending.status, ending.reason) == (204, reason)
    assert len(deployment.line["sha256"]) == 64


def padded(document: Object) -> bytes:
    """The notification, made too large to parse."""
    return data({**document, "padding": "x" * 600_000})


def test_an_oversize_finding_is_read_again(deployment: Deployment, pod: Object) -> None:
    """A finding padded beyond what is parsed is read again by its name, and contained."""
    document = finding_about(pod)
    deployment.list_finding(document)

    ending = deployment.deliver(padded(document))

    assert deployment.outcomes(document) == ["label_pod: patched"]
    assert (ending.status, ending.reason) == (204, "done")


def test_oversize_without_a_name_is_a_dead_letter(deployment: Deployment) -> None:
    """What is too large to parse and names no finding reaches the dead letters, and is recorded at ERROR."""
    ending = deployment.deliver(b"x" * 600_000)
    assert (ending.status, ending.reason, ending.severity) == (503, "oversize", "ERROR")
    assert len(deployment.line["sha256"]) == 64


def test_oversize_of_a_foreign_source_is_settled(deployment: Deployment, pod: Object) -> None:
    """A padded finding of a source that is not listed is recorded by its hash."""
    content = padded(finding_about(pod)).replace(b"sources/1111111111111111111", b"sources/9999999999999999999")
    ending = deployment.deliver(content)
    assert (ending.status, ending.reason) == (204, "source_not_allowed")
    assert len(deployment.line["sha256"]) == 64


def test_of_two_deliveries_at_once_one_acts(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Of two deliveries at one moment one acts, and the other is asked to come again or finds it done."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    document = finding_about(pod)
    deployment.list_finding(document)
    together = Barrier(4)

    def deliver() -> str:
        together.wait()
        return deployment.deliver(document).reason

    with ThreadPoolExecutor(4) as pool:
        reasons = sorted(future.result() for future in [pool.submit(deliver) for _ in range(4)])

    assert reasons.count("done") == 1
    assert set(reasons) <= {"done", "in_progress", "duplicate", "case_contended"}
    assert deployment.outcomes(document) == CONTAINED
    assert sorted(mutations(cluster.audit)) == [
        "create networkpolicies",
        "delete pods",
        "patch nodes",
        "patch pods",
        "patch pods",
        "patch pods",
        "patch pods",
    ]


def test_a_cloud_run_finding_asks_no_cluster(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A finding in Cloud Run is captured and told; there is no pod to act on, and no cluster is asked."""
    deployment = deployed(
        tmp_path, cluster, policy("label_pod", "capture_evidence", "notify", when="surface: cloud_run")
    )
    now = utc_now().isoformat().replace("+00:00", "Z")
    document = notification("cloud_run_container_escape", event_time=now)

    deployment.respond_to(document)

    assert RUN_SOURCE in document["finding"]["name"]
    assert deployment.outcomes(document) == [
        "label_pod: pod_not_named",
        "capture_evidence: captured",
        "notify: published",
    ]
    assert deployment.clusters.asked == 0


def test_an_unpublished_outcome_comes_again(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where the outcome cannot be published the message comes again, and then nothing is done a second time."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    document = finding_about(pod)
    working, deployment.services.notifier = deployment.services.notifier, Broken()

    first = deployment.respond_to(document)
    deployment.services.notifier = working
    second = deployment.deliver(document)

    assert [(ending.status, ending.reason) for ending in (first, second)] == [
        (503, "pubsub_unavailable"),
        (204, "done"),
    ]
    assert deployment.outcomes(document) == CONTAINED
    assert mutations(cluster.audit).count("delete pods") == 1
    assert len(list(tmp_path.glob("evidence/**/manifest-*.json"))) == 1
    assert len(deployment.published.messages) == 1


class Broken:
    """An outcome topic, or a store of evidence, that cannot be reached."""

    def __init__(self, status: int = 503) -> None:
        self.status = status

    def tell(self, _notice: object) -> str:
        raise ApiError(Reason.PUBSUB.of("unavailable"), status=self.status)

    def put(self, *_arguments: object) -> bool:
        raise ApiError(Reason.EVIDENCE_FORBIDDEN, status=self.status, permission="storage.objects.create")


def test_no_deletion_without_evidence(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where the evidence cannot be kept the pod is isolated and not deleted, and the missing permission is named."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    deployment.services.evidence = Broken(403)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document)[3:9] == [
        "isolate_pod: isolated",
        "capture_evidence: evidence_forbidden",
        "cordon_node: patched",
        "delete_pod: needs_capture_evidence",
        "delete_pod: needs_capture_evidence",
        "notify: published",
    ]
    assert ending.severity == "ERROR"
    assert "storage.objects.create" in json.dumps(deployment.line)
    assert len(deployment.published.messages) == 1
    assert "delete pods" not in mutations(cluster.audit)


def test_each_delivery_leaves_one_line(deployment: Deployment, pod: Object) -> None:
    """Whatever a delivery comes to, it leaves one line that names its message."""
    deployment.respond_to(finding_about(pod))
    deployment.deliver(b"junk", message_id="22222222222222")
    labels = "logging.googleapis.com/labels"
    assert [line[labels]["message_id"] for line in deployment.lines] == ["11111111111111", "22222222222222"]


def test_an_unexpected_error_comes_again(deployment: Deployment, pod: Object) -> None:
    """An error that nobody thought of asks for the message to come again, and says where it happened."""
    deployment.services.findings = Unread()  # type: ignore[assignment]  # fails in a way nothing expects
    ending = deployment.deliver(finding_about(pod))
    assert (ending.status, ending.reason, ending.severity) == (503, "internal_error", "ERROR")
    assert "the finding was read" in deployment.line["traceback"]


def test_an_empty_body_is_junk(deployment: Deployment) -> None:
    """An empty envelope is junk, not an error."""
    assert deployment.push(push_body(b"")).reason == "no_data"
