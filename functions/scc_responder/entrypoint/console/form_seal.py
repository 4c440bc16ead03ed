"""The token in a form: it says for whom, for which answer and about what the form was made, and since when.

So another site's form, another person's, one about what a case was before, and one that is too old are told apart.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

import msgspec

from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.persons_answer import Person, Verb
from scc_responder.journal.case import CaseRecord

GOOD_FOR = timedelta(minutes=15)
"""How long a form may be looked at before it is answered."""
_TOKEN = re.compile(r"(?P<at>[0-9]{1,11})\.(?P<stand>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{64})", re.ASCII)


class FormSeal:
    """Makes and checks tokens by a key that only the console has; instances of one console share it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, person: Person, verb: Verb, record: CaseRecord, now: datetime) -> str:
        """The token of one form."""
        at, stand = int(now.timestamp()), stand_of(record, verb)
        return f"{at}.{stand}.{self._mac(person, verb, record, at, stand)}"

    def refused(self, token: str, person: Person, verb: Verb, record: CaseRecord, now: datetime) -> Reason | None:
        """Why the form may not be answered now; None where it may."""
        given = _TOKEN.fullmatch(token)
        if given is None:
            return Reason.FORM_FORGED
        at, stand = int(given["at"]), given["stand"]
        if not hmac.compare_digest(given["mac"], self._mac(person, verb, record, at, stand)):
            return Reason.FORM_FORGED
        if not timedelta(0) <= now - datetime.fromtimestamp(at, UTC) + timedelta(seconds=1) <= GOOD_FOR:
            return Reason.FORM_TOO_OLD
        return None if stand == stand_of(record, verb) else Reason.FORM_STALE

    def _mac(self, person: Person, verb: Verb, record: CaseRecord, at: int, stand: str) -> str:
        content = msgspec.json.encode([person.name, person.session, verb, record.finding_key, at, stand])
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()


def made_at(token: str) -> datetime | None:
    """When the form was made, as its token says; None where it is none."""
    given = _TOKEN.fullmatch(token)
    return datetime.fromtimestamp(int(given["at"]), UTC) if given else None


def stand_of(record: CaseRecord, verb: Verb) -> str:
    """What the answer would be about, as a digest: once it was taken, or something else happened, it is another."""
    match verb:
        case Verb.APPROVE | Verb.REJECT:
            about: object = _plan(record)
        case Verb.UNDO | Verb.REHEARSE_UNDO:
            about = [[step.name, step.undoes, step.status] for step in record.steps]
        case Verb.RESUME:
            about = [record.state, record.epoch, record.reason, record.closed_at]
        case Verb.MARK_RIGHT | Verb.MARK_WRONG:
            about = [record.epoch, record.mark]
    return hashlib.sha256(msgspec.json.encode(about)).hexdigest()[:32]


def _plan(record: CaseRecord) -> object:
    plan = record.plan
    return plan and [plan.digest, plan.state, len(plan.approvals)]
