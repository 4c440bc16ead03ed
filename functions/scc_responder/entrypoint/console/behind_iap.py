"""The console where it is deployed, behind Identity-Aware Proxy: who a person is, and who decides on an answer.

Nothing is decided here. What a person answers is handed on to the function with the assertion that IAP signed for that
very request, beside the console's own token; the function looks at both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scc_responder.domain.errors import Forbidden
from scc_responder.domain.ports import Approvers
from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.answer_client import FunctionAnswer, send
from scc_responder.entrypoint.console.persons_answer import Heard, Hearing, Person, PersonsAnswer, Verb

IAP_HEADER = "x-goog-iap-jwt-assertion"
HANDED_ON = frozenset(Verb) - {Verb.UNDO, Verb.REHEARSE_UNDO}
"""What the function decides on. For the rest a page shows the command: it takes another identity than the console's."""


class PersonBehindIap:
    """`IdentifiesPerson` by IAP's assertion alone: no other header is looked at."""

    def __init__(self, visitors: Approvers) -> None:
        self._visitors = visitors

    def person(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:  # noqa: ARG002 - none is needed
        """The person whom IAP let in. Raises Forbidden; RetryableError where IAP's keys cannot be read."""
        assertion = headers.get(IAP_HEADER, "")
        if not assertion:
            raise Forbidden(Reason.NOT_SIGNED_IN, "the request did not come by Identity-Aware Proxy")
        return Person(name=self._visitors.email(assertion), proof=assertion)


class HandedOn:
    """`TakesAnswers` by the function at an address, which is also the audience of the console's token."""

    verbs = HANDED_ON

    def __init__(self, function_url: str, own_token: Callable[[str], str]) -> None:
        self._url = function_url
        self._own_token = own_token

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        """Hand it on. Raises ApiError where there is no token, ResponderError where the function does not answer."""
        body = {"case": answer.finding_key, "plan": answer.plan, "reason": answer.said}
        return _heard(send(self._url, answer.verb, body, self._own_token(self._url), person.proof), answer)


def _heard(said: FunctionAnswer, answer: PersonsAnswer) -> Heard:
    asked = str(answer.verb), answer.finding_key, answer.plan
    if said.says(*asked):
        return Heard(hearing=Hearing.TAKEN, reason=said.reason, lines=said.lines)
    if said.says_begun(*asked):
        return Heard(hearing=Hearing.BEGUN, reason=said.reason)
    is_refusal = 400 <= said.status < 500 or (said.status == 503 and said.reason)
    return Heard(hearing=Hearing.REFUSED if is_refusal else Hearing.UNKNOWN, reason=said.reason)
