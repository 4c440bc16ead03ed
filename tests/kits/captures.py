"""Captures without a cluster: sources read as in production, from a context and a list of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE, CaptureEvidence
from scc_responder.domain.context import Context
from scc_responder.execute.evidence import Source, SourceInput, sources_for
from scc_responder.execute.evidence.manifest import EvidenceObject, evidence_objects
from scc_responder.execute.evidence.reading import Reading, read_sources

POD = CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid="7c9e6679-7425-40de-944b-e07fc1f90ae7")


class ListedEvents:
    """An API server that lists these events, or raises what is given in their place."""

    def __init__(self, events: list[dict[str, Any]] | Exception) -> None:
        self.events = events
        self.asked: list[tuple[str, str]] = []

    def gather(self, path: str, keep: Callable[[dict[str, Any]], Any], field_selector: str = "") -> list[Any]:
        self.asked.append((path, field_selector))
        if isinstance(self.events, Exception):
            raise self.events
        return [*map(keep, self.events)]


def given(context: Context, events: list[dict[str, Any]] | Exception | None = None, **more: Any) -> SourceInput:
    """What sources may look at. Without events, the cluster cannot be reached and no pod is named."""
    change = CaptureEvidence() if events is None else POD
    api: Any = None if events is None else ListedEvents(events)
    return SourceInput(context=context, change=change, api=api, **more)


def read(
    subject: SourceInput, asked: Iterable[Source] | None = None, renew: Callable[[], None] = lambda: None, **more: float
) -> tuple[Reading, ...]:
    """These sources, or all there are, read."""
    with ThreadPoolExecutor(8) as pool:
        return read_sources(sources_for(CAPTURES_EVIDENCE) if asked is None else asked, subject, pool, renew, **more)


def evidence(context: Context, events: list[dict[str, Any]] | None = None) -> tuple[EvidenceObject, ...]:
    """The objects that a capture would store."""
    return evidence_objects(context.finding.key, read(given(context, events)))
