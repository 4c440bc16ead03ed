"""Where the same image, or the same file, is: in how many clusters the cases that are given name it. Pure.

Nothing but these cases is read for it. What no finding names is not known here: it may run in more places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from scc_responder.domain.value import Value
from scc_responder.journal.account.about_target import digests_of, facts_of
from scc_responder.journal.case import CaseRecord

_MOST_PLACES = 10


class Spread(Value, frozen=True, kw_only=True):
    """One image by its digest, or one whole file by its SHA-256, and the cases that name it.

    `what` is `image` or `file`. `places` are the clusters, or projects of Cloud Run, each with the number of its cases.
    """

    what: str
    value: str
    places: dict[str, int]


def spreads(records: Iterable[CaseRecord]) -> tuple[Spread, ...]:
    """What is in more than one place, that in the most places first. Each case counts once."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for record in records:
        for named in named_by(record) if record.cluster else ():
            found.setdefault(named, Counter())[record.cluster] += 1
    wide = [
        Spread(what=what, value=value, places=dict(sorted(places.items())))
        for (what, value), places in found.items()
        if len(places) > 1
    ]
    return tuple(sorted(wide, key=lambda each: (-len(each.places), each.what, each.value)))


def named_by(record: CaseRecord) -> frozenset[tuple[str, str]]:
    """The images and the files that the case names. The hash of a part identifies no file."""
    facts = facts_of(record)[0]
    images = {("image", digest) for digest in digests_of(record, facts)}
    return frozenset(images | {("file", value) for value in _hashes(record)})


def _hashes(record: CaseRecord) -> Iterator[str]:
    facts, looked = facts_of(record)[0], record.inspection
    for file in (*facts.files, *(file for program in facts.programs for file in program.files)):
        if file.whole_file and file.sha256:
            yield file.sha256
    if looked and looked.artefact and looked.artefact.sha256:
        yield looked.artefact.sha256


def spread_words(spread: Spread) -> str:
    """One line: what it is, in how many places, and in which."""
    named = [f"{place} ({count})" for place, count in [*spread.places.items()][:_MOST_PLACES]]
    more = len(spread.places) - len(named)
    further = f" and {more} more" if more else ""
    return f"{spread.what} {spread.value} in {len(spread.places)} places, by cases: {', '.join(named)}{further}"
