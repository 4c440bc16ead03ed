"""Which policies cover which threats, and which threats none covers: every policy is tried on a sample of each. Pure.

A policy may ask for more than the threat: a namespace, an image, a `condition`. It then covers some targets only,
whatever the plain finding's own target is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.intake.threats import Row, catalogue
from scc_responder.policy.decide import ActionResult, decide, match
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policies.answers_by_mode import ModeAnswer, raised_contexts
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding, unknown_finding

OF_THREAT = frozenset({"threat", "category", "detector", "severity", "kind", "confidence", "surface"})
"""The conditions that speak of the threat alone. All others narrow a policy to some targets."""


RAISED = "raised_confidence"
"""What narrows a policy that answers only where related findings raise the confidence."""


class CoverageTier(StrEnum):
    """How far the actions go that can be planned, the least first."""

    NONE = "none"
    OBSERVE = "observe"
    REVERSIBLE = "reversible"
    IRREVERSIBLE = "irreversible"


class Gap(StrEnum):
    """Why a threat is not answered to wherever it appears; empty where it is."""

    NONE = ""
    NO_POLICY = "no_policy"
    DISABLED_ONLY = "disabled_only"
    SOME_TARGETS_ONLY = "some_targets_only"
    NOTHING_PLANNED = "nothing_planned"


class CoverStep(Value, frozen=True, kw_only=True):
    """The result of a policy's action for the plain finding: planned, skipped or held, and why."""

    action: str
    result: str
    reason: str


class Cover(Value, frozen=True, kw_only=True):
    """A policy that answers to a threat. `narrowed_by` are the conditions that make it some targets only.

    `plain` is its answer to the plain finding: `matched`, or what of the finding's own target stood against it.
    """

    policy: str
    mode: Mode
    tier: CoverageTier
    plain: str
    narrowed_by: tuple[str, ...]
    steps: tuple[CoverStep, ...]


class Covered(Value, frozen=True, kw_only=True):
    """One threat, the policies that answer to it, and the gap that they leave."""

    row: Row
    covers: tuple[Cover, ...]
    gap: Gap

    @property
    def tier(self) -> CoverageTier:
        """How far any policy that is not disabled goes."""
        return max(
            (cover.tier for cover in self.covers if cover.mode != Mode.DISABLED), key=_rank, default=CoverageTier.NONE
        )


class Coverage(Value, frozen=True, kw_only=True):
    """All threats, the policies that answer to threats outside the catalogue, and those that answer to none.

    `by_mode` says by the threat's name what happens at each mode, where that was asked for.
    """

    threats: tuple[Covered, ...]
    unknown: tuple[Cover, ...]
    idle: tuple[str, ...]
    by_mode: dict[str, tuple[ModeAnswer, ...]] = {}

    @property
    def gaps(self) -> tuple[Covered, ...]:
        """The threats that are not answered to wherever they appear."""
        return tuple(threat for threat in self.threats if threat.gap)


def coverage(policies: Sequence[Policy], rows: Iterable[Row] | None = None) -> Coverage:
    """Every threat of the catalogue, tried on every policy."""
    threats = tuple(_covered(row, policies) for row in (catalogue() if rows is None else rows))
    in_pod = unknown_finding()
    elsewhere = replace(in_pod, pods=(), containers=())
    unknown = tuple(dict.fromkeys((*_covers(in_pod, policies), *_covers(elsewhere, policies))))
    used = {cover.policy for covers in (unknown, *(threat.covers for threat in threats)) for cover in covers}
    return Coverage(
        threats=threats, unknown=unknown, idle=tuple(policy.name for policy in policies if policy.name not in used)
    )


def _covered(row: Row, policies: Sequence[Policy]) -> Covered:
    covers = _covers(sample_finding(row), policies)
    return Covered(row=row, covers=covers, gap=_gap(covers))


def _covers(finding: Finding, policies: Sequence[Policy]) -> tuple[Cover, ...]:
    plain = context_of(finding, facts_as_told(finding))
    raised = tuple(raised_contexts(plain))
    covers = (_plain_cover(plain, policy) or _raised_cover(raised, policy) for policy in policies)
    return tuple(filter(None, covers))


def _plain_cover(context: Context, policy: Policy) -> Cover | None:
    return _cover(context, policy, _narrowed_by(policy)) if _answers(context, policy) else None


def _raised_cover(raised: Iterable[Context], policy: Policy) -> Cover | None:
    for context in raised:
        if _answers(context, policy):
            return _cover(context, policy, (*_narrowed_by(policy), RAISED))
    return None


def _answers(context: Context, policy: Policy) -> bool:
    """Whether the policy's conditions on the threat hold, and what it says of targets can hold for some."""
    when = (answer for name, answer in policy.when.answers(context) if name in OF_THREAT)
    unless = (answer for name, answer in policy.unless.answers(context) if name in OF_THREAT)
    told_of_threat = all(when) and all(answer is False for answer in unless)
    return told_of_threat and (bool(_narrowed_by(policy)) or _unless_held(context, policy))


def _unless_held(context: Context, policy: Policy) -> bool:
    """Whether the policy matches, or only an exception for some targets keeps it from this one."""
    reason = match(context, policy)
    return reason == Reason.MATCHED or reason.word in {Reason.UNLESS, Reason.UNLESS_MISSING}


def _narrowed_by(policy: Policy) -> tuple[str, ...]:
    wanted = tuple(name for name in policy.when.given() if name not in OF_THREAT)
    return (*wanted, *(["condition"] if policy.condition else []))


def _cover(context: Context, policy: Policy, narrowed_by: tuple[str, ...]) -> Cover:
    steps = _steps(context, policy)
    return Cover(
        policy=policy.name,
        mode=policy.furthest,
        tier=_tier(steps),
        plain=match(context, policy),
        narrowed_by=narrowed_by,
        steps=steps,
    )


def _steps(context: Context, policy: Policy) -> tuple[CoverStep, ...]:
    """What the actions come to where all conditions hold: those on the target are taken as given."""
    enabled = replace(policy, mode=Mode.ENFORCE, modes=(), when=Match(), unless=Match(), condition="")
    planned = decide(context, (enabled,)).policies[0].actions
    return tuple(CoverStep(action=item.action, result=item.result, reason=item.reason) for item in planned)


def _tier(steps: Iterable[CoverStep]) -> CoverageTier:
    known = actions()
    planned = [known[step.action] for step in steps if step.result == ActionResult.PLANNED]
    tiers = [
        CoverageTier.OBSERVE
        if action.observes
        else CoverageTier.REVERSIBLE
        if action.reversible
        else CoverageTier.IRREVERSIBLE
        for action in planned
    ]
    return max(tiers, key=_rank, default=CoverageTier.NONE)


def _rank(tier: CoverageTier) -> int:
    return tuple(CoverageTier).index(tier)


def _gap(covers: Sequence[Cover]) -> Gap:
    enabled = [cover for cover in covers if cover.mode != Mode.DISABLED]
    acting = [cover for cover in enabled if cover.tier != CoverageTier.NONE]
    if not covers:
        return Gap.NO_POLICY
    if not enabled:
        return Gap.DISABLED_ONLY
    if not acting:
        return Gap.NOTHING_PLANNED
    return Gap.NONE if any(not cover.narrowed_by for cover in acting) else Gap.SOME_TARGETS_ONLY
