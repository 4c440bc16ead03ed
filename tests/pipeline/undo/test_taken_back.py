"""Which steps of a case are taken back, in which order, and what stays for the others of its pod."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import Change, stored
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy, Enforcement
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ISOLATED_POD, case_labels
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.pipeline.undo.taken_back import TakenBack, taken_back
from scc_responder.pipeline.undo.undo_changes.release_object import ReleaseObject
from scc_responder.pipeline.undo.undo_record import undo_step

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POD = {"namespace": "shop", "name": "web-1", "uid": "u1"}
LABEL = PatchObject(kind="Pod", **POD, labels={ISOLATED_POD: "u1"})
EVIDENCE = CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid="u1")
DELETION = DeletePod(**POD, grace_period_seconds=5)


def policy(case: str = "a") -> CreateNetworkPolicy:
    return CreateNetworkPolicy(
        namespace="shop",
        name=f"scc-responder-{case}",
        pod_name="web-1",
        pod_uid="u1",
        selector={ISOLATED_POD: "u1"},
        effective=Enforcement.ENFORCED,
    )


def marks(key: str, **labels: str) -> PatchObject:
    return PatchObject(kind="Pod", **POD, labels={**case_labels(key), **labels})


def step(change: Change, number: int = 0, **fields: Any) -> Step:
    target = change.target
    known = {"status": StepStatus.DONE, "reason": "patched", "settled_at": NOW, "action": "a", **fields}
    uid = target.uid if target else ""
    return Step(action_id=f"id-{number}", index=number, change=stored(change), expected_uid=uid, **known)


def case(*steps: Step, key: str = "aaaa") -> CaseRecord:
    return CaseRecord(finding_key=key, finding_name=key, event_time=NOW, digest="d", steps=steps)


def inverses(items: list[TakenBack]) -> list[Change | None]:
    return [item.inverse for item in items]


def test_the_label_comes_after_the_policies_that_select_it() -> None:
    """Else the last step first: in between, the pod stays isolated rather than half free."""
    first = case(step(marks("aaaa"), 1), step(LABEL, 2), step(policy("a"), 3))
    second = case(step(LABEL, 4, reason="already_labeled"), step(policy("b"), 5), key="bbbb")
    items = taken_back(first, [second])
    assert [(item.key, item.step.index) for item in items] == [
        ("aaaa", 3),
        ("aaaa", 1),
        ("bbbb", 5),
        ("aaaa", 2),
        ("bbbb", 4),
    ]
    assert [item.step.index for item in taken_back(first, [second], only=True)] == [3, 1, 2]


NOT_TAKEN_BACK: list[Any] = [
    pytest.param(step(LABEL, status=StepStatus.DRY_RUN), id="rehearsed"),
    pytest.param(step(LABEL, status=StepStatus.HELD), id="held"),
    pytest.param(step(LABEL, status=StepStatus.WAITING), id="waiting"),
    pytest.param(step(marks("aaaa"), reason="already"), id="it-was-so-before"),
    pytest.param(step(EVIDENCE), id="it-observes"),
    pytest.param(step(DELETION, status=StepStatus.FAILED), id="no-deletion"),
    pytest.param(Step(action_id="id", status=StepStatus.DONE), id="no-change"),
]


@pytest.mark.parametrize("made", NOT_TAKEN_BACK)
def test_what_changed_nothing_is_not_taken_back(made: Step) -> None:
    """Nor what was not ours to begin with."""
    assert taken_back(case(made)) == []


@pytest.mark.parametrize("status", [StepStatus.INTENT, StepStatus.UNKNOWN, StepStatus.FAILED, StepStatus.NOT_EFFECTIVE])
def test_what_may_have_been_made_is_looked_for(status: StepStatus) -> None:
    """A request may have gone out: the inverse itself reads what stands."""
    assert inverses(taken_back(case(step(LABEL, status=status)))) == [inverse_of(LABEL)]


def test_what_nothing_takes_back_says_why() -> None:
    """A deletion, a change whose fields the record lost, and one that names two objects."""
    shortened = replace(step(LABEL), change={"change": "patch", "kind": "Pod"})
    moved = replace(step(LABEL), expected_uid="u2")
    for made, said in ((step(DELETION), "does not come back"), (shortened, "does not say"), (moved, "two objects")):
        (item,) = taken_back(case(made))
        assert item.inverse is None
        assert said in item.why


def test_what_was_taken_back_is_not_listed_again() -> None:
    """Unless it was done again since."""
    record = case(step(marks("aaaa"), 1))
    (made,) = record.steps
    undone = replace(undo_step(record, made, None, NOW + timedelta(minutes=1)), status=StepStatus.DONE)
    undone = replace(undone, settled_at=NOW + timedelta(minutes=1))
    assert taken_back(case(made, undone)) == []
    again = replace(made, settled_at=NOW + timedelta(minutes=2))
    assert [item.step for item in taken_back(case(again, undone))] == [again]
    refused = replace(undone, status=StepStatus.HELD)
    assert [item.step for item in taken_back(case(made, refused))] == [made]


def kept(record: CaseRecord, *others: CaseRecord, **options: Any) -> list[tuple[str, ...]]:
    items = inverses(taken_back(record, others, **options))
    return [change.kept for change in items if isinstance(change, ReleaseObject)]


def test_what_another_case_needs_is_kept() -> None:
    """A label of the same value, and the label of an isolation where this case alone ends."""
    threat = {"scc-responder/threat": "suspected"}
    first = case(step(marks("aaaa", **threat), 1), step(LABEL, 2))
    same = case(step(marks("bbbb", **threat), 3), step(LABEL, 4), key="bbbb")
    other = case(step(marks("bbbb", **{"scc-responder/threat": "refuted"}), 3), key="bbbb")
    assert kept(first, same, only=True) == [("scc-responder/threat",), (ISOLATED_POD,)]
    assert kept(first, same)[:1] == [("scc-responder/threat",)]
    assert kept(first, same)[1:] == [(), ()]
    assert kept(first, other, only=True) == [(), ()]
    assert kept(first, foreign=["u1"]) == [(), (ISOLATED_POD,)]
