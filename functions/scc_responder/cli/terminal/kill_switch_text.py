"""The kill switch as text, for the commands that show it and for the start of the function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from scc_responder.cli.terminal.terminal import styled, visible_lines
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import Control, KillSwitchCeiling, Setting
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.trust.first_shot import FirstShot

_STYLES = {Mode.DISABLED: "red", Mode.DRY_RUN: "yellow", Mode.APPROVE: "yellow", Mode.ENFORCE: "green"}
_WHY: dict[str, str] = {
    Reason.CONTROL_MISSING: "no document says otherwise, so nothing is changed",
    Reason.CONTROL_UNUSABLE: "the document makes no sense, so nothing is changed",
}


def ceiling_text(limit: KillSwitchCeiling) -> str:
    """The mode, and why it is so where nobody set it."""
    why = _WHY.get(limit.reason, "")
    return f"{limit.mode} ({why})" if why else str(limit.mode)


def control_notice(switch: SwitchDocuments, store: str) -> str:
    """One line for whoever starts the function: how far it may go, and how to change that. Raises RetryableError."""
    limit = switch.ceiling("")
    how = "" if limit.mode == Mode.ENFORCE else f"; scc-responder control set enforce --reason WHY --store {store}"
    return f"control: {ceiling_text(limit)}{how}"


def control_line(control: Control) -> str:
    """One document: mode, where it holds, since when, by whom and why."""
    mode = styled(f"{control.mode:10}", _STYLES[control.mode])
    return f"{mode} {visible_lines(control.cluster or 'everywhere')} {visible_lines(setting_text(control))}"


def setting_text(setting: Setting) -> str:
    """One turn of the switch, but for its mode."""
    return f"since {setting.at.isoformat(timespec='seconds')} by {setting.by}: {setting.reason}"


def first_shot_line(shot: FirstShot) -> str:
    """A policy whose first acts in a place were refused."""
    since = shot.decided_at.isoformat(timespec="seconds") if shot.decided_at else ""
    told = f"policy {shot.policy} in {shot.place} since {since}: its first acts did not fit the limits: {shot.detail}"
    return f"{styled('refused   ', 'yellow')} {visible_lines(told)}"


def timed_lines(items: Iterable[TimedCeiling | TimedExemption], now: datetime) -> Iterator[str]:
    """What ends by itself, one line each: those that stand first, with their end; then those that ended."""
    for item in sorted(items, key=lambda item: (item.until <= now, item.until)):
        stands = item.until > now
        word = styled(f"{item.mode if isinstance(item, TimedCeiling) else 'exempt':10}", "yellow")
        moment = item.until.isoformat(timespec="seconds")
        if stands and isinstance(item, TimedCeiling) and item.scope is TimedScope.ERROR_BUDGET:
            moment = "a person raises it,"
        told = f"{timed_name(item)} until {moment} by {item.by}: {item.reason}"
        yield f"{word if stands else 'expired   '} {visible_lines(told)}"


def timed_name(item: TimedCeiling | TimedExemption) -> str:
    """What it is on, in words."""
    place = f" in {item.place}" if item.place else ""
    if isinstance(item, TimedCeiling):
        return f"{item.scope} {item.name}{place}"
    return f"{item.threat} on {item.name or item.uid}{place}, case {item.case}"
