"""Source `events`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.permissions import observes
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(
    moment=Moment.BEFORE_DELETION,
    permissions=observes("events", "list"),
    required=True,
    incomplete=Reason.CAPTURED_WITHOUT_EVENTS,
    deadline_seconds=30.0,
)
def events(given: SourceInput) -> Sequence[EvidenceItem]:
    """The Kubernetes events about the pod, which the API server keeps for an hour."""
    pod = given.pod
    found = given.cluster_api.list(api_paths.events(pod.namespace), api_paths.events_about(pod.uid))
    return (EvidenceItem(kind="events", content={"items": found}, is_empty=not found),)
