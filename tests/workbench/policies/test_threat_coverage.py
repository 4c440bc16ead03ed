"""Which threats policies cover: by really matching, for all targets or some, and as far as can be planned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import Row, catalogue, classify
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policies.threat_coverage import (
    RAISED,
    Cover,
    Coverage,
    CoverageTier,
    Covered,
    Gap,
    coverage,
)
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding, unknown_finding
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED, policy, write_policies

each_row = pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)


def golden(row: Row) -> Path:
    """The row's golden notification."""
    return FOLDER / "catalogue" / row.detector / f"{row.name}.json"


@each_row
def test_a_sample_is_its_threat(row: Row) -> None:
    """The plain finding of each threat means that threat, and where it has a pod, it is proved to be the finding's."""
    finding = sample_finding(row)
    context = context_of(finding, facts_as_told(finding))
    assert (context.threat.name, context.threat.confidence, context.threat.surface) == (
        row.name,
        row.confidence,
        row.surface,
    )
    assert finding.pod is None or context.identity.level in {"proved", "likely"}


@each_row
def test_a_sample_names_what_its_golden_names(row: Row) -> None:
    """A plain finding is no richer than a real one: it names a pod, node, cluster or service where its golden does."""
    found, plain = parse_notification(golden(row).read_bytes()), sample_finding(row)
    for place in ("pod", "node", "cluster", "cloud_run", "containers"):
        assert bool(getattr(found, place)) == bool(getattr(plain, place)), place


def test_coverage_is_what_the_goldens_come_to() -> None:
    """The shipped policies cover the threats whose goldens they match, and do for them what they do for the goldens."""
    for threat in coverage(load_policies(SHIPPED).policies).threats:
        decided = json.loads(golden(threat.row).with_suffix(".decision.json").read_text())["does"]
        by_kind = {"service"}  # The policies of Cloud Run are for services or for jobs.
        matching = (cover for cover in threat.covers if cover.plain == "matched")
        plain = {cover.policy: cover for cover in matching if not set(cover.narrowed_by) - by_kind}
        assert plain.keys() == decided.keys(), threat.row.name
        for name, steps in decided.items():
            told = {step.action: _told(step.result, step.reason) for step in plain[name].steps}
            held = {
                action for action, said in steps.items() if said not in {"planned", "waiting: waiting_for_approval"}
            }
            assert {action: told[action] for action in held} == {action: steps[action] for action in held}


def _told(result: str, reason: str) -> str:
    return result if result == reason else f"{result}: {reason}"


def covered(tmp_path: Path, *policies: str) -> Coverage:
    """The coverage by these policies."""
    return coverage(load_policies(write_policies(tmp_path / "policies", *policies)).policies)


def of(found: Coverage, name: str) -> Covered:
    """One threat's."""
    return next(threat for threat in found.threats if threat.row.name == name)


def only(found: Coverage, name: str = "reverse_shell") -> Cover:
    """The only cover of a threat."""
    (cover,) = of(found, name).covers
    return cover


GAPS = [
    pytest.param("threat: reverse_shell", "enforce", "notify", Gap.NONE, CoverageTier.OBSERVE, id="observed"),
    pytest.param("threat: reverse_*", "dry_run", "isolate_pod", Gap.NONE, CoverageTier.REVERSIBLE, id="reversible"),
    pytest.param("surface: pod", "enforce", "delete_pod", Gap.NONE, CoverageTier.IRREVERSIBLE, id="irreversible"),
    pytest.param("threat: vm_rootkit", "enforce", "notify", Gap.NO_POLICY, CoverageTier.NONE, id="none"),
    pytest.param("threat: reverse_shell", "disabled", "notify", Gap.DISABLED_ONLY, CoverageTier.NONE, id="disabled"),
    pytest.param(
        "{threat: reverse_shell, namespace: shop}",
        "enforce",
        "notify",
        Gap.SOME_TARGETS_ONLY,
        CoverageTier.OBSERVE,
        id="shop",
    ),
    pytest.param(
        "{threat: reverse_shell, namespace: other}",
        "enforce",
        "notify",
        Gap.SOME_TARGETS_ONLY,
        CoverageTier.OBSERVE,
        id="other",
    ),
    pytest.param(
        "{severity: HIGH, kind: behavioral}", "enforce", "notify", Gap.NONE, CoverageTier.OBSERVE, id="severity"
    ),
]


@pytest.mark.parametrize(("when", "mode", "step", "gap", "tier"), GAPS)
def test_coverage_needs_an_able_policy(
    tmp_path: Path, *, when: str, mode: str, step: str, gap: Gap, tier: CoverageTier
) -> None:
    """A threat is covered by a policy that is on, asks for no more than the threat, and can do something."""
    text = policy(step, mode=mode, when=when).replace("\n  {", " {")
    threat = of(covered(tmp_path, text), "reverse_shell")
    assert (threat.gap, threat.tier) == (gap, tier)


def test_an_unplannable_policy_leaves_a_gap(tmp_path: Path) -> None:
    """A policy whose actions cannot be planned for the threat leaves it open, and its steps say why."""
    found = covered(tmp_path, policy("isolate_pod", when="surface: cloud_run"))
    threat = of(found, "cloud_run_reverse_shell")
    assert (threat.gap, threat.tier) == (Gap.NOTHING_PLANNED, CoverageTier.NONE)
    assert [(step.result, step.reason) for step in threat.covers[0].steps] == [("held", "pod_not_named")]


def test_what_narrows_a_policy_is_named(tmp_path: Path) -> None:
    """What makes a policy one for some targets is named; what it answers to the plain finding is not hidden."""
    text = policy("notify", when="{threat: reverse_shell, namespace: other, image: x}").replace("\n  {", " {")
    cover = only(covered(tmp_path, text))
    assert (cover.narrowed_by, cover.plain) == (("namespace", "image"), "when_namespace_differs")


def test_exceptions_do_not_narrow(tmp_path: Path) -> None:
    """An exception for some targets leaves the threat covered, even where the plain finding is one of them."""
    cover = only(covered(tmp_path, policy("notify") + "unless: {namespace: shop}\n"))
    assert (cover.narrowed_by, cover.plain) == ((), "unless_namespace")


def test_exceptions_of_threats(tmp_path: Path) -> None:
    """A threat that a policy excepts is not covered by it."""
    found = covered(tmp_path, policy("notify", when="surface: pod") + "unless: {threat: reverse_*}\n")
    assert of(found, "reverse_shell").gap == Gap.NO_POLICY
    assert of(found, "added_malicious_binary_executed").gap == Gap.NONE


def test_raised_confidence_covers_only_together(tmp_path: Path) -> None:
    """A policy for a confidence that only company gives covers the threat in company only."""
    when = "{threat: added_binary_executed, confidence: likely}"
    found = covered(tmp_path, policy("notify", when=when).replace("\n  {", " {"))
    threat = of(found, "added_binary_executed")
    assert (threat.covers[0].narrowed_by, threat.gap) == ((RAISED,), Gap.SOME_TARGETS_ONLY)


def test_policies_without_a_threat(tmp_path: Path) -> None:
    """A policy that matches no threat is named, but for one that is for threats outside the catalogue."""
    idle = policy("notify", name="idle", when="category: Nothing Of This Name")
    unknown = policy("notify", name="unknown", when="threat: unknown")
    found = covered(tmp_path, idle, unknown)
    assert (found.idle, [cover.policy for cover in found.unknown]) == (("idle",), ["unknown"])
    assert classify(unknown_finding()).name == "unknown"


def test_a_threat_goes_as_far_as_its_furthest_policy(tmp_path: Path) -> None:
    """A threat goes as far as the furthest of its policies that are on."""
    found = covered(
        tmp_path,
        policy("notify", name="tell"),
        policy("label_pod", name="mark"),
        policy("delete_pod", name="kill", mode="disabled"),
    )
    threat = of(found, "reverse_shell")
    assert [cover.policy for cover in threat.covers] == ["kill", "mark", "tell"]
    assert (threat.tier, threat.gap) == (CoverageTier.REVERSIBLE, Gap.NONE)
