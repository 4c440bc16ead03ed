"""Source `pod`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(moment=Moment.BEFORE_ISOLATION)
def pod(given: SourceInput) -> Sequence[EvidenceItem]:
    """The pod, as it was before anything was changed."""
    return given.kubernetes_object("pod")
