"""Of which holds people are told once for a workload, and of which each time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import StepStatus
from scc_responder.execute.told_as_one import is_told_as_one
from tests.kits.executions import ExecutionWorld
from tests.kits.journal_worlds import JournalWorld, step

KEYS = ("0a" * 32, "0b" * 32)
OTHER = {"uid": "44444444-4444-4444-8444-444444444444"}


def told(world: JournalWorld, reason: str, *, isolated: bool, pods: tuple[dict[str, str], ...]) -> list[bool]:
    """Whether each of two cases, one for each pod, is told by the other one's message."""
    executions, found = ExecutionWorld(journal=world), []
    for key, pod in zip(KEYS, pods, strict=True):
        execution = executions.execution(world.held(key=key), finding={"key": key}, pod=pod)
        execution.world = execution.world.__class__(
            **{name: getattr(execution.world, name) for name in execution.world.__slots__} | {"store": world.store}
        )
        done = replace(step(1), action="isolate_pod", status=StepStatus.DONE, epoch=execution.case.record.epoch)
        execution.pending += [done] if isolated else []
        held = replace(step(2), action="delete_pod", status=StepStatus.HELD, reason=reason)
        found.append(is_told_as_one(execution, [held]))
    return found


ROWS = [
    pytest.param("limit_owner", True, [False, True], id="isolated-and-held-by-a-limit"),
    pytest.param("disruption_budget", True, [False, True], id="isolated-and-held-by-availability"),
    pytest.param("limit_owner", False, [False, False], id="not-isolated"),
    pytest.param("namespace_protected", True, [False, False], id="held-by-something-else"),
]


@pytest.mark.parametrize(("reason", "isolated", "expected"), ROWS)
def test_one_message_stands_for_a_workload(
    world: JournalWorld, reason: str, expected: list[bool], *, isolated: bool
) -> None:
    """Only what is cut off, and held by limits or availability: else each pod is told of."""
    assert told(world, reason, isolated=isolated, pods=({}, OTHER)) == expected


def test_the_same_pod_is_told_of_once(world: JournalWorld) -> None:
    """Another finding about a pod that is held says nothing new for ten minutes."""
    assert told(world, "limit_namespace", isolated=False, pods=({}, {})) == [False, True]
