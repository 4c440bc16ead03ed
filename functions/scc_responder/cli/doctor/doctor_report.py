"""What `doctor` found: a table for people, a document for machines."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.text import visible
from scc_responder.workbench.doctor.check import OR, THEN, Check, CheckResult

_STYLES = {CheckResult.OK: "green", CheckResult.FAULT: "red", CheckResult.UNKNOWN: "yellow", CheckResult.SKIPPED: "dim"}
_WORDS = {
    CheckResult.OK: "ok",
    CheckResult.FAULT: "faults",
    CheckResult.UNKNOWN: "unknown",
    CheckResult.SKIPPED: "skipped",
}
_WIDTH = 120
_INDENT = " " * 4


def doctor_json(checks: Sequence[Check]) -> dict[str, Any]:
    """The document: every check, and how many of each result."""
    return {
        "ok": not any(check.result is CheckResult.FAULT for check in checks),
        "counts": {str(result): _count(checks, result) for result in CheckResult},
        "checks": msgspec.to_builtins(checks),
    }


def doctor_text(checks: Sequence[Check]) -> Iterator[str]:
    """The table. What is as it should be takes a line for each kind of check, all else says why and what fixes it."""
    width = max((len(check.name) for check in checks), default=0) + 2
    room = max(60, min(_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns))
    sound: dict[str, list[Check]] = {}
    for check in checks:
        if check.result is CheckResult.OK:
            sound.setdefault(check.name, []).append(check)
    for check in checks:
        if check.result is not CheckResult.OK:
            yield from _trouble(check, width, room)
        elif check.name in sound:
            yield _row(check.name, check.result, _summary(sound.pop(check.name)), width)
    yield ""
    told = ((result, _count(checks, result)) for result in CheckResult)
    yield ", ".join(styled(f"{count} {_word(result, count)}", _STYLES[result]) for result, count in told if count)


def _trouble(check: Check, width: int, room: int) -> Iterator[str]:
    yield _row(check.name, check.result, check.probed, width)
    yield from _lines(f"{check.reason}: {check.why}", room, "dim" if check.result is CheckResult.SKIPPED else "")
    yield from _fix(check.fix)


def _fix(fix: str) -> Iterator[str]:
    """Each part has a line of its own, and no other break in it: a command is there to be copied."""
    word = "fix"
    for part in re.split(f"({OR}|{THEN})", fix) if fix else ():
        if part in {OR, THEN}:
            word = part.strip("; :")
        else:
            yield f"{_INDENT}{styled(f'{word:>4}: {part}', 'bold')}"


def _row(name: str, result: CheckResult, told: str, width: int) -> str:
    return f"{styled(f'{result:<8}', _STYLES[result])}{name:<{width}}{styled(told, 'dim')}".rstrip()


def _summary(alike: Sequence[Check]) -> str:
    if len(alike) > 1:
        return f"{len(alike)} probed"
    (one,) = alike
    return f"{one.probed}: {one.why}" if one.why else one.probed


def _lines(text: str, room: int, style: str) -> Iterator[str]:
    for line in textwrap.wrap(text, room - len(_INDENT), break_long_words=False, break_on_hyphens=False):
        yield _INDENT + (styled(line, style) if style else visible(line))


def _word(result: CheckResult, count: int) -> str:
    return "fault" if result is CheckResult.FAULT and count == 1 else _WORDS[result]


def _count(checks: Sequence[Check], result: CheckResult) -> int:
    return sum(check.result is result for check in checks)
