"""The kill switch as documents: one for everywhere, one for each cluster that needs its own. Pure.

`kill_switch.py` stores them. A document is a ceiling on the mode of every policy: it can take away, never give. No
document for everywhere, or one that makes no sense, means `dry_run`; no document for a cluster takes nothing away.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.domain.mode import Mode, furthest
from scc_responder.domain.value import Value
from scc_responder.guard.guard import lowered
from scc_responder.journal.case import HELD_BY_CONTROL
from scc_responder.policy.decide import Decision

NAME = "control"
LOWERED = f"mode_lowered_by:{NAME}"
DISABLED = HELD_BY_CONTROL
MISSING = "control_missing"
UNUSABLE = "control_unusable"
SCHEMA = 1
KEEP_CHANGES = 20
"""As many changes before the present one are kept in a document."""


class Setting(Value, frozen=True, kw_only=True):
    """One turn of the switch: to which mode, why, by whom and when."""

    mode: Mode
    reason: str
    by: str
    at: datetime


class Control(Setting, frozen=True, kw_only=True):
    """The document: the present setting, and those before it, the latest first. `cluster` is a path; empty: all."""

    cluster: str = ""
    schema: int = SCHEMA
    history: tuple[Setting, ...] = ()


class Ceiling(Value, frozen=True, kw_only=True):
    """How far anything may go at this moment, and why where no document says it."""

    mode: Mode
    reason: str = ""


def parse(value: bytes, cluster: str | None = None) -> Control | None:
    """The document, or None where the bytes are none of this version's, or are about another cluster than is named."""
    try:
        # As text: of bytes, what is skipped is not looked at, and may be no UTF-8.
        found = msgspec.json.decode(value.decode(), type=Control)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    is_meant = cluster is None or found.cluster == cluster
    return found if found.schema == SCHEMA and is_meant else None


def ceiling(everywhere: bytes | None, own: bytes | None, cluster: str) -> Ceiling:
    """The lower of both documents, each as it is stored; None where there is none."""
    general = Ceiling(mode=Mode.DRY_RUN, reason=MISSING) if everywhere is None else _told(everywhere, "")
    special = Ceiling(mode=Mode.ENFORCE) if own is None else _told(own, cluster)
    return special if furthest(special.mode, general.mode) != general.mode else general


def changed(before: Control | None, setting: Setting, cluster: str = "") -> Control:
    """The document after one more turn of the switch."""
    history: tuple[Setting, ...] = ()
    if before is not None:
        last = Setting(mode=before.mode, reason=before.reason, by=before.by, at=before.at)
        history = (last, *before.history)[:KEEP_CHANGES]
    made = Control(mode=setting.mode, reason=setting.reason, by=setting.by, at=setting.at, history=history)
    return replace(made, cluster=cluster)


def under(limit: Ceiling, decision: Decision) -> Decision:
    """The decision with no policy going further than the switch lets it."""
    return Decision(policies=tuple(lowered(policy, limit.mode, NAME) for policy in decision.policies))


def _told(value: bytes, cluster: str) -> Ceiling:
    found = parse(value, cluster)
    return Ceiling(mode=found.mode) if found else Ceiling(mode=Mode.DRY_RUN, reason=UNUSABLE)
