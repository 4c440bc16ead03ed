"""Set what ends by itself, in the kill switch's document: each in one compare-and-set write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from scc_responder.domain.errors import StoreError
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import CONTROL_SCHEMA, TIMED_SCHEMA, Control
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling
from scc_responder.guard.timed.timed_exemptions import TimedExemption

MOST_STANDING = 50
"""As many ceilings may stand at once, and as many exemptions: the document stays small, and every step reads it."""
KEEP_ENDED = 10
_EXACT = timedelta(minutes=1)
"""A clock that is off by less is taken for the store's."""
_LASTING = 9999
_NOT_SET = "nothing is changed yet. First say how far the responder may go: scc-responder control set"

_Timed = TypeVar("_Timed", bound=TimedCeiling | TimedExemption)


def limit(switch: SwitchDocuments, ceiling: TimedCeiling) -> Control:
    """Add the ceiling, in place of one on the same. Raises what `SwitchDocuments.set` does, and StoreError.

    `control_missing`: the switch has no document that can be read. `control_full`: too many stand. It stands for as
    long as it says, counted by the store's clock.
    """
    return switch.change(lambda before, now: with_levers(before, now, ceilings=(by_store_clock(ceiling, now),)))


def by_store_clock(item: _Timed, now: datetime | None) -> _Timed:
    """The same for as long from now on, where the clock of the desk is wrong. What lasts has no length."""
    off = now - item.at if now and item.until.year < _LASTING else _EXACT
    return replace(item, at=item.at + off, until=item.until + off) if abs(off) > _EXACT else item


def with_levers(
    before: Control | None,
    now: datetime | None,
    *,
    ceilings: Sequence[TimedCeiling] = (),
    exemptions: Sequence[TimedExemption] = (),
) -> Control:
    """The document with these, in place of those on the same. Raises StoreError, as `limit` does."""
    if before is None or now is None:
        raise StoreError(Reason.CONTROL_MISSING, _NOT_SET)
    timed, exempt_now = _merged(before.timed, ceilings, now), _merged(before.exemptions, exemptions, now)
    ends = [*(item.until for item in timed), *(item.until for item in exempt_now)]
    schema = TIMED_SCHEMA if max(ends, default=now) > now else CONTROL_SCHEMA
    return replace(before, schema=schema, timed=timed, exemptions=exempt_now)


def _merged(before: Sequence[_Timed], added: Sequence[_Timed], now: datetime) -> tuple[_Timed, ...]:
    """All that stand, the latest last, after the latest of those that ended. Raises StoreError `control_full`."""
    items: dict[tuple[str, ...], _Timed] = {item.key: item for item in (*before, *added)}
    ended = sorted((item for item in items.values() if item.until <= now), key=lambda item: item.until)
    standing = [item for item in items.values() if item.until > now]
    if len(standing) > MOST_STANDING:
        raise StoreError(
            Reason.CONTROL_FULL, f"{MOST_STANDING} stand already: end some with scc-responder control clear"
        )
    return (*ended[-KEEP_ENDED:], *standing)
