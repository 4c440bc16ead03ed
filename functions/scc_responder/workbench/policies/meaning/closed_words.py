"""The facts of a condition that can have a few values only, or values of one form: what else would never be met."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import scc_responder.intake
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.finding import Confidence, Surface, ThreatKind
from scc_responder.domain.kubernetes.api_paths import owner_kinds
from scc_responder.domain.value import read_json
from scc_responder.intake.threats import DETECTORS, UNKNOWN, catalogue
from scc_responder.policy.match import Severity
from scc_responder.workbench.policies.meaning.pattern_forms import MATCH_FORMS
from scc_responder.workbench.policies.meaning.people_forms import principal_mistake
from scc_responder.workbench.policy_files.mistakes import did_you_mean, expected
from scc_responder.workbench.policy_files.rule_mistakes import MAX_WORDS_LISTED

_TACTIC = re.compile(r"TA[0-9]{4}", re.ASCII)
_IDENTITY = re.compile(r"[^@\s]+@[^@\s]+|principal://iam\.googleapis\.com/projects/[0-9]+/locations/global/\S+")
_NAME = re.compile(r"[A-Z][A-Z_]*", re.ASCII)

CLOSED_WORDS: dict[tuple[str, str], Callable[[], tuple[str, ...]]] = {
    ("Threat", "name"): lambda: (*(row.name for row in catalogue()), UNKNOWN),
    ("Threat", "surface"): lambda: tuple(Surface),
    ("Threat", "kind"): lambda: tuple(ThreatKind),
    ("Threat", "confidence"): lambda: tuple(Confidence),
    ("Threat", "severity"): lambda: tuple(Severity),
    ("Finding", "severity"): lambda: tuple(Severity),
    ("RelatedFinding", "severity"): lambda: tuple(Severity),
    ("Identity", "level"): lambda: tuple(IdentityLevel),
    ("Pod", "phase"): lambda: ("Pending", "Running", "Succeeded", "Failed", "Unknown"),
    ("Finding", "state"): lambda: ("ACTIVE", "INACTIVE"),
    ("Workload", "kind"): owner_kinds,
    ("WorkloadObject", "kind"): owner_kinds,
    ("FindingFile", "operations"): lambda: ("OPEN", "READ", "RENAME", "WRITE", "EXECUTE"),
    ("Finding", "mute"): lambda: ("MUTED", "UNMUTED", "UNDEFINED"),
}
"""By type and field."""

_FORMED = {
    ("Pod", "namespace"): "namespace",
    ("PodRef", "namespace"): "namespace",
    ("Namespace", "name"): "namespace",
    ("Node", "node_pool"): "node_pool",
    ("ClusterRef", "project"): "project",
    ("ClusterRef", "location"): "location",
}
"""Fields whose values have the form of a field of `when`."""


def value_mistake(of: str, field: str, value: str) -> str:
    """Why the fact never has this value; empty where it may have it. A fact by itself is of no type."""
    if (of, field) in CLOSED_WORDS:
        words = CLOSED_WORDS[of, field]()
        if value in words:
            return ""
        few = len(words) <= MAX_WORDS_LISTED
        told = expected(value, words) if few else f"scc-responder threats lists them{did_you_mean(value, words)}"
        return f"{field} is never {value!r}; {told}"
    if (of, field) in {("Finding", "principal"), ("", AskedFact.GOOGLE_IDENTITY)}:
        return _account(field, value)
    if (of, field) in {("Threat", "tactic"), ("Finding", "mitre_tactic")}:
        return _tactic(field, value)
    if (of, field) == ("Threat", "detector"):
        meant = did_you_mean(value, DETECTORS)
        return f"detector is never {value!r}{meant}" if value not in DETECTORS and meant else ""
    form = MATCH_FORMS.get(_FORMED.get((of, field), ""))
    wrong = form and (set("*?") & set(value) or not form.fits(value))
    return f"{field} is never {value!r}; it is one whole name: {form.remedy}" if form and wrong else ""


def _account(field: str, value: str) -> str:
    """An account is compared by its address, without the prefix of IAM."""
    if "@" in value and (told := principal_mistake(value)):
        return told
    if field == AskedFact.GOOGLE_IDENTITY and not _IDENTITY.fullmatch(value):
        return f"{field} is never {value!r}; write an e-mail address, or principal://iam.googleapis.com/projects/..."
    return ""


def form_of_part(of: str, field: str, pattern: str, text: str) -> str:
    """What the fact looks like where none of its values has this part; empty where one may have it."""
    form = MATCH_FORMS.get(_FORMED.get((of, field), ""))
    wrong = form and text and (set("*?") & set(text) or not form.fits(pattern))
    return form.remedy if form and wrong else ""


def _tactic(field: str, value: str) -> str:
    """A threat's tactic is MITRE's number, the finding's own is Google's name of it."""
    numbers = mitre_numbers()
    names = {number: name for name, number in numbers.items()}
    if field == "tactic" and value in numbers:
        return f"tactic is never {value!r}; it is MITRE's number: write {numbers[value]!r}"
    if field == "mitre_tactic" and value in names:
        return f"mitre_tactic is never {value!r}; it is Google's name: write {names[value]!r}"
    form = _TACTIC if field == "tactic" else _NAME
    like = "TA0006" if field == "tactic" else "CREDENTIAL_ACCESS"
    return "" if form.fullmatch(value) else f"{field} is never {value!r}; it is like {like!r}"


@cache
def mitre_numbers() -> dict[str, str]:
    """The MITRE number of each tactic, by the name that Google has for it."""
    path = Path(scc_responder.intake.__path__[0]) / "mitre.json"
    known = read_json(path.read_bytes(), dict[str, str])
    return {name: number for name, number in known.items() if number.startswith("TA")}
