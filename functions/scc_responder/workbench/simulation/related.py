"""What was found shortly before about the same thing, where only the findings themselves tell of it. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import Finding

NEAR = timedelta(hours=1)
_MOST_NEAR = 20_000


class Recent:
    """The findings of the last hour, by what they are about: what would have been found beside one."""

    def __init__(self) -> None:
        self._order: deque[tuple[datetime, object, RelatedFinding]] = deque()
        self._by_place: dict[object, list[RelatedFinding]] = {}

    def near(self, finding: Finding) -> tuple[RelatedFinding, ...]:
        """The others on the same pod or resource, and remember this one. Findings come in order."""
        while self._order and (finding.event_time - self._order[0][0] > NEAR or len(self._order) >= _MOST_NEAR):
            _, place, oldest = self._order.popleft()
            kept = [item for item in self._by_place[place] if item is not oldest]
            self._by_place[place] = kept
            if not kept:
                del self._by_place[place]
        place = (finding.cluster, finding.pods) if finding.pods else finding.resource_name
        others = self._by_place.setdefault(place, [])
        found = tuple(others)
        itself = RelatedFinding(
            name=finding.name, category=finding.category, event_time=finding.event_time, severity=finding.severity
        )
        others.append(itself)
        self._order.append((finding.event_time, place, itself))
        return found
