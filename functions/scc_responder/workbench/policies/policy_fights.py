"""Policies that ask for the same thing differently, so that their order would decide: named, for no name should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.intake.threats import catalogue
from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policy_files.pattern_words import all_within
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding

_OF_A_ROW = frozenset({"threat", "category", "detector", "kind", "surface"})
_OF_A_TARGET = ("cluster", "project", "namespace", "workload", "service", "node_pool")


class Fight(Value, frozen=True, kw_only=True):
    """A step of one policy that another policy of the same mode asks for differently, about what both may meet."""

    policy: str
    step: int
    other: str
    what: str


def fights(policies: Sequence[Policy]) -> Iterator[Fight]:
    """Every pair of policies that fight, each pair once for each thing that they fight about."""
    asked: defaultdict[tuple[str, str], list[tuple[Policy, int, str]]] = defaultdict(list)
    for policy in policies:
        for mode in sorted({policy.mode, *(one.mode for one in policy.modes)} - {Mode.DISABLED}):
            for index, what, value in asked_things(policy):
                asked[mode, what].append((policy, index, value))
    yield from dict.fromkeys(_among(asked))


def _among(asked: Mapping[tuple[str, str], list[tuple[Policy, int, str]]]) -> Iterator[Fight]:
    """Those of each mode: policies may meet in several."""
    met: dict[str, frozenset[str]] = {}
    for (_, what), several in asked.items():
        for place, (policy, index, value) in enumerate(several):
            for other, _, wanted in several[:place]:
                if wanted != value and other.name != policy.name and _may_meet(policy, other, met):
                    yield Fight(policy=policy.name, step=index, other=other.name, what=what)


def asked_things(policy: Policy) -> Iterator[tuple[int, str, str]]:
    """What each step sets, as (place, what, value): each label and annotation, and how a deletion is done."""
    for index, step in enumerate(policy.then):
        for field in ("labels", "annotations"):
            values = step.parameters.get(field)
            for key, value in values.items() if isinstance(values, Mapping) else ():
                yield index, f"{field[:-1]} {key}", str(value)
        known = actions().get(step.action)
        if known and known.disrupts and not known.reversible:
            yield index, step.action, step.variant


def _may_meet(one: Policy, other: Policy, met: dict[str, frozenset[str]]) -> bool:
    """Whether both may match one finding, as far as that can be told. `met` keeps the threats of each policy."""
    for policy in (one, other):
        if policy.name not in met:
            met[policy.name] = _threats(policy)
    return not met[one.name].isdisjoint(met[other.name]) and _share_a_target(one, other)


def _share_a_target(one: Policy, other: Policy) -> bool:
    for field in _OF_A_TARGET:
        left, right = (as_tuple(policy.when.given().get(field, ("*",))) for policy in (one, other))
        if not any(_overlap(a, b) for a in left for b in right):
            return False
        if _excepted(left, other, field) or _excepted(right, one, field):
            return False
    return True


def _excepted(wanted: tuple[str, ...], policy: Policy, field: str) -> bool:
    """Whether the policy excepts all that is wanted."""
    return all_within(wanted, as_tuple(policy.unless.given().get(field, ())))


def _overlap(one: str, other: str) -> bool:
    """Whether some name fits both; where both have wildcards, that is taken for granted."""
    wild = [any(sign in pattern for sign in "*?") for pattern in (one, other)]
    return all(wild) or all_within([one], [other]) or all_within([other], [one]) or "*" in {one, other}


def _threats(policy: Policy) -> frozenset[str]:
    """The threats of the catalogue that the policy may be about; `unknown` stands for those that are not in it."""
    given = {name: condition for name, condition in policy.when.conditions if name in _OF_A_ROW}
    rows = (name for name, context in _contexts().items() if all(fits(context) for fits in given.values()))
    return frozenset(rows) | ({"unknown"} if not given else frozenset())


@cache
def _contexts() -> dict[str, Context]:
    """A plain finding of each threat, with its target."""
    found = {}
    for row in catalogue():
        finding = sample_finding(row)
        found[row.name] = context_of(finding, facts_as_told(finding))
    return found
