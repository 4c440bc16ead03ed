"""A person's word on a case is an end of its own: it is set here, and here it is asked whether it still counts. Pure.

It ends with other content, with another pod, with its own time, or when a person opens the case again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.finding import Finding
from scc_responder.domain.text import visible
from scc_responder.journal.case import CaseRecord, PersonsWord, WordKind

_MAX_BYTES = 500


def with_word(
    record: CaseRecord, kind: WordKind, by: str, at: datetime, said: str = "", *, until: datetime | None = None
) -> CaseRecord:
    """The record with a person's word on what it is about now. Its state and its steps are the caller's to set.

    `by` is a verified e-mail address or `local`. `until`: the word counts for events before that time; None: for all.
    """
    word = PersonsWord(
        kind=kind,
        by=by,
        at=at,
        said=short_words(said),
        digest=record.digest,
        uids=tuple(sorted(_uids(record))),
        until=until,
    )
    return replace(record, word=word)


def short_words(said: str) -> str:
    """A person's words as a case keeps them: at most 500 bytes, with nothing hidden in them."""
    return visible(said, _MAX_BYTES)


def settles(word: PersonsWord | None, finding: Finding, digest: str) -> bool:
    """Whether a person's word settles this notification: it says nothing else than what the word is about.

    `digest` is the finding's `case_digest`. The word still counts where the notification cannot say which pod it means:
    then the pod that is read decides, by `is_about`.
    """
    if word is None or word.digest != digest:
        return False
    return word.until is None or finding.event_time < word.until


def is_about(word: PersonsWord | None, uids: Iterable[str]) -> bool:
    """Whether a person's word is about one of these objects; also where nobody knows which it was about."""
    return word is not None and (not word.uids or not frozenset(word.uids).isdisjoint(uids))


def _uids(record: CaseRecord) -> frozenset[str]:
    """The pods, services and jobs that were acted upon, planned for, or read; nodes are not what a case is about."""
    read = (record.decision.get(part) or {} for part in ("pod", "cloud_run"))
    planned = record.plan.targets if record.plan else frozenset()
    return (record.target_uids | planned | {str(item.get("uid", "")) for item in read}) - {""} - record.node_uids
