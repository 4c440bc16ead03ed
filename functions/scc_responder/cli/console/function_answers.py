"""Answers that the function decides on: sent to it with the person's own ID token, as `case approve` sends them."""

from __future__ import annotations

from collections.abc import Callable

from scc_responder.cli.case.case_text import answered
from scc_responder.domain.finding import case_id
from scc_responder.entrypoint.console.answer_client import send
from scc_responder.entrypoint.console.persons_answer import UNDOES, Heard, Hearing, Person, PersonsAnswer, Verb


class FunctionAnswers:
    """`TakesAnswers` by the function at `url`. `token` is read for each answer: a token is over within the hour."""

    verbs = frozenset(Verb) - UNDOES

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self._url = url
        self._token = token

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:  # noqa: ARG002 - the token says who it is
        """Send it. Raises ResponderError where nothing answers, SettingsError for an unusable address or token."""
        body = {"case": answer.finding_key, "plan": answer.plan, "reason": answer.said}
        sent = send(self._url, answer.verb, body, self._token())
        asked = str(answer.verb), answer.finding_key, answer.plan
        if sent.says(*asked):
            return Heard(hearing=Hearing.TAKEN, reason=sent.reason, lines=sent.lines)
        if sent.says_begun(*asked):
            return Heard(hearing=Hearing.BEGUN, reason=sent.reason)
        told = answered(answer.verb, case_id(answer.finding_key), sent.status, taken=False, untold=sent.is_untold)
        return Heard(hearing=Hearing.UNKNOWN if sent.is_untold else Hearing.REFUSED, lines=(told,))
