"""The coverage of threats by policies as a page: one file that loads nothing, for light and dark, with filters.

Every text is escaped. The page's own style and script are named by their digests, so that a browser runs no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from scc_responder.cli.policy.reports.coverage_report import (
    GAPS,
    TIER_WORDS,
    by_detector,
    coverage_summary,
    mode_text,
    totals,
)
from scc_responder.domain.mode import Mode
from scc_responder.domain.text import visible
from scc_responder.intake.threats import DETECTORS, SURFACES, title
from scc_responder.workbench.policies.answers_by_mode import ModeAnswer
from scc_responder.workbench.policies.threat_coverage import Cover, Coverage, CoverageTier, Covered, Gap

_TIER_COLOURS = {
    CoverageTier.NONE: "",
    CoverageTier.OBSERVE: "blue",
    CoverageTier.REVERSIBLE: "amber",
    CoverageTier.IRREVERSIBLE: "red",
}
_MODE_COLOURS = {Mode.DISABLED: "", Mode.DRY_RUN: "blue", Mode.APPROVE: "amber", Mode.ENFORCE: "red"}
_SEVERITY_COLOURS = {"CRITICAL": "red", "HIGH": "amber", "MEDIUM": "amber", "LOW": "blue"}
_COLUMNS = (
    "Threat",
    "Detector",
    "Surface",
    "Confidence",
    "Severity",
    "Furthest",
    "Policies and their actions",
    "Coverage",
)
_ANY_GAP = "any"


def html(found: Coverage) -> str:
    """The page."""
    style, script = _part("css"), _part("js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        '<link rel="icon" href="data:,">',
        "<title>Coverage of threats by policies</title>",
        f"<style>{style}</style>",
    ]
    body = "\n".join(_body(found))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{chr(10).join(head)}\n</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _part(kind: str) -> str:
    return Path(__file__).with_suffix(f".{kind}").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _safe(text: str) -> str:
    return escape(visible(text))


def _body(found: Coverage) -> Iterator[str]:
    yield "<h1>Coverage of threats by policies</h1>"
    yield f'<p class="soft">{_safe(coverage_summary(found))}.</p>'
    yield from _tiles(found)
    yield from _filters()
    yield '<div class="card"><table>'
    yield "<caption>Every threat, the policies that answer to it, and the gap that they leave</caption>"
    heads = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    yield from (_row(threat, found.by_mode) for _, threats in by_detector(found) for threat in threats)
    yield "</tbody></table></div>"
    if found.unknown:
        yield "<h2>Threats that the catalogue does not know</h2>"
        yield from map(_policy, found.unknown)
    if found.idle:
        yield "<h2>Policies that match no threat</h2>"
        yield f"<ul>{''.join(f'<li><code>{_safe(name)}</code></li>' for name in found.idle)}</ul>"


def _tiles(found: Coverage) -> Iterator[str]:
    counts = totals(found)
    tiles = [
        (str(counts["threats"]), "threats"),
        (str(counts["covered"]), "covered"),
        *((str(counts[gap]), GAPS[gap]) for gap in Gap if gap and counts[gap]),
        (str(len(found.idle)), "policies that match none"),
    ]
    yield f'<ul class="tiles">{"".join(f"<li><b>{number}</b><span>{name}</span></li>" for number, name in tiles)}</ul>'


def _filters() -> Iterator[str]:
    gaps = [(_ANY_GAP, "any gap"), *((_gap_word(gap), GAPS[gap]) for gap in Gap)]
    yield '<form class="filters" hidden>'
    yield '<label>Search<input type="search" name="word" placeholder="threat, policy, action"></label>'
    yield _choice("detector", "Detector", "all detectors", [(name, title(name)) for name in DETECTORS])
    yield _choice("surface", "Surface", "all surfaces", [(name, name) for name in SURFACES])
    yield _choice("gap", "Coverage", "all", gaps)
    yield '<button type="reset">Reset</button><output aria-live="polite"></output></form>'


def _choice(name: str, label: str, everything: str, values: Iterable[tuple[str, str]]) -> str:
    options = "".join(f'<option value="{value}">{_safe(text)}</option>' for value, text in [("", everything), *values])
    return f'<label>{label}<select name="{name}">{options}</select></label>'


def _gap_word(gap: Gap) -> str:
    return str(gap) or "covered"


def _row(threat: Covered, by_mode: Mapping[str, Sequence[ModeAnswer]]) -> str:
    row = threat.row
    cells = [
        _safe(title(row.detector).removesuffix(" Threat Detection")),
        _safe(row.surface),
        _safe(row.confidence),
        _badge(row.severity, _SEVERITY_COLOURS.get(row.severity, "")) if row.severity else "-",
        _badge(TIER_WORDS[threat.tier], _TIER_COLOURS[threat.tier]) if threat.covers else "-",
        ("".join(map(_policy, threat.covers)) or '<span class="soft">recorded only</span>')
        + _by_mode(by_mode.get(row.name, ())),
        _badge(GAPS[threat.gap], _gap_colour(threat.gap)),
    ]
    link = f'<a href="{_safe(row.runbook)}" rel="noopener noreferrer">{_safe(row.category)}</a>'
    facts = f'data-detector="{_safe(row.detector)}" data-surface="{_safe(row.surface)}"'
    heading = f'<th scope="row">{link}<code>{_safe(row.name)}</code></th>'
    return f'<tr {facts} data-gap="{_gap_word(threat.gap)}">{heading}{_cells(cells)}</tr>'


def _by_mode(answers: Sequence[ModeAnswer]) -> str:
    """What happens at each mode, folded away."""
    if not answers:
        return ""
    items = (f"<li>{_badge(one.mode, _MODE_COLOURS[one.mode])} {_safe(mode_text(one))}</li>" for one in answers)
    return f"<details><summary>At each mode</summary><ul>{''.join(items)}</ul></details>"


def _cells(cells: Sequence[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _gap_colour(gap: Gap) -> str:
    return {Gap.NONE: "green", Gap.NO_POLICY: "red"}.get(gap, "amber")


def _badge(text: str, colour: str) -> str:
    return f'<span class="badge {colour}">{_safe(text)}</span>'


def _policy(cover: Cover) -> str:
    some = f"only some: {', '.join(cover.narrowed_by)}"
    narrowed = f" {_badge(some, 'amber')}" if cover.narrowed_by else ""
    steps = "".join(_step(step.action, step.result, step.reason) for step in cover.steps)
    head = f"<strong>{_safe(cover.policy)}</strong> {_badge(cover.mode, _MODE_COLOURS[cover.mode])}{narrowed}"
    return f'<div class="policy">{head}<ul class="steps">{steps}</ul></div>'


def _step(action: str, result: str, reason: str) -> str:
    why = "" if result == "planned" else f" {_safe(result)}: {_safe(reason)}"
    return f'<li class="{_safe(result)}"><code>{_safe(action)}{why}</code></li>'
