"""What will happen to a dead-lettered message that is published again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName
from scc_responder.domain.value import Value
from scc_responder.intake.dead_letters import DeadLetter
from scc_responder.intake.envelope import MAX_DATA_BYTES
from scc_responder.intake.find_name import find_name
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord, case_digest
from scc_responder.journal.journal import ClaimOutcome, claim_outcome
from scc_responder.pipeline.heartbeat import is_heartbeat

DELIVERED_AGAIN = "delivered_again"
NOTHING_TO_PROVE = "old_heartbeat"
JUNK = "junk"
PUBLISHED = frozenset(
    {DELIVERED_AGAIN, Reason.CLAIMED, Reason.RESUMED, Reason.REOPENED, Reason.DUPLICATE, Reason.STALE}
)
"""The fate of a message that is published again; without a store, only that it is delivered again is known."""


class Prospect(Value, frozen=True, kw_only=True):
    """What one message is about, and its fate. `reason` is why it is junk, or the state of its case."""

    fate: str
    letters: tuple[DeadLetter, ...]
    finding: str = ""
    key: str = ""
    category: str = ""
    event_time: datetime | None = None
    reason: str = ""

    @property
    def is_published(self) -> bool:
        """Whether it is to be published again."""
        return self.fate in PUBLISHED


def copies(letters: Iterable[DeadLetter]) -> list[tuple[DeadLetter, ...]]:
    """The messages, those of the same content together: Pub/Sub may give up on one message twice."""
    found: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        found.setdefault(letter.sha256, []).append(letter)
    return [tuple(same) for same in found.values()]


def prospect(letters: tuple[DeadLetter, ...]) -> Prospect:
    """What the copies of one message are about, by the message alone."""
    data = letters[0].data
    if len(data) > MAX_DATA_BYTES:
        return _by_name(letters, Reason.OVERSIZE)
    try:
        finding = parse_notification(data)
    except RejectedMessage as error:
        return _by_name(letters, error.reason)
    return Prospect(
        fate=NOTHING_TO_PROVE if is_heartbeat(finding) else DELIVERED_AGAIN,
        letters=letters,
        finding=finding.name,
        key=finding.key,
        category=finding.category,
        event_time=finding.event_time,
    )


def predicted_fate(found: Prospect, record: CaseRecord | None) -> Prospect:
    """The same with its fate, given its case (None if it has none yet)."""
    if found.fate != DELIVERED_AGAIN or found.event_time is None:
        return found
    if record is None:
        return replace(found, fate=str(ClaimOutcome.CLAIMED))
    finding: Finding = parse_notification(found.letters[0].data)
    outcome = claim_outcome(record, finding, case_digest(finding), is_held=False)
    return replace(found, fate=str(outcome), reason=record.reason or str(record.state))


def _by_name(letters: tuple[DeadLetter, ...], reason: Reason) -> Prospect:
    """What cannot be parsed, for that reason: the finding that it names is read again, or it is junk."""
    name = find_name(letters[0].data)
    parsed = FindingName.parse(name) if name else None
    if name is None or parsed is None:
        return Prospect(fate=JUNK, letters=letters, reason=reason)
    return Prospect(fate=DELIVERED_AGAIN, letters=letters, finding=name, key=parsed.key, reason=reason)
