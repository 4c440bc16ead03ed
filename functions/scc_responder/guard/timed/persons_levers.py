"""What only a person does with what ends by itself: exempt a threat on a workload, and end what stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from scc_responder.guard.kill_switch import Control
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.timed.timed_levers import by_store_clock, with_levers

_Timed = TypeVar("_Timed", bound=TimedCeiling | TimedExemption)


def exempt(switch: SwitchDocuments, exemption: TimedExemption) -> Control:
    """Add the exemption, in place of one on the same. Raises what `limit` does."""
    return switch.change(lambda before, now: with_levers(before, now, exemptions=(by_store_clock(exemption, now),)))


def clear(switch: SwitchDocuments, items: Iterable[TimedCeiling | TimedExemption], why: str) -> Control:
    """End these now; `why` is added to their reasons. Raises what `limit` does."""
    keys = {item.key for item in items}

    def rule(before: Control | None, now: datetime | None) -> Control:
        if before is None or now is None:
            return with_levers(before, now)
        ceilings = [_ended(item, now, why) for item in before.timed if item.key in keys]
        exemptions = [_ended(item, now, why) for item in before.exemptions if item.key in keys]
        return with_levers(before, now, ceilings=ceilings, exemptions=exemptions)

    return switch.change(rule)


def _ended(item: _Timed, now: datetime, why: str) -> _Timed:
    return replace(item, until=min(item.until, now), reason=f"{item.reason}; {why}")
