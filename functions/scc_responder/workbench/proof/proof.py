"""Look at every situation there may be, and keep what must not be, and what a change adds or takes away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.value import Value
from scc_responder.intake.notification import parse_notification
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.proof.claims import ProvedClaim, Shown
from scc_responder.workbench.proof.judged_situation import judged, supposed
from scc_responder.workbench.proof.made_situation import MadeSituation, notification_of
from scc_responder.workbench.proof.one_pack import shown_of_one
from scc_responder.workbench.proof.situations import Situations
from scc_responder.workbench.proof.two_packs import less_done, more_done
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.guardrail_edits import edits

_SHOWN_BY_SITUATIONS = ("protected", "max_mode", "ceilings", "exemptions", "max_finding_age")
"""Fields of guardrails of which situations show what an edit does."""


class Proof(Value, frozen=True, kw_only=True):
    """What was found in so many situations. `unproved` are policies whose `condition` may hold or not.

    `edits` are those of the guardrails that no situation shows: of limits, breakers, approvals.
    """

    policies: int
    situations: int
    claims: tuple[ProvedClaim, ...]
    unproved: tuple[str, ...]
    edits: tuple[Edit, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether a person has to look before this is deployed."""
        return any(claim.shown.fails for claim in self.claims) or any(edit.widens for edit in self.edits)


def prove(pack: PolicySet, now: datetime, former: PolicySet | None = None) -> Proof:
    """What holds of a pack in every situation; with `former`, what it does that this one does not, and vice versa.

    Raises PolicyError where patterns are too many to be told apart.
    """
    one = _OnePack(pack)
    claims, count = list(_claims(one, Situations([pack], now))), one.seen
    found: tuple[Edit, ...] = ()
    if former is not None:
        two = _TwoPacks(former, pack)
        claims += _claims(two, Situations([former, pack], now, two.changed))
        count += two.seen
        every = edits(former.guardrails, pack.guardrails, now.date())
        found = tuple(edit for edit in every if not edit.field.startswith(_SHOWN_BY_SITUATIONS))
    return Proof(
        policies=len(pack.policies),
        situations=count,
        claims=tuple(claims),
        unproved=tuple(policy.name for policy in pack.policies if policy.condition),
        edits=found,
    )


class _OnePack:
    """One pack, asked about situations. Where a `condition` stands, it is taken to hold."""

    def __init__(self, pack: PolicySet) -> None:
        self._pack = pack
        self.seen = 0

    def shown(self, situation: MadeSituation, matching: int, *, real: bool = False) -> Iterator[Shown]:
        """What the situation shows. `real`: as the pack is, its conditions asked."""
        self.seen += not real
        chosen = _chosen(self._pack.policies, matching)
        policies = chosen if real else supposed(chosen)
        context = situation.context
        decision = judged(self._pack, policies, situation, context)
        return shown_of_one(decision, policies, situation, context)


class _TwoPacks:
    """A pack and the former one, asked about situations.

    A policy whose `condition` is another now may have been held by it before, and may be now: both are tried.
    """

    def __init__(self, former: PolicySet, pack: PolicySet) -> None:
        self._packs = former, pack
        self._count = len(former.policies)
        self.seen = 0
        known = [{policy.name: policy for policy in one.policies} for one in self._packs]
        same_rails = former.guardrails == pack.guardrails
        every = (*former.policies, *pack.policies)
        self.changed = [
            n for n, one in enumerate(every) if not same_rails or known[0].get(one.name) != known[1].get(one.name)
        ]
        self._doubtful = {
            policy.name
            for policy in every
            if policy.name in known[0]
            and policy.name in known[1]
            and known[0][policy.name].condition != known[1][policy.name].condition
        }

    def shown(self, situation: MadeSituation, matching: int, *, real: bool = False) -> Iterator[Shown]:
        """What the situation shows of the change. `real`: as both packs are, their conditions asked."""
        self.seen += not real
        context = situation.context
        before, after = matching & (1 << self._count) - 1, matching >> self._count
        former, pack = self._packs

        if real:
            was = judged(former, _chosen(former.policies, before), situation, context)
            now = judged(pack, _chosen(pack.policies, after), situation, context)
            return iter((*more_done(was, now), *less_done(was, now)))
        both = (former, before), (pack, after)
        most = [judged(one, self._may(one, mask), situation, context) for one, mask in both]
        least = most
        if self._doubtful:
            least = [judged(one, self._must(one, mask), situation, context) for one, mask in both]
        return iter((*more_done(least[0], most[1]), *less_done(most[0], least[1])))

    def _may(self, pack: PolicySet, mask: int) -> list[Policy]:
        return supposed(_chosen(pack.policies, mask))

    def _must(self, pack: PolicySet, mask: int) -> list[Policy]:
        known = _chosen(pack.policies, mask)
        sure = [item for item in known if not item.condition or item.name not in self._doubtful]
        others = [item for item in known if not item.otherwise]
        return supposed([item for item in sure if not item.otherwise or not others])


def _chosen(policies: Sequence[Policy], mask: int) -> list[Policy]:
    return [policy for number, policy in enumerate(policies) if mask >> number & 1]


def _claims(asked: _OnePack | _TwoPacks, situations: Situations) -> Iterator[ProvedClaim]:
    """Each thing that is shown once, by a situation that confirms it where there is one."""
    found: dict[Shown, ProvedClaim] = {}
    for situation, matching in situations.all():
        for shown in asked.shown(situation, matching):
            known = found.get(shown)
            threats = dict.fromkeys((*(known.threats if known else ()), *situation.threats))
            if known is None or not known.confirmed:
                is_shown = shown in asked.shown(_read_back(situation), matching, real=True)
                known = ProvedClaim(shown=shown, situation=situation, threats=(), confirmed=is_shown)
            found[shown] = replace(known, threats=tuple(threats))
    yield from found.values()


def _read_back(situation: MadeSituation) -> MadeSituation:
    """The situation with the finding as its notification is read."""
    return replace(situation, finding=parse_notification(notification_of(situation.finding)))
