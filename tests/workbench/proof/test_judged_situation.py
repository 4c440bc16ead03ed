"""What a pack does in one situation."""

from __future__ import annotations

from pathlib import Path

from scc_responder.policy.decide import Decision
from scc_responder.workbench.proof.judged_situation import acts_of, judged, planned_steps, supposed
from scc_responder.workbench.proof.made_situation import TargetWords, made_situation
from tests.workbench.proof.small_pack import NOW, loaded
from tests.workbench.proof.test_made_situation import kind


def decision(folder: Path, words: TargetWords, *edits: tuple[str, str, str]) -> Decision:
    """What the small pack does about a reverse shell."""
    pack = loaded(folder, *edits)
    situation = made_situation(kind("reverse_shell"), words, NOW)
    return judged(pack, pack.policies, situation, situation.context)


def test_acts_say_what_they_wait_for(tmp_path: Path) -> None:
    """What a deletion needs, named or by its nature, what stops it, and what counts it."""
    found = acts_of(decision(tmp_path / "small", TargetWords()))
    (deletion,) = next(several for (action, _), several in found.items() if action == "delete_pod")
    assert deletion.needs == {"isolate_pod", "capture_evidence"}
    assert deletion.chained == {"capture_evidence"}
    assert [limit.most for limit in deletion.limits] == [3]
    assert (deletion.mode, deletion.rank, deletion.changes) == ("approve", 2, True)
    assert not next(several for (action, _), several in found.items() if action == "notify")[0].changes


def test_what_guardrails_hold_is_not_done(tmp_path: Path) -> None:
    """Evidence and messages are."""
    found = decision(tmp_path / "small", TargetWords(workload="platform/Deployment/web"))
    assert [planned.action for _, planned, _ in planned_steps(found)] == ["capture_evidence", "notify"]


def test_of_several_policies_the_furthest_mode_counts(tmp_path: Path) -> None:
    """One in dry_run beside one that asks a person adds nothing."""
    both = (
        ("mark-privileged.yaml", "threat: gke_control_plane_launch_privileged_container", "threat: reverse_shell"),
        ("mark-privileged.yaml", '  principal: "*@example.com"\n', ""),
        ("mark-privileged.yaml", "annotate_pod", "isolate_pod"),
    )
    several = acts_of(decision(tmp_path / "small", TargetWords(), *both))
    (isolation,) = [found for (action, _), found in several.items() if action == "isolate_pod"]
    assert [act.policy for act in isolation] == ["contain-shell"]


def test_a_policy_without_its_condition_is_else_the_same(tmp_path: Path) -> None:
    """It is what the policy may do."""
    edit = ("mark-binary.yaml", "then:", "condition: pod.ready\nthen:")
    pack = loaded(tmp_path / "small", edit)
    for policy in pack.policies:
        (plain,) = supposed([policy])
        assert (plain.condition, plain.then, plain.when) == ("", policy.then, policy.when)
