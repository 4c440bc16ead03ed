"""A person's undo from the console, from its request to its record: what `case undo --apply` does at a desk.

Only the console hands it on, with the assertion that IAP signed for the person, who must be listed as an approver. It
is about what the person was shown: the digest says so.
"""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.errors import Forbidden, ResponderError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.journal.messages import Ending, answered_body, refused_body
from scc_responder.journal.persons_word import short_words
from scc_responder.pipeline.approvals import AnswerRequest, asked_by_person
from scc_responder.pipeline.delivery import accounted
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.undo.asked_undo import answered_undo
from scc_responder.pipeline.undo.undo import Undo

UNDO_VERBS = ("undo", "rehearse_undo")
"""What may be asked. `rehearse_undo` changes nothing: it says what would be taken back."""


def take_back(request: AnswerRequest, services: Services) -> Ending:
    """Take a case back: 204 done or rehearsed, 400 malformed, 403 forbidden, 409 not as shown, 503 ask again.

    With 500 something failed while it was done: nobody can tell from the answer what stands.
    """
    ending = accounted(lambda log: _take_back(request, services, log), services)
    return ending if ending.body else replace(ending, body=refused_body(request.verb, ending.reason))


def _take_back(request: AnswerRequest, services: Services, log: DeliveryLog) -> Ending:
    if ASSERTION_HEADER not in request.headers or services.settings.console is None:
        raise Forbidden(Reason.NO_ASSERTION, "an undo is taken from a person in the console alone")
    asked = asked_by_person(request, services, log)
    if isinstance(asked, Ending):
        return asked
    key, answer = asked
    undo = Undo(services, key, by=answer.by, said=short_words(answer.said))
    if not answer.plan or answer.plan != undo.digest:
        return Ending(status=409, reason=Reason.PLAN_DIGEST_DIFFERS, severity="WARNING")
    try:
        done = answered_undo(undo, apply=request.verb == "undo")
    except ResponderError as error:
        if request.verb != "undo" or error.reason == Reason.CASE_IN_PROGRESS:
            raise
        log.fields["error"] = str(error)
        return Ending(status=500, reason=error.reason, severity="ERROR")
    if done.reason is Reason.NOTHING_TO_UNDO:
        return Ending(status=409, reason=done.reason, severity="WARNING")
    body = answered_body(request.verb, case_id(key), answer.plan, done.reason, "\n".join(done.lines))
    return Ending(status=204, reason=done.reason, severity="NOTICE", body=body)
