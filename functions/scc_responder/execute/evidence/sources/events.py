"""Source `events`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.permissions import observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source

MOST_EVENTS = 5_000
"""Whoever may create events can make the list as long as they like."""


@source(
    moment=Moment.BEFORE_DELETION,
    permissions=observes("events", "list"),
    required=True,
    incomplete=Reason.CAPTURED_WITHOUT_EVENTS,
    deadline_seconds=30.0,
)
def events(given: SourceInput) -> Sequence[EvidenceItem]:
    """The Kubernetes events about the pod, which the API server keeps for an hour; of too many a part that says so."""
    pod = given.pod
    found: dict[str, ApiObject] = {}

    def keep(event: ApiObject) -> None:
        if len(found) >= MOST_EVENTS:
            raise ApiError(Reason.PARTIAL_LIST, f"more than {MOST_EVENTS} events")
        found[event.get("metadata", {}).get("uid") or str(len(found))] = event

    cut: dict[str, str] = {}
    try:
        given.cluster_api.gather(api_paths.events(pod.namespace), keep, api_paths.events_about(pod.uid))
    except ApiError as error:
        if error.reason != Reason.PARTIAL_LIST:
            raise
        cut = {"cut": error.reason}
    return (EvidenceItem(kind="events", content={"items": [*found.values()], **cut}, is_empty=not found),)
