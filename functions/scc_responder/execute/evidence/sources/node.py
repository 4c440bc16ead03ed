"""Source `node`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(moment=Moment.BEFORE_ISOLATION)
def node(given: SourceInput) -> Sequence[EvidenceItem]:
    """The node that the pod runs on."""
    return given.kubernetes_object("node")
