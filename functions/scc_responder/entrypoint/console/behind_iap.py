"""The console where it is deployed, behind Identity-Aware Proxy: who a person is, and who decides on an answer.

Nothing is decided here. What a person answers is handed on, to the function or to the service of undo, with the
assertion that IAP signed for that very request, beside the console's own token; who decides looks at both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scc_responder.domain.errors import Forbidden
from scc_responder.domain.ports import Approvers
from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.answer_client import FunctionAnswer, send
from scc_responder.entrypoint.console.persons_answer import (
    MAY_BE_TAKEN,
    UNDO_HEARD,
    UNDOES,
    Heard,
    Hearing,
    Person,
    PersonsAnswer,
    Verb,
)

IAP_HEADER = "x-goog-iap-jwt-assertion"


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
    """`TakesAnswers` by services at addresses, which are also the audiences of the console's token.

    The function decides, and where there is one, a service of its own takes back. Else a page shows the command: it
    takes another identity than the console's.
    """

    def __init__(self, function_url: str, own_token: Callable[[str], str], undo_url: str = "") -> None:
        self._urls = {**dict.fromkeys(Verb, function_url), **dict.fromkeys(UNDOES, undo_url)}
        self._own_token = own_token
        self.verbs = frozenset(verb for verb, url in self._urls.items() if url)

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        """Hand it on. Raises ApiError where there is no token, ResponderError where nobody answers."""
        url, body = self._urls[answer.verb], {"case": answer.finding_key, "plan": answer.plan, "reason": answer.said}
        return _heard(send(url, answer.verb, body, self._own_token(url), person.proof), answer)


def _heard(said: FunctionAnswer, answer: PersonsAnswer) -> Heard:
    asked = str(answer.verb), answer.finding_key, answer.plan
    if said.says(*asked):
        hearing = UNDO_HEARD.get(said.reason, Hearing.TAKEN)
        return Heard(hearing=hearing, reason=said.reason, lines=said.lines)
    if said.says_begun(*asked):
        return Heard(hearing=Hearing.BEGUN, reason=said.reason)
    is_put_off = said.status == 503 and said.reason and said.reason not in MAY_BE_TAKEN
    is_refusal = 400 <= said.status < 500 or is_put_off
    return Heard(hearing=Hearing.REFUSED if is_refusal else Hearing.UNKNOWN, reason=said.reason)
