"""What a case's incident adds to its account: the other cases of it, and the incidents linked with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from scc_responder.cli.case.reports.same_digest import other_case
from scc_responder.domain.finding import case_id
from scc_responder.entrypoint.console.incidents import Incident, incident_links, incidents
from scc_responder.entrypoint.console.spread import named_by, spread_words, spreads
from scc_responder.journal.account.answers import Account, AccountLine, Answer, Question
from scc_responder.journal.case import CaseRecord

_MOST = 20


def with_incident(account: Account, record: CaseRecord, others: Iterable[CaseRecord]) -> Account:
    """The account, with the rest of the case's incident under its answers. `others`: the other cases of the store."""
    others = [*others]
    found = incidents([record, *others])
    own = next(incident for incident in found if record in incident.records)
    links = incident_links(own, found)
    further = {
        Question.WHAT_RAN: tuple(_cut(_siblings(own, record))),
        Question.WHERE: tuple(_cut(_linked(links.same_node, "the same node is also in it"))),
        Question.SAME_DIGEST: tuple(
            _cut([*_spread(record, others), *_linked(links.same_image, "the same image runs also there")])
        ),
    }
    return replace(
        account, answers=tuple(_longer(answer, further.get(answer.question, ())) for answer in account.answers)
    )


def _longer(answer: Answer, lines: tuple[AccountLine, ...]) -> Answer:
    return replace(answer, lines=(*answer.lines, *lines))


def _siblings(incident: Incident, record: CaseRecord) -> list[AccountLine]:
    rest = [other for other in incident.records if other.finding_key != record.finding_key]
    name = f"incident {incident.id}"
    return [AccountLine(name=name, text=f"case {case_id(other.finding_key)}: {other_case(other)}") for other in rest]


def _linked(linked: Iterable[Incident], why: str) -> list[AccountLine]:
    return [AccountLine(name=f"incident {each.id}", text=f"{why}: {incident_size(each)}") for each in linked]


def incident_size(incident: Incident) -> str:
    """How many cases it has, where, and from when until when."""
    (first, last), count = incident.span, len(incident.records)
    cases = "1 case" if count == 1 else f"{count} cases"
    until = f" to {last:%Y-%m-%d %H:%M} UTC" if last > first else " UTC"
    places = f", in {', '.join(incident.places)}" if incident.places else ""
    return f"{cases}{places}, {first:%Y-%m-%d %H:%M}{until}"


def _spread(record: CaseRecord, others: Iterable[CaseRecord]) -> Iterator[AccountLine]:
    own = named_by(record)
    for each in spreads([record, *others]):
        if (each.what, each.value) in own:
            yield AccountLine(name="spread", text=spread_words(each))


def _cut(lines: list[AccountLine]) -> Iterator[AccountLine]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield AccountLine(name="left out", text=f"{len(lines) - _MOST} more")
