"""One thing that was probed: what came of it, why, and what mends it."""

from __future__ import annotations

from enum import StrEnum

from scc_responder.errors import ResponderError
from scc_responder.text import visible
from scc_responder.value import Value

MAX_TEXT = 600
MISSING_PERMISSION = "permission_missing"


class Result(StrEnum):
    """As it should be; not so; nobody can tell from here; of no concern to this deployment."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Check(Value, frozen=True, kw_only=True):
    """`name` says which check, `probed` of what. `reason` is one word; `mend` a command or a Terraform variable."""

    name: str
    probed: str
    result: Result
    reason: str = ""
    why: str = ""
    mend: str = ""


def ok(name: str, probed: str, why: str = "") -> Check:
    """It is as it should be."""
    return Check(name=name, probed=visible(probed), result=Result.OK, why=visible(why, MAX_TEXT))


def fault(name: str, probed: str, reason: str, why: str, mend: str) -> Check:
    """It is not, and this mends it."""
    return _told(Result.FAULT, name, probed, reason, why, mend)


def unknown(name: str, probed: str, reason: str, why: str, mend: str) -> Check:
    """Nobody can tell from here; with this, one could."""
    return _told(Result.UNKNOWN, name, probed, reason, why, mend)


def skipped(name: str, probed: str, reason: str, why: str) -> Check:
    """There is nothing to probe."""
    return _told(Result.SKIPPED, name, probed, reason, why, "")


def failed(name: str, probed: str, error: ResponderError, mend: str) -> Check:
    """The probe ended with an error. The permission that is missing is named, where that is why."""
    permission = permission_of(error)
    if permission:
        return fault(name, probed, MISSING_PERMISSION, f"missing permission: {permission}", mend)
    return fault(name, probed, error.reason, str(error), mend)


def permission_of(error: BaseException | None) -> str:
    """The permission that an error, or what caused it, says is missing; "" if none."""
    while error is not None:
        permission = getattr(error, "permission", "")
        if permission:
            return str(permission)
        error = error.__cause__
    return ""


def _told(result: Result, name: str, probed: str, reason: str, why: str, mend: str) -> Check:
    # Names of objects and words of servers are others' text.
    return Check(
        name=name,
        probed=visible(probed),
        result=result,
        reason=reason,
        why=visible(why, MAX_TEXT),
        mend=visible(mend, MAX_TEXT),
    )
