"""The heartbeat proves the way to a record, and a forged one can do no more than that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName
from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.journal.journal import LEASE
from scc_responder.pipeline.heartbeat import HEARTBEAT_ID
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import push_body
from tests.kits.journal_worlds import FaultyStore
from tests.kits.responder import ALL, SOURCE, Deployment, deployed, finding_about, policy

NAME = f"organizations/1/sources/{SOURCE}/locations/global/findings/{HEARTBEAT_ID}"
MESSAGE: dict[str, Any] = {
    "finding": {"name": NAME, "category": "HEARTBEAT", "state": "ACTIVE", "eventTime": "2020-01-01T00:00:00Z"}
}
"""What Cloud Scheduler publishes, as docs/operate.md has it."""


class Asked:
    """`ports.Findings` that counts, and answers with one finding or an error."""

    def __init__(self, answer: Mapping[str, Any] | ApiError | None = None) -> None:
        self.answer = answer
        self.names: list[str] = []

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        self.names.append(finding.name)
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer

    def related(self, _finding: Finding) -> Sequence[Any]:
        raise AssertionError("a heartbeat has no related findings")


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    made = deployed(tmp_path, cluster, policy(*ALL))
    made.services.findings = Asked()
    return made


def case_bytes(deployment: Deployment) -> bytes:
    parsed = FindingName.parse(NAME)
    assert parsed is not None
    entry = deployment.services.store.get(f"case/{parsed.key}")
    assert entry is not None
    return entry.value


def test_a_beat_asks_security_command_center_once(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """Security Command Center is asked once, the record says `heartbeat`, and metrics can count it."""
    ending = deployment.deliver(MESSAGE)
    assert (ending.status, ending.reason, ending.severity) == (204, "heartbeat", "NOTICE")
    assert deployment.services.findings.names == [NAME]  # type: ignore[attr-defined]
    assert deployment.line["logging.googleapis.com/labels"]["reason"] == "heartbeat"
    assert (deployment.clusters.asked, list(cluster.audit), deployment.published.messages) == (0, [], [])
    assert json.loads(case_bytes(deployment))["reason"] == "heartbeat"


def test_a_beat_costs_little(tmp_path: Path, deployment: Deployment) -> None:
    """Each beat but the first costs two reads, two writes and one question; its case does not grow."""
    store = FaultyStore(SqliteStore(tmp_path / "journal.db"))
    deployment.services.store = store
    deployment.deliver(MESSAGE)
    first, sizes = (store.reads, store.writes), []
    for _ in range(30):
        before = (store.reads, store.writes)
        assert deployment.deliver(MESSAGE).reason == "heartbeat"
        assert (store.reads - before[0], store.writes - before[1]) == (2, 2)
        sizes.append(len(case_bytes(deployment)))
    assert first == (3, 2)
    assert max(sizes) - min(sizes) <= 4
    assert len(deployment.services.findings.names) == 31  # type: ignore[attr-defined]


def forged(pod: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return finding_about(pod, finding_id=HEARTBEAT_ID, **changes)


FORGED = [
    pytest.param({}, id="a-real-pod"),
    pytest.param({"event_time": "2999-01-01T00:00:00Z"}, id="from-the-future"),
    pytest.param({"finding": {"state": "INACTIVE"}}, id="inactive"),
    pytest.param({"finding": {"mute": "MUTED"}}, id="muted"),
]


@pytest.mark.parametrize("changes", FORGED)
@pytest.mark.parametrize("known", [False, True], ids=["unknown-to-scc", "known-to-scc"])
def test_a_forged_beat_asks_no_cluster(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], changes: dict[str, Any], *, known: bool
) -> None:
    """One that names a real pod causes no request to any cluster, even where Security Command Center has it."""
    document = forged(pod, **changes)
    asked = Asked(document if known else None)
    deployment.services.findings = asked

    endings = [deployment.deliver(document) for _ in range(3)]

    assert {(ending.status, ending.reason) for ending in endings} == {(204, "heartbeat")}
    assert (deployment.clusters.asked, list(cluster.audit), deployment.published.messages) == (0, [], [])
    assert len(asked.names) == 3


def test_the_same_finding_with_another_id(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """It is the id that makes it a heartbeat: what is otherwise the same is contained."""
    deployment.services.findings = FindingsFolder(deployment.findings, deployment.services.settings.sources)
    assert deployment.respond_to(finding_about(pod)).reason == "done"


def test_a_beat_of_another_source_is_settled(deployment: Deployment) -> None:
    """A heartbeat of a source that is not listed is settled like any other finding of it: that is a wrong setting."""
    message = {"finding": {**MESSAGE["finding"], "name": NAME.replace(SOURCE, "999")}}
    assert deployment.deliver(message).reason == "source_not_allowed"
    assert deployment.services.findings.names == []  # type: ignore[attr-defined]


def test_no_answer_means_no_heartbeat(deployment: Deployment) -> None:
    """While Security Command Center does not answer there is no heartbeat, and the reason names the permission."""
    error = ApiError(Reason.SCC.of("permission_denied"), status=403, permission="securitycenter.findings.list")
    deployment.services.findings = Asked(error)
    ending = deployment.deliver(MESSAGE)
    assert (ending.status, ending.reason) == (503, "scc_permission_denied")
    assert "securitycenter.findings.list" in deployment.line["error"]
    deployment.services.findings = Asked()
    assert deployment.deliver(MESSAGE).reason == "heartbeat"


def test_a_store_down_means_no_heartbeat(tmp_path: Path, deployment: Deployment) -> None:
    """Nor while the store does not."""
    store = FaultyStore(SqliteStore(tmp_path / "journal.db"))
    deployment.services.store = store
    deployment.deliver(MESSAGE)
    store.fail = "all"
    assert (deployment.deliver(MESSAGE).status, deployment.line["status"]) == (503, 503)


def test_two_at_once(deployment: Deployment) -> None:
    """While one is under way another comes again; once its holder is dead, it does not stay in the way."""
    deployment.deliver(MESSAGE)
    inner = []

    class Meanwhile(Asked):
        def read(self, finding: Finding) -> None:
            deployment.services.findings = Asked()
            inner.append(deployment.deliver(MESSAGE))

    deployment.services.findings = Meanwhile()
    outer = deployment.deliver(MESSAGE)
    assert (inner[0].status, inner[0].reason, outer.reason) == (503, "in_progress", "heartbeat")

    class Dies(BaseException):
        pass

    class Killed(Asked):
        def read(self, finding: Finding) -> None:
            raise Dies

    deployment.services.findings = Killed()
    with pytest.raises(Dies):
        deployment.push(push_body(MESSAGE))
    deployment.services.findings = Asked()
    now = deployment.services.clock() + LEASE
    deployment.set_clock(lambda: now)
    assert deployment.deliver(MESSAGE).reason == "heartbeat"


def _nobody_turned_it(deployment: Deployment) -> None:
    entry = deployment.services.store.get(GLOBAL)
    assert entry is not None
    deployment.services.store.delete(entry.key, entry.version)


def _nonsense(deployment: Deployment) -> None:
    entry = deployment.services.store.get(GLOBAL)
    assert entry is not None
    deployment.services.store.replace(entry.key, b"on", entry.version)


SWITCHES = [
    *(pytest.param(lambda made, mode=mode: made.turn(mode), mode, id=mode) for mode in map(str, Mode)),
    pytest.param(_nobody_turned_it, "missing", id="missing"),
    pytest.param(_nonsense, "unusable", id="unusable"),
]


@pytest.mark.parametrize(("turn", "word"), SWITCHES)
def test_how_far_anything_may_go(
    deployment: Deployment, cluster: SimulatedCluster, turn: Callable[[Deployment], None], word: str
) -> None:
    """However the kill switch stands the heart beats, and its record and log line say how: `missing` means unused."""
    turn(deployment)
    assert deployment.deliver(MESSAGE).reason == "heartbeat"
    unset = word in {"missing", "unusable"}
    assert (deployment.line["control"], deployment.line["severity"]) == (word, "ERROR" if unset else "NOTICE")
    told = [item["attributes"]["reason"] for item in deployment.published.messages]
    assert told == ([f"control_{word}"] if unset else [])
    assert json.loads(case_bytes(deployment))["decision"] == {"control": word}
    assert (deployment.clusters.asked, list(cluster.audit)) == (0, [])


def test_turned_between_two_beats(deployment: Deployment) -> None:
    """Each beat tells of the switch as it stands then."""
    deployment.deliver(MESSAGE)
    deployment.turn("dry_run")
    deployment.deliver(MESSAGE)
    assert [line["control"] for line in deployment.lines] == ["enforce", "dry_run"]
