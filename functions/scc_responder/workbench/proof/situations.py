"""Every situation that policies and guardrails can tell apart: one finding and target for each kind of them.

A condition asks one part of a situation alone: what was found, the place, the workload, labels, images, node pool,
principal, node, time. Of each part's values those are kept that some condition answers differently; and of their
combinations those in which some policy is still about to act, policy by policy and part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.wildcards import matcher
from scc_responder.policy.match import Match, Patterns, as_tuple
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.proof.enumerated_findings import EnumeratedFinding, enumerated_findings
from scc_responder.workbench.proof.made_situation import MadeSituation, TargetWords, made_situation
from scc_responder.workbench.proof.possible_targets import TargetValues, possible_targets
from scc_responder.workbench.proof.situation_facets import Facet, facets, moments

MOST_SITUATIONS = 200_000
_OF_PART = {
    "place": ("cluster", "project", "location", "service"),
    "workload": ("namespace", "workload"),
    "labels": ("labels",),
    "namespace_labels": (),
    "images": ("image",),
    "node_pool": ("node_pool",),
    "principal": ("principal",),
    "node": (),
}
"""Which conditions ask each part of a target; what was found is asked all others."""
_OF_TARGET = frozenset(field for fields in _OF_PART.values() for field in fields)
_HAS: Mapping[str, Callable[[Finding], bool]] = {
    "place": lambda finding: bool(finding.cluster or finding.cloud_run),
    "workload": lambda finding: bool(finding.pods),
    "labels": lambda finding: bool(finding.pods),
    "namespace_labels": lambda finding: bool(finding.pods),
    "images": lambda finding: bool(finding.containers),
    "node_pool": lambda finding: bool(finding.cluster and (finding.node or finding.pods)),
    "principal": lambda finding: bool(finding.principal),
    "node": lambda finding: bool(finding.cluster and finding.node),
}

_Told = tuple[int, Hashable]
"""Which policies are still about to act, one bit each, and what guardrails see."""

_Chosen = tuple[dict[str, Any], int]
"""The value of a part, by its name in `TargetWords`, and which policies are still about to act."""


def _mode_of(policy: Policy) -> Facet:
    """Which of its modes hold in the cluster, and which by labels of the namespace: each part is asked alone."""

    def told(context: Context) -> Hashable:
        cluster = context.finding.cluster.path if context.finding.cluster else ""
        labels = context.namespace.labels if context.namespace else {}
        return tuple((one.fits(cluster), one.fits_labels(labels)) for one in policy.modes)

    return told


class Situations:
    """All situations in which one of the wanted policies may act. `policies` are those of all packs, in their order."""

    def __init__(self, packs: Sequence[PolicySet], now: datetime, wanted: Iterable[int] | None = None) -> None:
        self.policies: tuple[Policy, ...] = tuple(policy for pack in packs for policy in pack.policies)
        self._wanted = _mask(range(len(self.policies)) if wanted is None else wanted)
        self._enabled = _mask(n for n, policy in enumerate(self.policies) if policy.furthest != Mode.DISABLED)
        self._rails = [pack.guardrails for pack in packs]
        self._facets = (*facets(self._rails), *(_mode_of(policy) for policy in self.policies if policy.modes))
        self._values = possible_targets(packs)
        self._kinds = enumerated_findings(packs)
        self._moments = moments(self._rails, self.policies, now)
        self._now = now
        self._tables: dict[Hashable, dict[Any, _Told]] = {}

    def all(self) -> Iterator[tuple[MadeSituation, int]]:
        """Each situation, with the policies that match it but for their `condition`, one bit each."""
        seen = 0
        for kind, live, threats in self._representatives():
            finding = made_situation(kind, TargetWords()).finding
            for words, matching in self._targets(kind, finding, live):
                for time, age in self._moments:
                    seen += 1
                    if seen > MOST_SITUATIONS:
                        raise _too_many()
                    yield replace(made_situation(kind, words, time, age), threats=tuple(threats)), matching

    def _representatives(self) -> Iterator[tuple[EnumeratedFinding, int, dict[str, None]]]:
        """One kind of finding for all that every policy and guardrail answers alike, with the threats of all."""
        found: dict[Hashable, tuple[EnumeratedFinding, int, dict[str, None]]] = {}
        for kind in self._kinds:
            situation = made_situation(kind, TargetWords(), self._now)
            context = situation.context
            live = self._live(context, self._enabled, lambda name: name not in _OF_TARGET)
            if live & self._wanted:
                key = live, self._seen(context), context.threat.surface, _shape(situation.finding)
                found.setdefault(key, (kind, live, {}))[2][context.threat.name] = None
        return iter(found.values())

    def _live(self, context: Context, among: int, asks: Callable[[str], bool]) -> int:
        """The policies whose conditions on one part of the context hold."""
        live = 0
        for number, policy in enumerate(self.policies):
            if among >> number & 1 and _holds(policy, context, asks):
                live |= 1 << number
        return live

    def _seen(self, context: Context) -> Hashable:
        return tuple(facet(context) for facet in self._facets)

    def _targets(self, kind: EnumeratedFinding, finding: Finding, live: int) -> Iterator[tuple[TargetWords, int]]:
        """The targets of a finding, part by part; what no wanted policy is about any more is dropped."""
        reached: list[tuple[TargetWords, int]] = [(TargetWords(), live)]
        for part in _OF_PART:
            tables: dict[int, list[_Chosen]] = {}
            after = []
            for words, before in reached:
                if before not in tables:
                    tables[before] = list(self._kept(part, kind, finding, before))
                after += [(replace(words, **told), left) for told, left in tables[before]]
            reached = after
        return iter(reached)

    def _kept(self, part: str, kind: EnumeratedFinding, finding: Finding, live: int) -> Iterator[_Chosen]:
        """One value of the part for all that the live policies and the guardrails answer alike."""
        if not _HAS[part](finding):
            context = made_situation(kind, TargetWords(), self._now).context
            left = self._live(context, live, _OF_PART[part].__contains__)
            if left & self._wanted:
                yield {}, left
            return
        found: dict[Hashable, _Chosen] = {}
        for told, (holding, seen) in self._table(part, kind, finding, live):
            left = live & holding
            if left & self._wanted:
                found.setdefault((left, seen), (told, left))
        yield from found.values()

    def _table(
        self, part: str, kind: EnumeratedFinding, finding: Finding, live: int
    ) -> Iterator[tuple[dict[str, Any], _Told]]:
        """Every value of a part, and what is told apart by it; findings of one shape share it."""
        asked = self._labels(live) if part == "labels" else self._raising(live) if part == "namespace_labels" else []
        keys = tuple(sorted({key for labels in asked for key in labels}))
        table = self._tables.setdefault((part, _shape(finding), keys), {})
        for told in _values(part, finding, self._values, asked):
            key = tuple(told.items())
            if key not in table:
                context = made_situation(kind, TargetWords(**told), self._now).context
                table[key] = self._live(context, self._enabled, _OF_PART[part].__contains__), self._seen(context)
            yield told, table[key]

    def _labels(self, live: int) -> list[Mapping[str, Patterns]]:
        """The labels that the live policies and the exemptions ask for."""
        asked: list[Match] = [exemption.when for rails in self._rails for exemption in rails.exemptions]
        for number, policy in enumerate(self.policies):
            if live >> number & 1:
                asked += [policy.when, policy.unless]
        return [match.labels for match in asked if match.labels]

    def _raising(self, live: int) -> list[Mapping[str, Patterns]]:
        """The namespaces' labels that raise a mode of the live policies."""
        modes = [one for number, policy in enumerate(self.policies) if live >> number & 1 for one in policy.modes]
        return [one.namespace_labels for one in modes if one.namespace_labels]


def _mask(numbers: Iterable[int]) -> int:
    return reduce(lambda mask, number: mask | 1 << number, numbers, 0)


def _holds(policy: Policy, context: Context, asks: Callable[[str], bool]) -> bool:
    """Whether nothing that is asked of this part keeps the policy from acting."""
    wanted = all(condition(context) for name, condition in policy.when.conditions if asks(name))
    return wanted and all(condition(context) is False for name, condition in policy.unless.conditions if asks(name))


def _shape(finding: Finding) -> Hashable:
    run = finding.cloud_run
    return run is not None, *(has(finding) for has in _HAS.values())


def _values(
    part: str, finding: Finding, values: TargetValues, asked: Sequence[Mapping[str, Patterns]]
) -> Iterator[dict[str, Any]]:
    if part == "place":
        places = values.clusters if finding.cluster else values.services
        return ({"cluster" if finding.cluster else "service": place} for place in places)
    if part in {"labels", "namespace_labels"}:
        return ({part: labels} for labels in _label_sets(getattr(values, part), asked))
    named: dict[str, tuple[Any, ...]] = {
        "workload": values.workloads,
        "images": values.images,
        "node_pool": values.node_pools,
        "principal": values.principals,
        "node": values.nodes,
    }
    return ({part: value} for value in named[part])


def _label_sets(
    known: Mapping[str, tuple[str, ...]], asked: Sequence[Mapping[str, Patterns]]
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Labels of a pod, or of a namespace: one set for all that fail the same of what is asked, key by key.

    Each of it asks for all of its keys at once. Raises PolicyError `too_many_situations`.
    """
    reached: dict[int, tuple[tuple[str, str], ...]] = {0: ()}
    for key in sorted({key for labels in asked for key in labels}):
        tests = [(number, matcher(as_tuple(labels[key]))) for number, labels in enumerate(asked) if key in labels]
        failing = {text: _mask(number for number, fits in tests if not (text and fits(text))) for text in known[key]}
        after: dict[int, tuple[tuple[str, str], ...]] = {}
        for failed, labels in reached.items():
            for text, fails in failing.items():
                after.setdefault(failed | fails, (*labels, (key, text)) if text else labels)
        if len(after) > MOST_SITUATIONS:
            raise _too_many()
        reached = after
    return iter(reached.values())


def _too_many() -> PolicyError:
    told = "more situations than can be looked at, one by one; ask for fewer labels and patterns, or for fewer at once"
    return PolicyError("too_many_situations", told)
