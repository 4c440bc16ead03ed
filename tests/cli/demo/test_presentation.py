"""The demonstration has a line for every kind of change, by what the kind declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.cli.demo import presentation
from scc_responder.domain.changes import change_classes, stored
from scc_responder.domain.status import StepStatus
from scc_responder.journal.step import Step
from tests.domain.changes.test_changes import EXAMPLES

NOWHERE = Path("/nonexistent")
CHANGING = sorted(tag for tag, kind in change_classes().items() if not kind.declares.observes)
REPLACED = "its controller starts a clean one"


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes that do not fit are left out."""
    monkeypatch.setenv("COLUMNS", "120")


def line(change: dict[str, Any], reason: str = "some_reason", status: StepStatus = StepStatus.DONE) -> str:
    """The line of a step with this change."""
    step = Step(action_id="a1", action="some_action", status=status, reason=reason, change=change)
    return presentation.step(step, (), NOWHERE)


@pytest.mark.parametrize("tag", CHANGING)
def test_each_kind_of_change_has_its_line(tag: str) -> None:
    """A kind that was added a minute ago is shown too: its action, its outcome, and whether the pod is replaced."""
    shown = line(stored(EXAMPLES[tag]))
    assert shown.split()[:3] == ["some_action", "done", "some_reason"]
    assert (REPLACED in shown) is change_classes()[tag].declares.ends_pod


NOTES = [
    pytest.param({"change": "patch", "kind": "Node", "name": "n1"}, "patched", StepStatus.DONE, "n1", id="node"),
    pytest.param({"change": "patch", "labels": {"a": "b"}}, "patched", StepStatus.DONE, "a=b", id="labels"),
    pytest.param({"change": "patch", "annotations": {"a": "b"}}, "patched", StepStatus.DONE, "", id="annotations"),
    pytest.param({"change": "delete_pod"}, "pod_static", StepStatus.HELD, "", id="held"),
    pytest.param({"change": "patch"}, "armed", StepStatus.DONE, "only this UID, only this version", id="armed"),
    pytest.param({"change": "of_a_later_version"}, "done", StepStatus.DONE, "", id="of-a-later-version"),
]


@pytest.mark.parametrize(("change", "reason", "status", "note"), NOTES)
def test_a_note_says_what_was_changed(change: dict[str, Any], reason: str, status: StepStatus, note: str) -> None:
    """The note is what the change was about; where nothing was done there is none."""
    assert line(change, reason, status).rstrip().endswith(note or reason)
