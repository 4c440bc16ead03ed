"""What one situation shows of a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.policy.decide import Decision
from scc_responder.workbench.proof.claims import ClaimKind
from scc_responder.workbench.proof.made_situation import TargetWords
from scc_responder.workbench.proof.two_packs import less_done, more_done
from tests.workbench.proof.test_judged_situation import decision

SHELL = "contain-shell.yaml"


@pytest.fixture
def before(tmp_path: Path) -> Decision:
    """What the small pack does about a reverse shell."""
    return decision(tmp_path / "before", TargetWords())


@pytest.mark.parametrize(
    ("edit", "action", "more", "less"),
    [
        (("  - action: isolate_pod\n", "  - action: isolate_pod\n  - action: label_pod\n"), "label_pod", "added", ""),
        (("  - action: cordon_node\n", ""), "cordon_node", "", "taken_away"),
        (("seconds: 30", "seconds: 1"), "delete_pod", "added", "taken_away"),
        (("needs: [isolate_pod]", "needs: [cordon_node]"), "delete_pod", "loosened", "tightened"),
        (("    needs: [isolate_pod]\n", ""), "delete_pod", "loosened", ""),
        (("most: 3", "most: 2"), "delete_pod", "", "tightened"),
        (("most: 3", "most: 4"), "delete_pod", "loosened", ""),
        (("within: 1h", "within: 2h"), "delete_pod", "", "tightened"),
        (("most: 3,", 'most: 3, of: nodes,'), "delete_pod", "loosened", "tightened"),
        (("mode: enforce", "mode: dry_run"), "delete_pod", "", "mode_lowered"),
    ],
)  # fmt: skip
def test_what_an_edit_adds_and_takes_away(
    tmp_path: Path, before: Decision, edit: tuple[str, str], action: str, *, more: str, less: str
) -> None:
    """Both ways, of one act; its opposite is what the edit back shows."""
    after = decision(tmp_path / "after", TargetWords(), (SHELL, *edit))
    opposite = {"added": "taken_away", "loosened": "tightened", "mode_raised": "mode_lowered"}
    assert {item.kind for item in more_done(before, after) if item.action == action} == ({more} if more else set())
    assert {item.kind for item in less_done(before, after) if item.action == action} == ({less} if less else set())
    back = {item.kind for item in less_done(after, before) if item.action == action}
    assert back == ({ClaimKind(opposite[more])} if more else set())


def test_no_change_shows_nothing(before: Decision) -> None:
    """Neither way."""
    assert not list(more_done(before, before))
    assert not list(less_done(before, before))


def test_what_is_not_waited_for_any_more_is_named(tmp_path: Path, before: Decision) -> None:
    """The step, the chain and the limit."""
    edits = (
        (SHELL, "    needs: [isolate_pod]\n", ""),
        (SHELL, "    on_failure: stop\n", ""),
        (SHELL, "limits: [{most: 3, within: 1h}]\n", ""),
    )
    after = decision(tmp_path / "after", TargetWords(), *edits)
    (loosened,) = [item for item in more_done(before, after) if item.action == "delete_pod"]
    assert loosened.detail == "needs isolate_pod, on_failure: stop of capture_evidence, limit 3 pods within 1h"
