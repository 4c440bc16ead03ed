"""What a person answers in a browser, who that is, and who carries the answer out: the ports of the console."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class Verb(StrEnum):
    """What a person may ask for. Each is a form of its own."""

    APPROVE = "approve"
    REJECT = "reject"
    REHEARSE_UNDO = "rehearse_undo"
    """Say what would be taken back: nothing is changed."""
    UNDO = "undo"
    RESUME = "resume"
    MARK_RIGHT = "mark_right"
    MARK_WRONG = "mark_wrong"


UNDOES = frozenset({Verb.REHEARSE_UNDO, Verb.UNDO})
"""What takes another identity than the function's."""


class Person(Value, frozen=True, kw_only=True):
    """Who asks. `name` is what the case keeps: a verified e-mail address, or the user of this machine.

    `session` ties a form to the browser that it was shown in. `proof` is handed on with an answer, so that who decides
    can verify it again: an assertion, or empty where the console itself decides. It is never shown.
    """

    name: str
    session: str = ""
    proof: str = ""


class PersonsAnswer(Value, frozen=True, kw_only=True):
    """One answer: the case by its finding's key, the plan's whole digest where it has one, and the person's words."""

    verb: Verb
    finding_key: str
    plan: str = ""
    said: str = ""


class Hearing(StrEnum):
    """How an answer was met."""

    TAKEN = "taken"
    BEGUN = "begun"
    """It was taken, and what it asks for is not finished: a sweep goes on."""
    IN_PART = "in_part"
    """It was taken, and a part of what it asks for could not be done."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Nobody can tell: no answer came, or one that says nothing."""


UNDO_HEARD: Mapping[str, Hearing] = {Reason.NOTHING_TO_UNDO: Hearing.REFUSED, Reason.UNDO_REFUSED: Hearing.IN_PART}
"""How an undo was met that did not end well."""


MAY_BE_TAKEN = frozenset(
    {
        Reason.INTERNAL_ERROR,
        Reason.LEDGER_CONTENDED,
        Reason.LEDGER_UNUSABLE,
        Reason.STORE_OUTCOME_UNKNOWN,
        Reason.STORE_UNAVAILABLE,
    }
)
"""What may befall an answer that is written already: it is told neither as taken nor as refused."""


class Heard(Value, frozen=True, kw_only=True):
    """What came of an answer: `reason` is a word of `Reason` where there is one, `lines` say more, for a person."""

    hearing: Hearing
    reason: str = ""
    lines: tuple[str, ...] = ()


class IdentifiesPerson(Protocol):
    """Says who asks, by what the browser sends."""

    def person(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:
        """The person; the headers' names are in lower case. Raises Forbidden with the reason why nobody can tell."""


class TakesAnswers(Protocol):
    """Carries a person's answer to whoever decides on it."""

    @property
    def verbs(self) -> frozenset[Verb]:
        """What it can carry. For the rest a page shows the command to type."""

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        """Hand it over, and say what came of it. Raises ResponderError where it cannot be handed over at all."""
