"""Source `namespace`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(moment=Moment.BEFORE_ISOLATION)
def namespace(given: SourceInput) -> Sequence[EvidenceItem]:
    """The pod's namespace."""
    return given.kubernetes_object("namespace")
