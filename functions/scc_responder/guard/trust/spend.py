"""Store what people say of a policy's acts, and lower the policy where its error budget is spent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, usable_as, write_over
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_levers import limit
from scc_responder.guard.trust.error_budget import (
    BudgetPlace,
    ErrorBudget,
    Verdict,
    budget_key,
    overspent,
    with_verdict,
)

UNTIL_RAISED = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a ceiling that only a person ends."""
KEEP_BUDGET = timedelta(days=400)
_TRIES = 8


def spend(store: CasStore, place: BudgetPlace, policy: str, verdict: Verdict, tell: Callable[[str], None]) -> str:
    """Note the verdict; why the policy is lowered to `approve` there by it, empty if it is not.

    The ceiling is set first, and then people are to be told why by `tell`: a crash in between leaves one too many, and
    the same verdict may be given again.
    Raises StoreError, RetryableError.
    """
    key = budget_key(place.name, policy)
    for _ in range(_TRIES):
        entry = store.get(key)
        before = usable_as(ErrorBudget, entry) if entry else ErrorBudget(place=place.name, policy=policy)
        after = with_verdict(before, verdict)
        if why := overspent(after):
            limit(SwitchDocuments(store), _lowered(place, policy, why, verdict))
            tell(why)
            after = replace(after, spent_at=max(item.at for item in after.verdicts))
        with suppress(AlreadyExists, Conflict):
            if after is not before:
                write_over(store, key, msgspec.json.encode(after), entry, keep=KEEP_BUDGET)
            return why
    raise RetryableError(Reason.LEDGER_CONTENDED, f"{_TRIES} tries on {key}")


def _lowered(place: BudgetPlace, policy: str, why: str, verdict: Verdict) -> TimedCeiling:
    return TimedCeiling(
        scope=TimedScope.ERROR_BUDGET,
        name=policy,
        place=place.name,
        clusters=place.clusters,
        mode=Mode.APPROVE,
        reason=why,
        by=verdict.by,
        at=verdict.at,
        until=UNTIL_RAISED,
    )
