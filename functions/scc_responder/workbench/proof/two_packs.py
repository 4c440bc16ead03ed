"""What one situation shows of a change: what is done now and was not before, and what is done no more. Pure.

What is done counts, not by which policy: one that is renamed, or split in two that do the same, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scc_responder.policy.decide import Decision
from scc_responder.policy.limits import Limit
from scc_responder.workbench.proof.claims import ClaimKind, Shown
from scc_responder.workbench.proof.judged_situation import Act, acts_of
from scc_responder.workbench.simulation.edits.edit import as_strict


def more_done(before: Decision, after: Decision) -> Iterator[Shown]:
    """What is done after a change that was not done before it, or not as freely."""
    kinds = (ClaimKind.ADDED, ClaimKind.MODE_RAISED, ClaimKind.LOOSENED)
    return _difference(before, after, kinds)


def less_done(before: Decision, after: Decision) -> Iterator[Shown]:
    """What was done before a change, and is not after it, or not as freely."""
    kinds = (ClaimKind.TAKEN_AWAY, ClaimKind.MODE_LOWERED, ClaimKind.TIGHTENED)
    return _difference(after, before, kinds)


def _difference(less: Decision, more: Decision, kinds: Sequence[ClaimKind]) -> Iterator[Shown]:
    known = acts_of(less)
    for key, several in acts_of(more).items():
        others = known.get(key, ())
        for act in several:
            if not others:
                yield _shown(kinds[0], act, str(act.mode))
            elif act.rank > others[0].rank:
                yield _shown(kinds[1], act, f"{others[0].mode} and {act.mode}")
            elif act.rank == others[0].rank and not any(_as_bound(act, other) for other in others):
                yield _shown(kinds[2], act, _unbound(act, others))


def _shown(kind: ClaimKind, act: Act, detail: str) -> Shown:
    return Shown(
        kind=kind, policy=act.policy, action=act.action, variant=act.variant, detail=detail, changes=act.changes
    )


def _as_bound(act: Act, other: Act) -> bool:
    """Whether the act waits for all that the other one waits for, and is counted as strictly."""
    return other.needs <= act.needs and other.chained <= act.chained and not _unlimited(act.limits, other.limits)


def _unlimited(limits: Iterable[Limit], others: Iterable[Limit]) -> list[Limit]:
    """Which of the other limits none of these limits is as strict as."""
    return [other for other in others if not any(as_strict(limit, other) for limit in limits)]


def _unbound(act: Act, others: Sequence[Act]) -> str:
    """What the act does not wait for and the others do, in words."""
    told: dict[str, None] = {}
    for other in others:
        told |= {f"needs {name}": None for name in sorted(other.needs - act.needs)}
        told |= {f"on_failure: stop of {name}": None for name in sorted(other.chained - act.chained)}
        missing = _unlimited(act.limits, other.limits)
        told |= {f"limit {limit.most} {limit.of} within {limit.within}": None for limit in missing}
    return ", ".join(told)
