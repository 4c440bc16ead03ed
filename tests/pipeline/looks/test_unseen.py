"""What a look cannot see stands in the record with its reason: what is so inside a pod, and what was left out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.case import case_text
from scc_responder.domain.changes import stored
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, FrozenProcess, StepStatus
from scc_responder.journal.account.account import account_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.step import Step
from scc_responder.journal.watch.looks_due import due_at
from scc_responder.journal.watch.watch import LookNote
from scc_responder.pipeline.looks.unseen import unseen_effects
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.domain.changes.test_changes import EXAMPLES
from tests.kits.responder import deployed, finding_about, policy
from tests.pipeline.looks.test_look_sweep import MINUTE, later, looked

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def step(tag: str, containment: str = "", **fields: Any) -> Step:
    """A step that was done, by an example of its change."""
    made = {"change": stored(EXAMPLES[tag]), "status": StepStatus.DONE, "settled_at": NOON, "epoch": 1, **fields}
    return Step(action_id=tag, action=tag, expected_uid="u1", containment=containment, **made)


SEVERED = step("sever_connections", "severed")
FROZEN = step("freeze_process", "frozen", frozen=(FrozenProcess(pid=7, start_ticks=1),))
THAWED = step("thaw_process", reason=Reason.THAWED)
DELETED = step("delete_pod", "deleted")
BARE = step("create_network_policy", "isolated", change={"change": "create_network_policy"})


def case(*steps: Step) -> CaseRecord:
    return CaseRecord(
        finding_key="0a" * 32, finding_name="f", event_time=NOON, digest="d", state=CaseState.DONE, steps=steps
    )


CASES: list[Any] = [
    pytest.param((SEVERED,), ["severed: only_in_container"], id="severed"),
    pytest.param((SEVERED, FROZEN), ["severed: only_in_container", "frozen: only_in_container"], id="frozen too"),
    pytest.param((FROZEN, FROZEN), ["frozen: only_in_container"], id="once"),
    pytest.param((FROZEN, THAWED), [], id="thawed"),
    pytest.param((SEVERED, FROZEN, DELETED), [], id="the pod was ended"),
    pytest.param((BARE,), ["create_network_policy: change_not_kept"], id="left out"),
]


@pytest.mark.parametrize(("steps", "expected"), CASES)
def test_each_effect_inside_the_pod_is_unseen(steps: tuple[Step, ...], expected: list[str]) -> None:
    """By what the steps read back; not what was let go on again, nor in a pod that is gone."""
    assert [f"{note.about}: {note.reason}" for note in unseen_effects(case(*steps), steps)] == expected


def test_it_stands_in_the_record_and_is_shown_from_there(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """The look says that the pod is isolated still, and that nobody saw whether its connections are open again."""
    made, document = deployed(tmp_path, cluster, policy("isolate_pod", "notify")), finding_about(pod)
    made.respond_to(document)
    record, store = made.case(document), made.services.store
    entry = store.get(f"case/{record.finding_key}")
    assert entry is not None
    steps = tuple(replace(item, containment="severed") if item.containment else item for item in record.steps)
    store.replace(entry.key, encode(replace(record, steps=steps)), entry.version, due_at=due_at(record))
    later(made, MINUTE)
    assert looked(made) == {"still_contained": 1}
    seen = made.case(document)
    assert seen.watch is not None
    told = "whether connections are open again"
    assert seen.watch.looks[-1].unseen == (LookNote(about="severed", reason="only_in_container", detail=told),)
    words = f"severed: only_in_container ({Reason.ONLY_IN_CONTAINER.meaning}); {told}"
    assert f"unseen    {words}" in "\n".join(case_text.case(seen, NOON))
    lines = [line for answer in account_of(seen).answers for line in answer.lines]
    assert [line.text for line in lines if line.name == "no look sees"] == [words]
