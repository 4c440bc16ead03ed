"""Answers that are decided on this machine, by the code that the function and the commands have: on SQLite alone."""

from __future__ import annotations

from collections.abc import Callable

from scc_responder.domain.errors import ResponderError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import ascii_json
from scc_responder.entrypoint.console.persons_answer import (
    MAY_BE_TAKEN,
    UNDO_HEARD,
    Heard,
    Hearing,
    Person,
    PersonsAnswer,
    Verb,
)
from scc_responder.journal.case import PersonsMark
from scc_responder.pipeline.approvals import AnswerRequest, answer_plan
from scc_responder.pipeline.kept_mark import kept_mark
from scc_responder.pipeline.undo.asked_undo import answered_undo
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.local_services import LocalServices
from scc_responder.workbench.undo.undo_services import UndoServices

_HERE = {"content-type": "application/json", "host": "127.0.0.1:80"}
"""What a program on this machine sends the function."""


class DeskAnswers:
    """`TakesAnswers` by the function's own services, and those of an undo, on one store of this machine.

    `token` gives the person's ID token where the function's settings ask for one; else it is empty.
    """

    verbs = frozenset(Verb)

    def __init__(self, function: LocalServices, undo: UndoServices, token: Callable[[], str] = str) -> None:
        self._function = function
        self._undo = undo
        self._token = token

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        """Decide and carry out. Raises ResponderError."""
        match answer.verb:
            case Verb.APPROVE | Verb.REJECT | Verb.RESUME:
                return self._answered(answer)
            case Verb.UNDO | Verb.REHEARSE_UNDO:
                return self._taken_back(answer, person, apply=answer.verb is Verb.UNDO)
            case Verb.MARK_RIGHT | Verb.MARK_WRONG:
                return self._marked(answer, person)

    def _answered(self, answer: PersonsAnswer) -> Heard:
        body = {"case": answer.finding_key, "plan": answer.plan, "reason": answer.said}
        token = self._token()
        headers = {**_HERE, "authorization": f"Bearer {token}"} if token else _HERE
        request = AnswerRequest(verb=answer.verb, body=ascii_json(body), headers=headers, peer="127.0.0.1")
        ending = answer_plan(request, self._function)
        refused = Hearing.UNKNOWN if ending.reason in MAY_BE_TAKEN else Hearing.REFUSED
        taken = Hearing.TAKEN if ending.status == 204 else Hearing.BEGUN if ending.body else refused
        return Heard(hearing=taken, reason=ending.reason)

    def _taken_back(self, answer: PersonsAnswer, person: Person, *, apply: bool) -> Heard:
        asked = Undo(self._undo, answer.finding_key, by=person.name, said=answer.said)
        done = answered_undo(asked, apply=apply)
        return Heard(hearing=UNDO_HEARD.get(done.reason, Hearing.TAKEN), reason=done.reason, lines=done.lines)

    def _marked(self, answer: PersonsAnswer, person: Person) -> Heard:
        is_wrong, now = answer.verb is Verb.MARK_WRONG, self._function.clock()
        mark = PersonsMark(is_wrong=is_wrong, by=person.name, at=now, said=answer.said)
        services = self._function
        kept = kept_mark(
            services.store,
            services.journal,
            answer.finding_key,
            mark,
            guardrails=services.policies.guardrails,
            plan=answer.plan,
        )
        return Heard(hearing=Hearing.TAKEN if kept.taken else Hearing.REFUSED, reason=kept.reason, lines=kept.lines)


class ReadOnly:
    """`TakesAnswers` that takes none."""

    verbs: frozenset[Verb] = frozenset()

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        """Raises ResponderError: no page has a form."""
        raise ResponderError(Reason.NO_SUCH_PATH, f"{answer.verb} by {person.name}: this console only shows")
