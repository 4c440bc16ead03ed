"""The findings of the last hour, where only the findings themselves say what happened before. Pure."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import Finding
from scc_responder.intake.related_findings import Candidate, candidate, related_among
from scc_responder.intake.threats import RELATED_WITHIN
from scc_responder.workbench.explanation import ContextFacts

MOST_RECENT = 20_000
"""More findings of one hour than these are not kept: the oldest go first."""


class RecentFindings:
    """The newest copy of each finding of the last hour. `sources`: as for `is_related`."""

    def __init__(self, sources: Collection[str] | None = None) -> None:
        self._sources = sources
        self._kept: dict[str, Candidate] = {}
        self._by_target: dict[str, dict[str, Candidate]] = {}

    def add(self, finding: Finding) -> tuple[RelatedFinding, ...]:
        """The kept findings that are related to this one; then keep it too. Findings come in the order of time."""
        added = candidate(finding)
        self._forget(added)
        others = {other.key: other for key in _keys(added) for other in self._by_target.get(key, {}).values()}
        self._kept[added.key] = added
        for key in _keys(added):
            self._by_target.setdefault(key, {})[added.key] = added
        return related_among(others.values(), added, self._sources)

    def _forget(self, added: Candidate) -> None:
        """Remove the former copy of this finding, and all that is too old or too much."""
        self._remove(added.key)
        while self._kept:
            oldest = next(iter(self._kept.values()))
            is_near = added.finding.event_time - oldest.finding.event_time <= RELATED_WITHIN
            if is_near and len(self._kept) < MOST_RECENT:
                return
            self._remove(oldest.key)

    def _remove(self, key: str) -> None:
        removed = self._kept.pop(key, None)
        for target in _keys(removed) if removed else ():
            others = self._by_target[target]
            del others[key]
            if not others:
                del self._by_target[target]


def with_related(facts: ContextFacts, related: tuple[RelatedFinding, ...]) -> ContextFacts:
    """The facts, with the related findings of the replay where the facts do not say which there were."""
    if facts.related is not None:
        return facts
    missing = {name: reason for name, reason in facts.missing.items() if name != "related"}
    return replace(facts, related=related, missing=missing)


def _keys(added: Candidate) -> frozenset[str]:
    return added.target.keys if added.target else frozenset()
