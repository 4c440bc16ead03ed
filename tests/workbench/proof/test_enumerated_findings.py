"""The findings that there may be."""

from __future__ import annotations

from pathlib import Path

from scc_responder.domain.finding import Surface
from scc_responder.intake.threats import UNKNOWN, catalogue
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.proof.enumerated_findings import Beside, EnumeratedFinding, enumerated_findings
from scc_responder.workbench.proof.made_situation import TargetWords, made_situation
from tests.workbench.proof.small_pack import NOW, loaded


def threat(kind: EnumeratedFinding) -> tuple[str, str, str, str]:
    """What the product says of such a finding."""
    found = made_situation(kind, TargetWords(), NOW).context.threat
    return found.name, found.surface, found.severity, found.confidence


def kinds(pack: PolicySet) -> list[EnumeratedFinding]:
    """All of a pack's."""
    return list(enumerated_findings([pack]))


def test_every_threat_is_there_in_every_severity_and_confidence(tmp_path: Path) -> None:
    """Where some policy asks for these; a confidence is raised by what is found near, and never lowered."""
    told = {threat(kind) for kind in kinds(loaded(tmp_path / "small"))}
    names = {row.name for row in catalogue()}
    assert {name for name, *_ in told} == {*names, UNKNOWN}
    assert {severity for name, _, severity, _ in told if name == "reverse_shell"} >= {
        "LOW",
        "MEDIUM",
        "HIGH",
        "CRITICAL",
    }
    assert {sure for name, *_, sure in told if name == "added_binary_executed"} == {"possible", "likely", "confirmed"}


def test_what_the_catalogue_does_not_know_may_be_about_any_surface(tmp_path: Path) -> None:
    """A pod, a node, a cluster, a service."""
    told = {threat(kind)[:2] for kind in kinds(loaded(tmp_path / "small"))}
    surfaces = {surface for name, surface in told if name == UNKNOWN}
    assert surfaces >= {Surface.POD, Surface.CLUSTER, Surface.CLOUD_RUN}


def test_a_category_that_is_asked_for_is_tried_with_one_that_is_not(tmp_path: Path) -> None:
    """Also where no row has it: a detector may be newer than the catalogue."""
    edit = ("contain-shell.yaml", "threat: [reverse_shell]", 'threat: unknown\n  category: "Execution: Wormhole*"')
    categories = {kind.category for kind in kinds(loaded(tmp_path / "small", edit))}
    assert any(text.casefold().startswith("execution: wormhole") for text in categories)


def test_nothing_is_multiplied_that_nobody_asks_for(tmp_path: Path) -> None:
    """Without a severity or a confidence in any policy there is one finding of each threat."""
    asks = (
        ("contain-shell.yaml", "  severity: HIGH\n", ""),
        ("mark-binary.yaml", "  confidence: [likely, confirmed]\n", ""),
    )
    plain = kinds(loaded(tmp_path / "small", *asks))
    assert {kind.beside for kind in plain} == {Beside.NOTHING}
    assert len([kind for kind in plain if threat(kind)[0] != UNKNOWN]) == len(catalogue())
