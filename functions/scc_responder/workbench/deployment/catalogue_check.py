"""Whether the catalogue of threats makes sense: looked at when a zip is made, so that the function need not."""

from __future__ import annotations

import msgspec

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import Confidence, ThreatKind
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import read_json
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, SURFACES, THREAT_KINDS, UNKNOWN, Row, fold

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "")
_NAME = LatePattern(r"[a-z][a-z0-9_]{2,79}")
_TECHNIQUE = LatePattern(r"T[0-9]{4}(?:\.[0-9]{3})?")
_TACTIC = LatePattern(r"(?:TA[0-9]{4})?")
_RUNBOOK = LatePattern(r"https://cloud\.google\.com/security-command-center/docs/[a-z0-9/-]+")


def read_catalogue(content: bytes) -> tuple[Row, ...]:
    """The rows of a catalogue file. Raises SettingsError `bad_catalogue`, which names the row and its faults."""
    try:
        rows = read_json(content, tuple[Row, ...])
    except msgspec.DecodeError as error:
        raise SettingsError("bad_catalogue", f"threats.json: {error}") from error
    names: set[str] = set()
    spellings: set[tuple[str, str]] = set()
    for row in rows:
        faults = _faults(row)
        own = {(row.detector, fold(text)) for text in (row.category, *row.aliases)}
        if row.name in names:
            faults.append("the name is taken by another row")
        if own & spellings:
            faults.append("the detector has another row for the category or alias")
        if faults:
            raise SettingsError("bad_catalogue", f"threats.json: row {row.name!r}: {'; '.join(faults)}")
        names.add(row.name)
        spellings |= own
    return rows


def _faults(row: Row) -> list[str]:
    checks = {
        "name is not snake_case": _NAME.fullmatch(row.name) and row.name != UNKNOWN,
        "category is empty": fold(row.category),
        f"detector is none of {', '.join(DETECTORS)}": row.detector in DETECTORS,
        f"surface is none of {', '.join(SURFACES)}": row.surface in SURFACES,
        f"kind is none of {', '.join(THREAT_KINDS)}": row.kind in THREAT_KINDS,
        f"confidence is none of {', '.join(CONFIDENCES)}": row.confidence in CONFIDENCES,
        "an ioc is confirmed, and nothing else is": (row.kind == ThreatKind.IOC)
        == (row.confidence == Confidence.CONFIRMED),
        f"severity is none of {', '.join(SEVERITIES[:-1])}": row.severity in SEVERITIES,
        "a technique is no MITRE id": all(map(_TECHNIQUE.fullmatch, (*row.techniques, *row.techniques_inferred))),
        "a technique is stated and inferred at once": not set(row.techniques) & set(row.techniques_inferred),
        "tactic is no MITRE id": _TACTIC.fullmatch(row.tactic),
        "runbook is no page of Security Command Center's documentation": _RUNBOOK.fullmatch(row.runbook),
        "meaning or fields is empty": row.meaning and row.fields,
    }
    return [fault for fault, holds in checks.items() if not holds]
