"""The result of one probe: whether it is a fault, why, and its fix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from shlex import quote

from msgspec.structs import replace

from scc_responder.domain.errors import ResponderError, SettingsError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.domain.value import Value

MAX_TEXT = 600
MISSING_PERMISSION = "permission_missing"
OR, THEN = "; or: ", "; then: "
"""Between the parts of a fix. A part that begins like a command is one, in full; placeholders are in capitals."""
LOGIN = "gcloud auth application-default login --impersonate-service-account=IDENTITY"
REACH = f"curl -sSI https://www.googleapis.com{THEN}if this machine reaches Google's APIs, run doctor again"


class CheckResult(StrEnum):
    """The result of a check: as it should be, a fault, unknown, or not applicable to this deployment."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Check(Value, frozen=True, kw_only=True, rename={"fix": "mend"}):
    """`name` says which check, `probed` of what. `reason` is one word; `fix` a command, or a variable (`OR`)."""

    name: str
    probed: str
    result: CheckResult
    reason: str = ""
    why: str = ""
    fix: str = ""


def ok(name: str, probed: str, why: str = "") -> Check:
    """It is as it should be."""
    return _visible(Check(name=name, probed=probed, result=CheckResult.OK, why=why))


def fault(name: str, probed: str, reason: str, why: str, fix: str) -> Check:
    """It is not as it should be; `fix` is the remedy."""
    return _visible(Check(name=name, probed=probed, result=CheckResult.FAULT, reason=reason, why=why, fix=fix))


def unknown(name: str, probed: str, reason: str, why: str, fix: str) -> Check:
    """It cannot be determined; `fix` is what would allow it."""
    return _visible(Check(name=name, probed=probed, result=CheckResult.UNKNOWN, reason=reason, why=why, fix=fix))


def skipped(name: str, probed: str, reason: str, why: str) -> Check:
    """There is nothing to probe."""
    return _visible(Check(name=name, probed=probed, result=CheckResult.SKIPPED, reason=reason, why=why))


def probe_failed(name: str, probed: str, error: ResponderError, fix: str) -> Check:
    """The probe ended with an error. The permission that is missing is named, where that is why."""
    if error.reason == Reason.NO_CREDENTIALS:
        fix = LOGIN
    permission = permission_of(error)
    if permission:
        return fault(name, probed, MISSING_PERMISSION, f"missing permission: {permission}", fix)
    return fault(name, probed, error.reason, str(error), fix)


def unanswered(name: str, probed: str, error: Exception | None, seconds: float) -> Check:
    """A probe without a result: it raised an unexpected error, or did not end within `seconds`."""
    if isinstance(error, ResponderError):
        setting = isinstance(error, SettingsError)
        return probe_failed(name, probed, error, "fix the setting that the message names" if setting else REACH)
    if error is not None:
        why = f"the probe ended with {type(error).__name__}: {error}"
        return unknown(name, probed, "probe_failed", why, "report it: this is a mistake of doctor's own")
    why = f"no answer within {seconds:g} s"
    again = "scc-responder doctor --settings responder.env"
    return unknown(name, probed, "no_answer_in_time", why, f"{again} --seconds 600{OR}{again} --cluster NAME")


def filled(check: Check, names: Mapping[str, str]) -> Check:
    """The check with placeholders in its command (words in capitals) replaced by `names`."""
    fix = check.fix
    for word, value in names.items():
        fix = re.sub(rf"\b{word}\b", quote(value).replace("\\", "\\\\"), fix) if value else fix
    return replace(check, fix=visible(fix, MAX_TEXT))


def permission_of(error: BaseException | None) -> str:
    """The permission that an error, or what caused it, says is missing; "" if none."""
    while error is not None:
        permission = getattr(error, "permission", "")
        if permission:
            return str(permission)
        error = error.__cause__
    return ""


def _visible(made: Check) -> Check:
    """The check with others' text in it made visible: names of objects, words of servers."""
    return replace(made, probed=visible(made.probed), why=visible(made.why, MAX_TEXT), fix=visible(made.fix, MAX_TEXT))
