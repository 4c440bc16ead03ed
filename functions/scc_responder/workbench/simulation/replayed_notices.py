"""What people would be told of findings of HIGH or above that something holds, or nothing answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.execute.told_as_one import WITHIN, is_of_availability, told_of
from scc_responder.policy.decide import ActionResult, PolicyDecision
from scc_responder.workbench.foretold import ANY_CASE, ToldHold, foretold, foretold_steps, told_holds

MOST_HOLDS = 200
"""More different holds and commands than these are counted together."""


class CountedHold(Value, frozen=True, kw_only=True):
    """A hold that so many messages name, and the command that each of them has for it, with `CASE` for its case."""

    hold: ToldHold
    count: int


class ToldCount(Value, frozen=True, kw_only=True):
    """So many messages; `unanswered` of them say that no policy answers, the others name `holds`, most often first.

    `as_one` more findings have none of their own: another one of their workload said it minutes before. `further` are
    holds that are not listed.
    """

    messages: int = 0
    unanswered: int = 0
    as_one: int = 0
    holds: tuple[CountedHold, ...] = ()
    further: int = 0


class ReplayedNotices:
    """Counters that can still grow. Findings come in the order of time."""

    def __init__(self) -> None:
        self._messages = self._unanswered = self._as_one = self._further = 0
        self._holds: Counter[ToldHold] = Counter()
        self._told: dict[str, tuple[datetime, str]] = {}

    def add(
        self,
        context: Context,
        policies: Iterable[PolicyDecision],
        now: datetime,
        earlier: Iterable[PolicyDecision] | None = None,
    ) -> None:
        """Count the message about one finding, if there is one.

        `earlier` is what was decided before of a finding of which a part waited: then it is told of that part alone.
        """
        policies, again = tuple(policies), earlier is not None
        told = foretold(context, policies, ANY_CASE, waited=again)
        if told is None or (again and not told.holds):
            return
        if told.reason is Reason.NO_POLICY_MATCHED:
            self._unanswered += 1
        elif (again or not _tells(policies)) and self._is_told(context, policies, tuple(earlier or ()), now):
            self._as_one += 1
            return
        self._messages += 1
        for hold in told.holds:
            if hold in self._holds or len(self._holds) < MOST_HOLDS:
                self._holds[hold] += 1
            else:
                self._further += 1

    def report(self) -> ToldCount:
        """What was counted."""
        holds = tuple(CountedHold(hold=hold, count=count) for hold, count in self._holds.most_common())
        return ToldCount(
            messages=self._messages,
            unanswered=self._unanswered,
            as_one=self._as_one,
            holds=holds,
            further=self._further,
        )

    def _is_told(
        self,
        context: Context,
        policies: tuple[PolicyDecision, ...],
        earlier: tuple[PolicyDecision, ...],
        now: datetime,
    ) -> bool:
        """Whether another finding of the same workload told so a short time ago."""
        if not is_of_availability(told_holds(context, policies, waited=bool(earlier))):
            return False
        uid = context.pod.uid if context.pod else ""
        about = told_of(context, uid, foretold_steps(context, (*earlier, *policies), ActionResult.PLANNED))
        self._told = {name: told for name, told in self._told.items() if now - told[0] < WITHIN}
        return self._told.setdefault(about, (now, context.finding.key))[1] != context.finding.key


def _tells(policies: Iterable[PolicyDecision]) -> bool:
    """Whether a policy sends its own message, which says all of it."""
    known = actions()
    return any(
        known[item.action].tells and item.result == ActionResult.PLANNED
        for policy in policies
        for item in policy.actions
    )
