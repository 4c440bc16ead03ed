"""Source `related`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(moment=Moment.BEFORE_ISOLATION, prefix="related-findings")
def related(given: SourceInput) -> Sequence[EvidenceItem]:
    """Other findings about the same target."""
    found = given.context.related
    item = None if found is None else EvidenceItem(kind="related findings", content=found, is_empty=not found)
    return given.fact("related", item)
