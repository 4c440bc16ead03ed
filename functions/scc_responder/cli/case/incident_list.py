"""The list of cases by incident: cases of one incident together, under a line that says so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scc_responder.cli.case.reports.incident_lines import incident_size
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.text import visible
from scc_responder.entrypoint.console.incidents import Incident
from scc_responder.entrypoint.console.spread import Spread, spread_words
from scc_responder.journal.case import CaseRecord


def with_headings(lines: Iterable[str], listed: Sequence[CaseRecord], found: Iterable[Incident]) -> Iterator[str]:
    """The lines of the cases, and what follows them; those of an incident of several cases indented below its line."""
    incident_of = {record.finding_key: each for each in found if len(each.records) > 1 for record in each.records}
    keys, told = iter(listed), None
    for line in lines:
        record = next(keys, None)
        incident = incident_of.get(record.finding_key) if record else None
        if incident and incident is not told:
            yield styled(f"incident {incident.id}  {visible(incident_size(incident))}", "bold")
        told = incident
        yield f"  {line}" if incident else line


def spread_list(found: Iterable[Spread]) -> Iterator[str]:
    """A line for each image digest and file that is in several places."""
    yield from (f"{styled('spread', 'bold')}  {visible(spread_words(each))}" for each in found)
