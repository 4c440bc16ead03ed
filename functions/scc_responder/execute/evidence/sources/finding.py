"""Source `finding`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source


@source(moment=Moment.BEFORE_ISOLATION, required=True)
def finding(given: SourceInput) -> Sequence[EvidenceItem]:
    """The finding, as Security Command Center has it."""
    found = given.context.finding
    return (EvidenceItem(kind="finding", title=found.name, content=found),)
