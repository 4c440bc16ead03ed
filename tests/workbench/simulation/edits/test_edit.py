"""One edit: what it shows of what people wrote, and which way of a mode, a limit or a number widens."""

from __future__ import annotations

import pytest

from scc_responder.domain.mode import Mode
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match
from scc_responder.workbench.simulation.edits.edit import (
    Edit,
    field_edit,
    limit_edits,
    measured,
    mode_edit,
    shown_value,
)


def test_what_is_as_it_was_is_no_edit() -> None:
    """A field with the same value tells nothing."""
    assert list(field_edit("owner", "a", "a", widens=True)) == []
    assert list(mode_edit("mode", Mode.APPROVE, Mode.APPROVE)) == []
    assert list(limit_edits("limits", (Limit(most=1, within="1h"),), (Limit(most=1, within="1h"),))) == []


def test_an_edit_shows_json_data() -> None:
    """Of an entry what is given is shown, without its name: so it can be printed anywhere."""
    assert shown_value(Match(namespace=("shop",), labels={"name": "x", "tier": "web"})) == {
        "namespace": ["shop"],
        "labels": {"tier": "web"},
    }
    assert list(field_edit("when", None, ("a",), widens=False)) == [Edit(field="when", after=["a"], widens=False)]


@pytest.mark.parametrize(("before", "after", "widens"), [("dry_run", "approve", True), ("enforce", "approve", False)])
def test_a_mode_that_goes_further_widens(before: str, after: str, widens: bool) -> None:
    """Raised it widens, lowered it does not."""
    assert [edit.widens for edit in mode_edit("mode", Mode(before), Mode(after))] == [widens]


@pytest.mark.parametrize(
    ("after", "widens"),
    [
        ((), True),
        ((Limit(most=3, within="1h"),), True),
        ((Limit(most=2, within="30m"),), True),
        ((Limit(most=1, of="nodes", within="1h"),), True),
        ((Limit(most="50%", within="1h"),), True),
        ((Limit(most=2, within="2h"), Limit(most=9, within="1h")), False),
    ],
)
def test_a_limit_that_is_gone_widens(after: tuple[Limit, ...], widens: bool) -> None:
    """Unless one that remains leaves no more room: as few, in as long a time."""
    told = list(limit_edits("limits", (Limit(most=2, within="1h"),), after))
    assert told[0] == Edit(field="limits", before="2 pods within 1h", widens=widens)
    assert not any(edit.widens for edit in told[1:])


def test_measures_can_be_compared() -> None:
    """Counts, shares and times are numbers."""
    assert [measured(value) for value in (3, "25%", "10m", "0s")] == [3, 25, 600, 0]
