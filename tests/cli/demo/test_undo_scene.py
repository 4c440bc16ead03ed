"""The demonstration's end, where something does not come as it has to."""

from __future__ import annotations

import io
from typing import Any

from scc_responder.cli.demo.undo_scene import UndoScene
from scc_responder.cli.terminal.screen import Screen

NO_SERVICES: Any = None


def test_a_case_that_is_not_there_is_noticed() -> None:
    """Nothing is asked of anybody, and the demonstration fails."""
    stream = io.StringIO()
    scene = UndoScene(Screen(stream), NO_SERVICES, lambda: None, list, list)
    assert [check.held for check in scene.play([])] == [False]
    assert stream.getvalue() == ""
