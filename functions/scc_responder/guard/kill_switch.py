"""The kill switch: one document for everywhere, and one for each project or cluster that needs its own, in the store.

A document is a ceiling on the mode of every policy: it can lower a mode, never raise it. No document for everywhere, or
one that makes no sense, means `dry_run`; no document for a place takes nothing away. It is read before every decision
and every intent, and turned by compare-and-set.

The document for everywhere also has what ends by itself: ceilings on one policy, namespace or workload, and exemptions
(`timed/`). While one stands, its schema is 2, which version 0.1.0 takes for `dry_run`: it would not heed it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.errors import RetryableError, StoreError, StoreUnavailable
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore
from scc_responder.domain.value import AwareDatetime, Value, read_json
from scc_responder.guard.guard import lowered
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope, holds_for, is_in
from scc_responder.guard.timed.timed_exemptions import TimedExemption, exemption_reason
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision

CONTROL_PREFIX = "control/"
GLOBAL = f"{CONTROL_PREFIX}global"
NAME = "control"
CONTROL_SCHEMA = 1
TIMED_SCHEMA = 2


class Setting(Value, frozen=True, kw_only=True):
    """One turn of the switch: to which mode, why, by whom and when."""

    mode: Mode
    reason: str
    by: str
    at: AwareDatetime


class Control(Setting, frozen=True, kw_only=True):
    """The document: the present setting, and those before it, the latest first.

    `cluster` is a cluster's path, or `projects/P` of a whole project; empty: everywhere. `timed` and `exemptions` are
    in the document for everywhere alone; those that ended stay for a while, to be shown.
    """

    cluster: str = ""
    schema: int = CONTROL_SCHEMA
    history: tuple[Setting, ...] = ()
    timed: tuple[TimedCeiling, ...] = ()
    exemptions: tuple[TimedExemption, ...] = ()


class KillSwitchCeiling(Value, frozen=True, kw_only=True):
    """The furthest mode that the kill switch allows now, and the reason if no document says it.

    `timed` and `exemptions` are those that stand now and hold in the place that was asked for.
    """

    mode: Mode
    reason: str = ""
    timed: tuple[TimedCeiling, ...] = ()
    exemptions: tuple[TimedExemption, ...] = ()


def parse(value: bytes, cluster: str | None = None) -> Control | None:
    """The document, or None if this version cannot read it or if it is about another place than `cluster`."""
    try:
        # As text: of bytes, what is skipped is not looked at, and may be no UTF-8.
        control = read_json(value.decode(), Control)
    except (msgspec.DecodeError, UnicodeError):
        return None
    is_meant = cluster is None or control.cluster == cluster
    schema = (
        TIMED_SCHEMA if control.schema == TIMED_SCHEMA and (control.timed or control.exemptions) else CONTROL_SCHEMA
    )
    return control if control.schema == schema and is_meant else None


def enclosing(place: str) -> tuple[str, ...]:
    """The places, besides everywhere, whose documents hold in a cluster or project: the project's, and its own.

    >>> enclosing("projects/p/locations/l/clusters/c"), enclosing("projects/p"), enclosing("")
    (('projects/p', 'projects/p/locations/l/clusters/c'), ('projects/p',), ())
    """
    project = "/".join(place.split("/")[:2])
    return tuple(dict.fromkeys(filter(None, (project, place))))


def ceiling(everywhere: bytes | None, *own: tuple[bytes | None, str]) -> KillSwitchCeiling:
    """The lowest of the documents, each as it is stored; None where there is none. `own` have their places."""
    lowest = (
        KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_MISSING)
        if everywhere is None
        else _ceiling_of(everywhere, "")
    )
    for document, place in own:
        special = KillSwitchCeiling(mode=Mode.ENFORCE) if document is None else _ceiling_of(document, place)
        lowest = special if capped(special.mode, lowest.mode) != lowest.mode else lowest
    return lowest


def under(limit: KillSwitchCeiling, decision: Decision, context: Context) -> Decision:
    """The decision with every policy's mode under the kill switch's, and what is exempt held."""
    exempt = exemption_reason(limit.exemptions, context)
    policies = (_under(limit, policy, context) for policy in decision.policies)
    return Decision(policies=tuple(_held(policy, exempt) if exempt else policy for policy in policies))


def refused_now(limit: KillSwitchCeiling, policy: PolicyDecision, context: Context) -> Reason | None:
    """Why the switch lets a step of this policy, decided before, not be done any more; None if it does."""
    mode = _under(limit, policy, context)
    return Reason.read(mode.mode_reason) if mode.mode != policy.mode else exemption_reason(limit.exemptions, context)


def _under(limit: KillSwitchCeiling, policy: PolicyDecision, context: Context) -> PolicyDecision:
    policy = lowered(policy, limit.mode, NAME, by_switch=True)
    for item in limit.timed:
        if holds_for(item, policy.name, context):
            is_set = item.scope is not TimedScope.ERROR_BUDGET
            policy = lowered(policy, item.mode, item.source, by_switch=is_set)
    return policy


def _held(policy: PolicyDecision, exempt: Reason) -> PolicyDecision:
    def held(planned: PlannedAction) -> PlannedAction:
        if planned.result != ActionResult.PLANNED or actions()[planned.action].observes:
            return planned
        return replace(planned, result=ActionResult.HELD, reason=exempt)

    return replace(policy, actions=tuple(map(held, policy.actions)))


def key_of(cluster: str) -> str:
    """Where the document of a cluster or project, given by its path, is; of everywhere, if the path is empty."""
    return f"{CONTROL_PREFIX}cluster/" + hashlib.sha256(cluster.encode()).hexdigest()[:32] if cluster else GLOBAL


class KillSwitch:
    """The documents. Nothing is kept in memory: what a person set counts from the next read on."""

    def __init__(self, store: CasStore) -> None:
        self.store = store

    def ceiling(self, place: str) -> KillSwitchCeiling:
        """The furthest mode allowed in the cluster or project now; with an empty path, by everywhere's document alone.

        Raises RetryableError `control_unreadable` where the store does not answer: nothing may be done then, and the
        message comes again. If the stored document is unusable, `dry_run`.
        """
        try:
            entries = self.store.get_many([GLOBAL, *map(key_of, enclosing(place))])
        except StoreUnavailable as error:
            raise RetryableError(Reason.CONTROL_UNREADABLE, str(error), permission=error.permission) from error
        except StoreError:
            return KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_UNUSABLE)
        everywhere, *own = (entry.value if entry else None for entry in entries)
        limit = ceiling(everywhere, *zip(own, enclosing(place), strict=True))
        control = parse(entries[0].value, "") if entries[0] else None
        return _with_timed(limit, control, place, entries[0].server_time) if control and entries[0] else limit


def _with_timed(limit: KillSwitchCeiling, control: Control, place: str, now: datetime) -> KillSwitchCeiling:
    """The same with what stands in this place, of what ends by itself."""
    if not control.timed and not control.exemptions:
        return limit
    places = {"", *enclosing(place)}
    timed = tuple(item for item in control.timed if item.until > now and is_in(item, place, places))
    exemptions = tuple(item for item in control.exemptions if item.until > now and item.place in places)
    return replace(limit, timed=timed, exemptions=exemptions)


def _ceiling_of(value: bytes, cluster: str) -> KillSwitchCeiling:
    control = parse(value, cluster)
    return (
        KillSwitchCeiling(mode=control.mode)
        if control
        else KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_UNUSABLE)
    )
