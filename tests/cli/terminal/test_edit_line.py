"""An edit is told in one way, by `simulate` and `prove` alike."""

from __future__ import annotations

import pytest

from scc_responder.cli.terminal.edit_line import edit_line, turned_text
from scc_responder.workbench.simulation.edits.edit import Edit


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (Edit(field="warm_up", before="10m", after="0s", widens=True), 'WIDENS   guardrails warm_up  "10m" -> "0s"'),
        (Edit(field="keep_serving", before="shop/Deployment/web", widens=True), 'removed "shop/Deployment/web"'),
        (
            Edit(field="exemptions.e", after={"name": "e"}, widens=False),
            'edited   guardrails exemptions.e  added {"name": "e"}',
        ),
    ],
)
def test_an_edit_says_whether_it_widens_and_what_turned_into_what(edit: Edit, told: str) -> None:
    """What is gone is removed, and what is new is added: nobody reads `None`."""
    assert edit_line("guardrails", edit).endswith(told)


def test_what_people_wrote_is_escaped() -> None:
    """A name that moves the cursor moves nothing on the reader's screen."""
    edit = Edit(field="a\x1b[2J", before="\x1b[1A", after="b", widens=False)
    assert "\x1b" not in edit_line("p\x1b", edit) + turned_text(edit)
