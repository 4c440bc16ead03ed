"""Which cordons are over: those with a time that has passed since anybody found the node to be cordoned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.expired_cordons import expired_cordons

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AFTER = "scc-responder/release-after"


def cordon(after: str = "24h", *, kind: str = "Node", **fields: Any) -> Step:
    """A cordon of `node-1`, made at noon."""
    annotations = {AFTER: after} if after else {}
    change = PatchObject(kind=kind, name="node-1", uid="u1", spec={"unschedulable": True}, annotations=annotations)
    known = {"status": StepStatus.DONE, "reason": "patched", "settled_at": NOON, "epoch": 1, **fields}
    return Step(action_id="id", action="cordon_node", change=stored(change), expected_uid="u1", **known)


def case(*steps: Step, key: str = "aa", **fields: Any) -> CaseRecord:
    known = {"state": CaseState.DONE, "steps": steps, **fields}
    return CaseRecord(finding_key=key, finding_name="f", event_time=NOON, digest="d", **known)


def expired(*records: CaseRecord, hours: float = 25) -> dict[str, frozenset[str]]:
    return expired_cordons(records, NOON + timedelta(hours=hours))


def test_a_cordon_is_over_once_its_time_is() -> None:
    """Not a moment before, and counted from the cordon."""
    assert expired(case(cordon()), hours=23.9) == {}
    assert expired(case(cordon()), hours=24) == {"aa": frozenset({"id/0"})}


@pytest.mark.parametrize(
    "step",
    [
        cordon(""),
        cordon("soon"),
        cordon(kind="Pod"),
        cordon(status=StepStatus.DRY_RUN, reason="would_patch"),
        cordon(status=StepStatus.HELD, reason="limit_cluster"),
        cordon(reason="already"),
        cordon(settled_at=None),
    ],
    ids=["no-time", "no-duration", "a-pod", "rehearsed", "held", "somebody-elses", "unsettled"],
)
def test_nothing_else_is_over(step: Step) -> None:
    """A cordon without a time stays, and so does what is no cordon of ours."""
    assert expired(case(step), hours=9999) == {}


def test_what_was_taken_back_is_over_already() -> None:
    """It is not taken back twice."""
    back = Step(action_id="b", action="cordon_node", status=StepStatus.DONE, undoes="id/0", epoch=1, settled_at=NOON)
    assert expired(case(cordon(), back)) == {}


def test_another_case_on_the_node_begins_the_time_anew() -> None:
    """It found the node cordoned, as it wanted: the node stays so for the whole time from then on."""
    found = Step(action_id="o", action="cordon_node", status=StepStatus.SKIPPED, reason="already_cordoned", epoch=1)
    later = NOON + timedelta(hours=10)
    fields: dict[str, Any] = {"key": "bb", "decision": {"pod": {"node": "node-1"}}, "closed_at": later}
    assert expired(case(cordon()), case(found, **fields)) == {}
    assert expired(case(cordon()), case(found, **fields), hours=34) == {"aa": frozenset({"id/0"})}
    elsewhere = {**fields, "decision": {"pod": {"node": "node-2"}}}
    assert expired(case(cordon()), case(found, **elsewhere)) == {"aa": frozenset({"id/0"})}


@pytest.mark.parametrize("annotations", [7, [7], "x", {AFTER: 7}, None])
def test_a_damaged_cordon_hides_no_other(annotations: Any) -> None:
    """Whoever may write the store could put it there: nobody knows its time."""
    sound = cordon()
    odd = msgspec.structs.replace(sound, change={**sound.change, "annotations": annotations})
    assert expired(case(odd), case(sound, key="bb")) == {"bb": frozenset({"id/0"})}
