"""How the demonstration knows what happened: by the audit log and by hashes, not by what it was told."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.status import StepStatus
from scc_responder.execute.evidence.dsse import in_toto_statement
from scc_responder.execute.evidence.sealing import seal
from scc_responder.journal.step import Step
from scc_responder.workbench.simulated_cluster.server.request import AuditEvent
from scc_responder.workbench.simulated_cluster.story.observation import (
    Observation,
    captured,
    delivery_expectations,
    list_difference,
    proof,
)
from scc_responder.workbench.simulated_cluster.story.scenario import Delivery

NOW = datetime.now(UTC)
UID = "11111111-1111-4111-8111-111111111111"
NOWHERE = Path("/nonexistent")


def event(verb: str, resource: str = "pods", name: str = "web-1", **fields: Any) -> AuditEvent:
    """One request of the audit log."""
    given = {"user": "responder", "namespace": "shop", "code": 200, "uri": "/", "received": NOW, "completed": NOW}
    return AuditEvent(verb=verb, resource=resource, name=name, **{**given, **fields})


def patch(action_id: str = "a1", marker: str = "scc-responder/action-id", **fields: Any) -> AuditEvent:
    """A patch that carries an action's mark."""
    place = "labels" if marker == "scc-responder/armed-by" else "annotations"
    return event("patch", request={"metadata": {place: {marker: action_id}}}, **fields)


def delete(uid: str = UID, version: str = "7") -> AuditEvent:
    """A deletion bound to a UID and, if given, a version."""
    conditions = {"uid": uid, **({"resourceVersion": version} if version else {})}
    return event("delete", request={"preconditions": conditions})


def eviction(uid: str = UID, version: str = "7") -> AuditEvent:
    """An eviction of the pod, bound like a deletion."""
    options = delete(uid, version).request
    return event("create", subresource="eviction", request={"metadata": {"name": "web-1"}, "deleteOptions": options})


def step(action: str = "label_pod", reason: str = "patched", change: str = "patch", **fields: Any) -> Step:
    """A step that the journal has as done."""
    given: dict[str, Any] = {"action_id": "a1", "status": StepStatus.DONE, "expected_uid": UID}
    return Step(**{**given, "action": action, "reason": reason, "change": {"change": change}, **fields})


def insert(uid: str = UID, **fields: Any) -> AuditEvent:
    """A container that is put into the pod of this UID."""
    body = {"metadata": {"uid": uid}, "spec": {"ephemeralContainers": [{"name": "scc-responder-cut-a"}]}}
    return event("patch", subresource="ephemeralcontainers", request=body, **fields)


READ = event("get")
TOLD = event("get", subresource="log")
POLICY = event(
    "create", "networkpolicies", "p", request={"metadata": {"annotations": {"scc-responder/action-id": "a1"}}}
)
LISTED = event("list", "networkpolicies", "")


@pytest.mark.parametrize(
    ("found", "events", "known"),
    [
        (step(), [patch(), READ], "verified"),
        (step(), [READ, patch()], ""),
        (step(), [patch()], ""),
        (step(), [], ""),
        (step(), [patch("a2"), READ], ""),
        (step(), [patch(), event("get", name="web-2")], ""),
        (step(), [patch(), event("get", namespace="bank")], ""),
        (step(), [patch(), event("get", "nodes")], ""),
        (step(reason="already"), [READ], "already"),
        (step(reason="already"), [POLICY, LISTED], "already"),
        (step("isolate_pod", "already_labeled"), [POLICY, LISTED], "already"),
        (step("isolate_pod", "isolated", "create_network_policy"), [POLICY, LISTED], "verified"),
        (step("isolate_pod", "isolated", "create_network_policy"), [patch(), READ], ""),
        (step("delete_pod", "deleted", "delete_pod"), [delete(), event("get", code=404)], "verified"),
        (step("delete_pod", "deleted", "delete_pod"), [delete("other"), READ], ""),
        (step("delete_pod", "armed", change="patch"), [delete(), READ], ""),
        (step("evict_pod", "evicted", "create_network_policy"), [eviction(), event("get", code=404)], "verified"),
        (step("evict_pod", "evicted", "create_network_policy"), [eviction("other"), READ], ""),
        (step("sever_connections", "severed", "sever_connections"), [insert(), TOLD], "verified"),
        (step("freeze_process", "frozen", "freeze_process"), [insert(), READ], ""),
        (step("freeze_process", "frozen", "freeze_process"), [insert("other"), TOLD], ""),
        (step("freeze_process", "frozen", "freeze_process"), [insert(dry_run=True), TOLD], ""),
        (step(status=StepStatus.HELD), [patch(), READ], ""),
        (step(status=StepStatus.FAILED), [patch(), READ], ""),
    ],
    ids=[
        "read-after-write",
        "read-before-write",
        "not-read",
        "not-written",
        "another-action",
        "another-pod-read",
        "another-namespace-read",
        "another-kind-read",
        "already",
        "already-whatever-else-was-written",
        "labeled-by-another-finding",
        "policy-listed",
        "policy-not-created",
        "gone",
        "another-pod-deleted",
        "arming-is-no-deletion",
        "evicted",
        "another-pod-evicted",
        "container-tells",
        "container-not-asked",
        "container-in-another-pod",
        "container-only-rehearsed",
        "held",
        "failed",
    ],
)
def test_only_the_audit_log_verifies_a_step(found: Step, events: list[AuditEvent], known: str) -> None:
    """A step is verified only if the audit log shows its own write, and then a read of the same object."""
    assert proof(found, events, NOWHERE) == known


def test_arming_has_its_own_label() -> None:
    """The arming of a deletion is known by a label of its own."""
    armed = step("delete_pod", "armed", change="patch")
    armed = Step(**{name: getattr(armed, name) for name in armed.__struct_fields__} | {"change": ARMING})
    assert proof(armed, [patch(marker="scc-responder/armed-by"), READ], NOWHERE) == "verified"
    assert proof(armed, [patch(), READ], NOWHERE) == ""


ARMING = {"change": "patch", "marker": "scc-responder/armed-by"}


MANIFEST = f"cases/0a0a0a0a0a0a/manifest-{'0' * 16}.json"


def capture(folder: Path, **contents: str) -> str:
    """Store evidence with its manifest, and return what the step says of it."""
    for name, content in contents.items():
        (folder / name).write_text(content)
    listed = [{"name": name, "sha256": sha256(text.encode()).hexdigest()} for name, text in contents.items()]
    manifest = seal("0a0a0a0a0a0a", in_toto_statement({}, {"objects": listed}), None).manifest
    (folder / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_bytes(manifest.content)
    return f"{MANIFEST} sha256 {manifest.sha256}"


def test_evidence_is_verified_by_hashes(tmp_path: Path) -> None:
    """Evidence is verified by computing every hash again."""
    detail = capture(tmp_path, pod="{}", node="[]")
    assert captured(tmp_path, detail) == 2
    assert proof(step("capture_evidence", "captured", detail=detail), [], tmp_path) == "verified"


def test_whatever_keeps_evidence_is_verified_so(tmp_path: Path) -> None:
    """Logs and what a look keeps are known by their manifests, not by requests."""
    detail = capture(tmp_path, log="{}")
    for action in ("capture_logs", "inspect_container"):
        assert proof(step(action, "captured", detail=f"2 lines; {detail}"), [], tmp_path) == "verified"
        assert proof(step(action, "captured", detail=f"2 lines; {detail}"), [insert(), TOLD], NOWHERE) == ""


def test_asking_for_a_form_is_no_write() -> None:
    """Whether a container is let in is asked by dry run: that is not what the delivery does."""
    asked = (insert(dry_run=True), insert(), *EVENTS)
    assert failed(seen(events=asked)) == ["1. A finding: writes besides patch pods/ephemeralcontainers"]


def test_a_second_container_may_come_between_any_steps() -> None:
    """It is put in while they go on; the first has its place among them."""
    first, second, label = insert(), insert(), event("patch")
    shown = [seen(events=events).writes for events in ((first, label, second), (first, second, label), (label, first))]
    assert shown == [(first, second, label), (first, second, label), (label, first)]


@pytest.mark.parametrize("name", ["pod", "node", MANIFEST])
def test_evidence_that_was_changed(name: str, tmp_path: Path) -> None:
    """One byte more in any object, or in the manifest, and nothing is verified."""
    detail = capture(tmp_path, pod="{}", node="[]")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b" ")
    assert captured(tmp_path, detail) == 0
    assert proof(step("capture_evidence", "captured", detail=detail), [], tmp_path) == ""


@pytest.mark.parametrize("detail", ["", f"{MANIFEST} sha256 {'0' * 64}", MANIFEST, "pod sha256 00"], ids=repr)
def test_evidence_that_is_not_there(detail: str, tmp_path: Path) -> None:
    """A manifest that is not there, or is none, verifies nothing."""
    capture(tmp_path, pod="{}")
    assert captured(tmp_path, detail) == 0


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        (["a", "b"], ["a", "b"], ""),
        ([], [], ""),
        (["a", "b"], ["a"], " without b"),
        (["a"], ["a", "c"], " besides c"),
        (["a"], ["c"], " without a; besides c"),
        (["a"], ["a", "a"], " besides a"),
        (["a", "b"], ["b", "a"], " in another order"),
    ],
    ids=["same", "none", "missing", "more", "other", "twice", "order"],
)
def test_each_difference_is_named(expected: list[str], found: list[str], told: str) -> None:
    """What differs is named, and doing something twice is a difference."""
    assert list_difference(expected, found) == told


EXPECTED = Delivery(
    title="A finding",
    about="",
    data=b"",
    reason="done",
    steps=("label_pod: patched", "delete_pod: deleted"),
    writes=("patch pods", "delete pods"),
)
STEPS = (step(), step("delete_pod", "deleted", "delete_pod"))
EVENTS = (patch(), READ, delete(), event("get", code=404))


def seen(**fields: Any) -> Observation:
    """A delivery that went as it had to, but for these fields."""
    given: dict[str, Any] = {
        "number": 1,
        "delivery": EXPECTED,
        "status": 204,
        "line": {"logging.googleapis.com/labels": {"reason": "done"}},
        "steps": STEPS,
        "decision": {},
        "events": EVENTS,
        "seconds": 0.1,
    }
    return Observation(**{**given, **fields})


def failed(found: Observation) -> list[str]:
    """The names of the expectations that did not hold."""
    return [check.name for check in delivery_expectations(found, NOWHERE) if not check.held]


def test_an_expected_delivery_passes_all_checks() -> None:
    """A delivery that went as it had to meets every expectation."""
    assert failed(seen()) == []
    assert len(list(delivery_expectations(seen(), NOWHERE))) == 9


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"status": 503}, ["1. A finding: answered 204, not 503"]),
        ({"line": {}}, ["1. A finding: ended done, not not_logged"]),
        ({"steps": STEPS[:1]}, ["1. A finding: steps without delete_pod: deleted"]),
        (
            {"events": (*EVENTS, patch())},
            ["1. A finding: writes besides patch pods"],
        ),
        ({"events": (*EVENTS, *[READ] * 37)}, ["1. A finding: at most 40 requests, not 41"]),
        (
            {"events": (patch(), READ, delete())},
            ["1. A finding: delete_pod (deleted) was read back"],
        ),
        (
            {"events": (patch(), READ, delete(version=""), READ)},
            ["1. A finding: deleted by UID and version"],
        ),
        (
            {"events": (*EVENTS, eviction(version=""))},
            ["1. A finding: writes besides create pods/eviction", "1. A finding: deleted by UID and version"],
        ),
    ],
    ids=[
        "answer",
        "not-logged",
        "step",
        "a-write-too-many",
        "too-many-requests",
        "not-read-back",
        "no-version",
        "eviction",
    ],
)
def test_not_as_expected(fields: dict[str, Any], names: list[str]) -> None:
    """Whatever went otherwise is named, and nothing else."""
    assert failed(seen(**fields)) == names
