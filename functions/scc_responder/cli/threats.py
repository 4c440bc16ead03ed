"""List the threats that are understood: one for each category of each detector.

Options and words narrow the list. Each option may be given several times, and means any of its values; a word is looked
for in names, categories, rule ids, meanings and MITRE ids. A threat that is left alone is shown in full.

`--check FILE` compares the catalogue with a saved copy of Google's index of threat findings, as HTML or Markdown, and
names the findings about GKE, nodes, Cloud Run and AI agents that it lacks. It ends with 1 where there are any: such a
finding is the threat `unknown`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.text import visible
from scc_responder.intake.threats import (
    CONFIDENCES,
    DETECTORS,
    SURFACES,
    THREAT_KINDS,
    Row,
    catalogue,
    fold,
    title,
)
from scc_responder.workbench.deployment.catalogue_check import SEVERITIES
from scc_responder.workbench.findings_index import INDEX_URL, check_index

FILTERS: Mapping[str, Sequence[str]] = {
    "detector": DETECTORS,
    "surface": SURFACES,
    "kind": THREAT_KINDS,
    "confidence": CONFIDENCES,
    "severity": tuple(filter(None, SEVERITIES)),
}
"""Every filter, and the values that it knows."""

SHORT = {
    "ctd": "container_threat_detection",
    "crtd": "cloud_run_threat_detection",
    "etd": "event_threat_detection",
    "vmtd": "virtual_machine_threat_detection",
    "aptd": "agent_platform_threat_detection",
}
"""What people call the detectors."""

_SEVERITY_STYLES = {"CRITICAL": "red", "HIGH": "yellow", "MEDIUM": "yellow", "LOW": "blue"}
_CONFIDENCE_STYLES = {"confirmed": "red", "likely": "yellow", "possible": "blue"}
_COLUMNS = ("Category", "Detector", "Threat", "Surface", "Kind", "Confidence", "Severity")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `threats`."""
    parser.add_argument("word", nargs="*", metavar="WORD", help="only threats that mention every word")
    for name, values in FILTERS.items():
        short = f" (or {', '.join(SHORT)})" if name == "detector" else ""
        told = f"only this {name}: {', '.join(values)}{short}"
        parser.add_argument(f"--{name}", action="append", metavar="VALUE", help=told)
    parser.add_argument("--check", type=Path, metavar="FILE", help=f"name what a copy of {INDEX_URL} has and this not")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Print the threats that are asked for, or those that are missing; 1 if there are none, or some missing."""
    if options.check:
        return _check(options)
    wanted = {name: _values(name, getattr(options, name) or ()) for name in FILTERS}
    rows = [row for row in catalogue() if _fits(row, wanted, options.word)]
    print(_FORMATS[options.format](rows), end="")
    if rows:
        return 0
    print(f"scc-responder: no threat fits{_hint(options.word)}", file=sys.stderr)
    return 1


def _check(options: argparse.Namespace) -> int:
    """Name what the index has and the catalogue has not. Raises SettingsError."""
    if options.word or options.format != "text" or any(getattr(options, name) for name in FILTERS):
        raise SettingsError(
            "check_alone", "--check: compares the whole catalogue; leave words, filters and --format out"
        )
    try:
        page = options.check.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError("unreadable_file", f"--check: {options.check}: {error.strerror}") from error
    try:
        found = check_index(page, catalogue())
    except SettingsError as error:
        raise SettingsError(error.reason, f"--check: {options.check}: {error}") from error
    for finding in found.missing:
        print(
            visible(f"missing  {finding.detector}  {finding.name}  ({finding.resource or finding.page or 'no page'})")
        )
    for row in found.gone:
        print(styled(f"not in the index  {row.detector}  {row.category}", "dim"))
    told = f"{found.known:,} of {found.known + len(found.missing):,} findings of the index are in the catalogue"
    print(f"{told}; {found.beyond:,} are about other resources")
    return 1 if found.missing else 0


def _values(name: str, given: Sequence[str]) -> frozenset[str]:
    """The values of one filter as the catalogue spells them. Raises SettingsError `unknown_filter`."""
    known = {fold(value): value for value in FILTERS[name]}
    names = {**known, **SHORT} if name == "detector" else known
    found = set()
    for value in given:
        key = "_".join(fold(value).replace("-", " ").split())
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            meant = f"; did you mean {str(names[close[0]])!r}?" if close else ""
            told = f"--{name}: unknown {name} {value!r}, expected one of: {', '.join(FILTERS[name])}{meant}"
            raise SettingsError("unknown_filter", told)
        found.add(names[key])
    return frozenset(found)


def _fits(row: Row, wanted: Mapping[str, frozenset[str]], words: Sequence[str]) -> bool:
    told = _searched(row)
    chosen = all(not values or getattr(row, name) in values for name, values in wanted.items())
    return chosen and all(fold(word) in told for word in words)


def _searched(row: Row) -> str:
    texts = (row.name, row.category, *row.aliases, row.rule_id, row.meaning, row.tactic)
    return fold("\n".join((*texts, *row.techniques, *row.techniques_inferred)))


def _hint(words: Sequence[str]) -> str:
    """The nearest words of the catalogue for those that it does not have."""
    texts = [_searched(row) for row in catalogue()]
    vocabulary = {word for text in texts for word in text.replace("_", " ").replace(":", " ").split()}
    vocabulary |= {row.name for row in catalogue()}
    unknown = [word for word in words if not any(fold(word) in text for text in texts)]
    close = [match for word in unknown for match in difflib.get_close_matches(fold(word), sorted(vocabulary), n=1)]
    return f"; did you mean {' '.join(map(repr, close))}?" if close else ""


def _text(rows: Sequence[Row]) -> str:
    lines = _in_full(rows[0]) if len(rows) == 1 else _listed(rows)
    return "".join(f"{line}\n" for line in lines)


def _listed(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each, under its detector; on a terminal the categories are cut to its width."""
    room = shutil.get_terminal_size().columns - 36 if sys.stdout.isatty() else 10_000
    for number, detector in enumerate(DETECTORS):
        own = [row for row in rows if row.detector == detector]
        if own:
            yield from [""] if number and rows[0].detector != detector else []
            yield f"{styled(title(detector), 'bold')} {styled(f'({len(own)})', 'dim')}"
        for row in own:
            line = f"{row.name}  {row.category}"
            rest = styled(_cut(line[len(row.name) :], room - len(row.name)), "dim")
            severity = styled(f"{row.severity or '-':<10}", _SEVERITY_STYLES.get(row.severity, "dim"))
            confidence = styled(f"{row.confidence:<11}", _CONFIDENCE_STYLES[row.confidence])
            yield f"  {severity}{confidence}{row.surface:<11}{row.name}{rest}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…" if room > 4 else ""


def _in_full(row: Row) -> Iterator[str]:
    yield styled(row.category, "bold")
    yield f"  {row.meaning}"
    facts = {
        "threat": row.name,
        "detector": title(row.detector) + (f", {row.default} unless changed" if row.default else ""),
        "rule id": row.rule_id,
        "also spelt": "; ".join(row.aliases),
        "surface": row.surface,
        "kind": row.kind,
        "confidence": row.confidence,
        "severity": row.severity or "not published",
        "tactic": f"{row.tactic} (inferred)" if row.tactic_inferred else row.tactic,
        "techniques": ", ".join((*row.techniques, *(f"{name} (inferred)" for name in row.techniques_inferred))),
        "look at": row.fields,
        "stage": row.stage,
        "runbook": row.runbook,
    }
    yield from (f"  {styled(f'{name:<12}', 'dim')}{value}" for name, value in facts.items() if value)


def _json(rows: Sequence[Row]) -> str:
    return json.dumps(msgspec.to_builtins(rows), indent=2) + "\n"


def _markdown(rows: Sequence[Row]) -> str:
    return markdown_table(_COLUMNS, (_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    category = f"[{row.category}]({row.runbook})"
    return (category, title(row.detector), f"`{row.name}`", row.surface, row.kind, row.confidence, row.severity or "-")


_FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = {"text": _text, "json": _json, "markdown": _markdown}
