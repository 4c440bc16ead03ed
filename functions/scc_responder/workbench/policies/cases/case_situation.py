"""What is known in a case, and when: its finding, what was read of the target, and what the case changes of both."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import PolicyError, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import catalogue
from scc_responder.policy.guardrails import CALENDAR
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.explanation import ContextFacts, context_of, read_facts
from scc_responder.workbench.policies.cases.case_file import Situation
from scc_responder.workbench.policies.merge_patch import PatchError, patched
from scc_responder.workbench.policy_files.mistakes import Mistake
from scc_responder.workbench.policy_files.value_bounds import OUT_OF_BOUNDS, Bounds, bound_mistakes
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding

USUAL_FINDINGS = Path("tests/findings")
"""Where the findings lie that cases name, if nobody says otherwise; without it, those of the package are taken."""

_T = TypeVar("_T")


class CaseError(PolicyError):
    """A case that cannot be run: `mistakes` say what is wrong, by their places in the case."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.mistakes[0].reason, "; ".join(mistake.text for mistake in self.mistakes))


def situation(case: Situation, findings: Path) -> tuple[Context, datetime]:
    """What is known in a case, and when. Raises CaseError that names each of its fields that is wrong."""
    finding, facts = _finding_of(case.finding, findings)
    mistakes = list(_time_mistakes(case))
    finding = _changed("with", finding, case.found, mistakes)
    facts = _changed("given", facts, case.given, mistakes)
    mistakes += _event_time_mistakes(finding)
    if mistakes:
        raise CaseError(mistakes)
    at = case.at.replace(tzinfo=case.at.tzinfo or UTC) if case.at else None
    now = at or finding.event_time + parse_duration(case.age)
    return context_of(finding, facts, now), now


def _time_mistakes(case: Situation) -> Iterator[Mistake]:
    if case.at and case.age != "0s":
        yield Mistake(path=("age",), text="say when it arrives in one way only: with age, or with at")
    yield from bound_mistakes(case)
    try:
        parse_duration(case.age)
    except ValueError as error:
        yield Mistake(path=("age",), text=str(error))


def _event_time_mistakes(finding: Finding) -> Iterator[Mistake]:
    told = Bounds(*CALENDAR).broken_by(finding.event_time)
    if told:
        yield Mistake(path=("with", "event_time"), text=told, reason=OUT_OF_BOUNDS)


def _changed(field: str, value: _T, changes: dict[str, Any], mistakes: list[Mistake]) -> _T:
    """The value with the changes merged over it; what is wrong with them is added to the mistakes."""
    try:
        return patched(value, changes) if changes else value
    except PatchError as error:
        mistakes += (replace(each, path=(field, *each.path), reason="invalid_context") for each in error.mistakes)
        return value


def _unusable(reason: str, text: str) -> CaseError:
    return CaseError([Mistake(path=("finding",), text=text, reason=reason)])


@lru_cache(maxsize=1024)
def _finding_of(name: str, findings: Path) -> tuple[Finding, ContextFacts]:
    """The finding that cases name, and what is known of its target. Many cases name one: it is read once."""
    if findings == USUAL_FINDINGS and not findings.is_dir():
        findings = carried(Carried.FINDINGS)
    path = _file(name, findings)
    row = next((row for row in catalogue() if row.name == name), None)
    if path is None and row:
        finding = sample_finding(row)
        return finding, facts_as_told(finding)
    content = _read(path or findings / f"{name}.json", name)
    facts = (path or findings / name).with_suffix(".context.json")
    try:
        finding = parse_notification(content)
    except RejectedMessage as error:
        raise _unusable("unusable_finding", f"{name}: {error.reason}") from error
    return finding, _facts_of(facts, name)


def _facts_of(path: Path, name: str) -> ContextFacts:
    try:
        return read_facts(_read(path, name), path.name) if path.exists() else ContextFacts()
    except CaseError:
        raise
    except PolicyError as error:
        raise _unusable(error.reason, str(error)) from error


def _file(name: str, findings: Path) -> Path | None:
    """The file of that name in the folder, or the only one in its subfolders."""
    path = findings / f"{name}.json"
    is_there = os.path.exists(path)  # noqa: PTH110 - of a name that no file can have it says no, and does not raise
    if is_there or "/" in name:
        return path if is_there else None
    below = _below(findings).get(path.name, ())
    return below[0] if len(below) == 1 else None


@cache
def _below(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The files in a folder's subfolders, by name. Many cases name findings of one folder."""
    paths: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.rglob("*.json")):
        paths[path.name] = (*paths.get(path.name, ()), path)
    return paths


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a character that no file's name can have
        names = [row.name for row in catalogue()]
        close = difflib.get_close_matches(name, names, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        told = f"{name!r} is no threat, and no file: {path}: {getattr(error, 'strerror', error)}{meant}"
        raise _unusable("unreadable_file", f"{told}; --findings names their folder") from error
