"""The coverage of threats by policies, as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from scc_responder.cli.terminal.markdown import escaped, markdown_table
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.text import visible
from scc_responder.intake.threats import DETECTORS, title
from scc_responder.workbench.policies.answers_by_mode import ModeAnswer, StepAnswer
from scc_responder.workbench.policies.threat_coverage import Cover, Coverage, CoverageTier, Covered, Gap

GAPS = {
    Gap.NONE: "covered",
    Gap.NO_POLICY: "no policy",
    Gap.DISABLED_ONLY: "only disabled policies",
    Gap.SOME_TARGETS_ONLY: "some targets only",
    Gap.NOTHING_PLANNED: "nothing can be done",
}
"""What people read for each gap."""

TIER_WORDS = {
    CoverageTier.NONE: "-",
    CoverageTier.OBSERVE: "observe",
    CoverageTier.REVERSIBLE: "reversible",
    CoverageTier.IRREVERSIBLE: "irreversible",
}
_TIER_STYLES = {
    CoverageTier.NONE: "dim",
    CoverageTier.OBSERVE: "blue",
    CoverageTier.REVERSIBLE: "yellow",
    CoverageTier.IRREVERSIBLE: "red",
}
_WITH_REASON = frozenset({StepAnswer.HELD, StepAnswer.SKIPPED})
_MARKS = {"planned": "", "skipped": " (skipped: {})", "held": " (held: {})"}


def totals(coverage: Coverage) -> dict[str, int]:
    """How many threats there are, how many are covered, and how many have each gap."""
    counts = Counter(threat.gap for threat in coverage.threats)
    return {
        "threats": len(coverage.threats),
        "covered": counts[Gap.NONE],
        **{str(gap): counts[gap] for gap in Gap if gap},
    }


def coverage_summary(coverage: Coverage) -> str:
    """`4 of 149 threats are covered; 145 no policy; 0 policies match no threat`."""
    counts = totals(coverage)
    gaps = [f"{counts[gap]} {GAPS[gap]}" for gap in Gap if gap and counts[gap]]
    idle = [f"policies that match no threat: {len(coverage.idle)}"] if coverage.idle else []
    return "; ".join([f"{counts['covered']} of {counts['threats']} threats are covered", *gaps, *idle])


def by_detector(coverage: Coverage) -> Iterator[tuple[str, Sequence[Covered]]]:
    """The threats of each detector that has some."""
    for detector in DETECTORS:
        own = [threat for threat in coverage.threats if threat.row.detector == detector]
        if own:
            yield title(detector), own


def cover_text(cover: Cover) -> str:
    """A policy's mode, and what makes it some targets only: `dry_run; only some: namespace, condition`."""
    narrowed = f"; only some: {', '.join(cover.narrowed_by)}" if cover.narrowed_by else ""
    return f"{cover.mode}{narrowed}"


def step_texts(cover: Cover) -> Iterator[str]:
    """Its actions, those that cannot be planned with why."""
    yield from (f"{step.action}{_MARKS[step.result].format(step.reason)}" for step in cover.steps)


def coverage_text(coverage: Coverage) -> str:
    """For a terminal: threats under their detectors, each with its policies, and the gaps at the end."""
    lines: list[str] = []
    for detector, threats in by_detector(coverage):
        covered = sum(not threat.gap for threat in threats)
        lines += [styled(detector, "bold") + styled(f" ({covered} of {len(threats)} covered)", "dim")]
        lines += [line for threat in threats for line in _threat(threat)]
        lines.append("")
    if coverage.unknown:
        lines.append(styled("Threats that the catalogue does not know", "bold"))
        lines += [line for cover in coverage.unknown for line in _cover(cover)] + [""]
    if coverage.idle:
        lines += [
            styled("Policies that match no threat", "yellow"),
            *(f"  {visible(name)}" for name in coverage.idle),
            "",
        ]
    return "\n".join([*lines, coverage_summary(coverage)]) + "\n"


def _threat(threat: Covered) -> Iterator[str]:
    tier = styled(f"{TIER_WORDS[threat.tier]:<13}", _TIER_STYLES[threat.tier])
    gap = styled(f"  {GAPS[threat.gap]}", "red" if threat.gap == Gap.NO_POLICY else "yellow") if threat.gap else ""
    yield f"  {tier}{threat.row.surface:<10}{threat.row.name}{gap}"
    yield from (line for cover in threat.covers for line in _cover(cover))


def _cover(cover: Cover) -> Iterator[str]:
    steps = ", ".join(step_texts(cover))
    yield f"  {'':23}{styled(f'{cover.policy} ({cover_text(cover)}): {steps}', 'dim')}"


def coverage_markdown(coverage: Coverage) -> str:
    """For a page of a repository: one table for each detector."""
    parts = ["# Threats and the policies that cover them\n", f"\n{coverage_summary(coverage)}.\n"]
    for detector, threats in by_detector(coverage):
        parts.append(f"\n## {detector} ({len(threats)})\n\n")
        columns = ("Threat", "Surface", "Kind", "Confidence", "Severity", "Furthest", "Policies", "Gap")
        parts.append(markdown_table(columns, map(_cells, threats)))
    if coverage.unknown:
        parts += [
            "\n## Threats that the catalogue does not know\n\n",
            *(f"- {_cover_line(cover)}\n" for cover in coverage.unknown),
        ]
    if coverage.idle:
        parts += ["\n## Policies that match no threat\n\n", *(f"- {escaped(name)}\n" for name in coverage.idle)]
    return "".join(parts)


def _cells(threat: Covered) -> Sequence[str]:
    row = threat.row
    policies = "<br>".join(map(_cover_line, threat.covers))
    link = f"[{escaped(row.category)}]({row.runbook})"
    gap = GAPS[threat.gap] if threat.gap else ""
    return (link, row.surface, row.kind, row.confidence, row.severity or "-", TIER_WORDS[threat.tier], policies, gap)


def _cover_line(cover: Cover) -> str:
    return f"**{escaped(cover.policy)}** ({escaped(cover_text(cover))}): {escaped(', '.join(step_texts(cover)))}"


def coverage_json(coverage: Coverage) -> str:
    """One JSON document: totals, every threat with its policies, and the policies that match none."""
    threats = [_data(threat) | _by_mode(coverage, threat) for threat in coverage.threats]
    unknown = msgspec.to_builtins(coverage.unknown)
    document = {
        "totals": totals(coverage),
        "threats": threats,
        "unknown_threats": unknown,
        "idle_policies": coverage.idle,
    }
    return json.dumps(document, indent=2) + "\n"


def _by_mode(coverage: Coverage, threat: Covered) -> dict[str, Any]:
    return {"by_mode": msgspec.to_builtins(coverage.by_mode.get(threat.row.name, ()))}


def mode_text(answer: ModeAnswer) -> str:
    """`raised to likely: done: capture_evidence, notify; held: delete_pod (namespace_protected)`."""
    told = []
    for word in StepAnswer:
        own = [step for step in answer.steps if step.answer is word]
        texts = (f"{step.action} ({step.reason})" if word in _WITH_REASON else step.action for step in own)
        told += [f"{word}: {', '.join(texts)}"] if own else []
    beside = f"raised to {answer.confidence}" if answer.raised else "alone"
    return f"{beside}: {'; '.join(told) or 'recorded only'}"


def _data(threat: Covered) -> dict[str, Any]:
    row = msgspec.to_builtins(threat.row)
    named = {"threat": row["name"]} | {
        name: row[name] for name in ("category", "detector", "surface", "kind", "confidence", "severity", "runbook")
    }
    covers = msgspec.to_builtins(threat.covers)
    return {**named, "gap": str(threat.gap) or None, "tier": str(threat.tier), "policies": covers}
