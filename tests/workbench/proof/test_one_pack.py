"""What one situation shows of policies alone."""

from __future__ import annotations

from pathlib import Path

from scc_responder.workbench.proof.claims import ClaimKind, Shown
from scc_responder.workbench.proof.judged_situation import judged
from scc_responder.workbench.proof.made_situation import TargetWords, made_situation
from scc_responder.workbench.proof.one_pack import shown_of_one
from tests.workbench.proof.small_pack import NOW, loaded
from tests.workbench.proof.test_made_situation import kind

NO_EVIDENCE = ("contain-shell.yaml", "  - action: capture_evidence\n    on_failure: stop\n", "")


def shown(folder: Path, words: TargetWords, *edits: tuple[str, str, str], threat: str = "reverse_shell") -> set[Shown]:
    """What the small pack shows there."""
    pack = loaded(folder, *edits)
    situation = made_situation(kind(threat), words, NOW)
    decision = judged(pack, pack.policies, situation, situation.context)
    return set(shown_of_one(decision, pack.policies, situation, situation.context))


def test_a_right_pack_shows_nothing(tmp_path: Path) -> None:
    """Of a target that is not protected."""
    assert not shown(tmp_path / "small", TargetWords())


def test_a_guardrail_that_alone_holds_is_named(tmp_path: Path) -> None:
    """With its reason, for each action."""
    found = shown(tmp_path / "small", TargetWords(workload="platform/Deployment/web"))
    assert {(item.kind, item.detail) for item in found} == {(ClaimKind.HELD_BY_GUARDRAILS, "namespace_protected")}


def test_a_system_pod_that_guardrails_forgot_is_reached(tmp_path: Path) -> None:
    """By each action that changes something."""
    words, edit = TargetWords(workload="kube-public/Deployment/a"), ("guardrails.yaml", "kube-public, ", "")
    found = shown(tmp_path / "small", words, edit)
    reached = {item.action for item in found if item.kind is ClaimKind.REACHES_PROTECTED}
    assert reached == {"isolate_pod", "cordon_node", "delete_pod"}


def test_a_deletion_without_evidence_is_shown_unless_somebody_answers_for_it(tmp_path: Path) -> None:
    """Until the day that was written."""
    (found,) = shown(tmp_path / "small", TargetWords(), NO_EVIDENCE)
    assert (found.kind, found.action) == (ClaimKind.NO_EVIDENCE_BEFORE, "delete_pod")
    accepted = "accepted: [{warning: no_evidence, owner: a@example.com, reason: A test., expires: 2026-03-02}]\nlimits:"
    late = accepted.replace("03-02", "03-01")
    assert not shown(tmp_path / "accepted", TargetWords(), NO_EVIDENCE, ("contain-shell.yaml", "limits:", accepted))
    assert shown(tmp_path / "late", TargetWords(), NO_EVIDENCE, ("contain-shell.yaml", "limits:", late))


def test_policies_of_one_mode_that_set_one_label_differently_fight(tmp_path: Path) -> None:
    """Also where only a ceiling makes their modes one."""
    edits = (
        ("mark-library.yaml", "threat: added_library_loaded", "threat: added_binary_executed"),
        ("mark-binary.yaml", "  confidence: [likely, confirmed]\n", ""),
    )
    words = TargetWords(workload="team-a-1/Deployment/web-1", images=("registry.example.com/team-a/web",))
    assert not shown(tmp_path / "apart", words, *edits, threat="added_binary_executed")
    in_prod = TargetWords(
        workload=words.workload,
        images=words.images,
        cluster="projects/example-prod/locations/europe-west1/clusters/c",
    )
    (fight,) = shown(tmp_path / "together", in_prod, *edits, threat="added_binary_executed")
    assert (fight.kind, fight.detail) == (ClaimKind.POLICIES_FIGHT, "label scc-responder/threat")
    assert {fight.policy, fight.other} == {"mark-binary", "mark-library"}
