"""A person's answer about a case, from its request to its record: on its plan, to try it again, or a mark.

A Google ID token in `Authorization` identifies the approver, never the request's own text. Where it is the console's,
the assertion that IAP signed for a person does, which the console hands on: by itself the console answers nothing. The
last approval needed takes the case, and the same request resumes it; so does a person who has it tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec.structs import replace

from scc_responder.collect.confirm import Settled
from scc_responder.domain.errors import Forbidden
from scc_responder.domain.finding import Finding, case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.domain.value import StrictValue, Value, read_json
from scc_responder.guard import approval_answers
from scc_responder.guard.approval_answers import LOCAL, ApprovalAnswer, is_listed
from scc_responder.guard.resumed_case import resume
from scc_responder.journal.again.persons_request import as_requested
from scc_responder.journal.case import CaseRecord, PersonsMark
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import Transition, TransitionRule
from scc_responder.journal.messages import Ending, answered_body, refused_body
from scc_responder.journal.persons_word import short_words
from scc_responder.journal.plan import PlanState, is_another_plan
from scc_responder.pipeline.authentication import bearer, is_local
from scc_responder.pipeline.delivery import accounted, ended, finding_of, voided_by, work_on
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.kept_mark import kept_mark
from scc_responder.pipeline.later.ended_plan import tell_ended
from scc_responder.pipeline.services import Services

ANSWER_VERBS = ("approve", "reject", "resume", "mark_right", "mark_wrong")
"""What may be answered. `resume` tries a case again, whatever end it came to: every guard is asked anew."""
_MARKS = {"mark_right": False, "mark_wrong": True}
MAX_ANSWER_BYTES = 8 * 1024
_Hexadecimal = msgspec.Meta(pattern=r"^(?:[0-9a-f]{8,64})?\Z")


class AnswerRequest(Value, frozen=True, kw_only=True):
    """What arrived: `verb` is of `ANSWER_VERBS`, `peer` the sender's address; header names are in lower case."""

    verb: str
    body: bytes
    headers: Mapping[str, str]
    peer: str


class AnswerBody(StrictValue, frozen=True, kw_only=True):
    """The request's JSON: a case by its id or its finding's key, the plan's digest, and a reason in plain words."""

    case: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12,64}\Z")]
    plan: Annotated[str, _Hexadecimal] = ""
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def answer_plan(request: AnswerRequest, services: Services) -> Ending:
    """Take one answer: 204 taken, 400 malformed, 403 forbidden, 409 no plan waits for it, 503 ask again.

    Where it was taken, the ending's body says so: with 503, the plan is begun, and sweeps go on with it. Where the
    console handed it on, the body says also why it was refused, for the person at the page.
    """
    ending = accounted(lambda log: _take(request, services, log), services)
    if ASSERTION_HEADER not in request.headers or ending.body:
        return ending
    return replace(ending, body=refused_body(request.verb, ending.reason))


def _take(request: AnswerRequest, services: Services, log: DeliveryLog) -> Ending:
    asked = asked_by_person(request, services, log)
    if isinstance(asked, Ending):
        return asked
    key, answer = asked
    return (_mark if request.verb in _MARKS else _judge)(request.verb, key, answer, services, log)


def asked_by_person(
    request: AnswerRequest, services: Services, log: DeliveryLog
) -> tuple[str, ApprovalAnswer] | Ending:
    """The case's key and what a listed person says of it, or why there is none. Raises Forbidden."""
    by = _identified(request, services)
    log.fields["approver"] = by
    if ASSERTION_HEADER in request.headers:
        log.fields["through"] = "console"
    rules = services.policies.guardrails.approval
    if not is_listed(by, rules):
        raise Forbidden(Reason.APPROVER_NOT_LISTED, "guardrails.yaml: approval.approvers does not list who asks")
    body = _parsed(request.body)
    if body is None:
        return Ending(status=400, reason=Reason.MALFORMED_ANSWER, severity="WARNING")
    key = services.journal.find(body.case)
    if key is None:
        return Ending(status=409, reason=Reason.NO_SUCH_CASE, severity="WARNING")
    log.fields["case"] = case_id(key)
    return key, ApprovalAnswer(by=by, plan=body.plan, said=body.reason)


def _said(ending: Ending, verb: str, key: str, plan: str, *, begun: bool = False, lines: str = "") -> Ending:
    """The same, and what was done, where the answer was taken. What was `begun` is so, too, if it is not finished."""
    if ending.status != 204 and not (begun and ending.status == 503):
        return ending
    return replace(ending, body=answered_body(verb, case_id(key), plan, ending.reason, lines))


def _parsed(body: bytes) -> AnswerBody | None:
    try:
        return read_json(body, AnswerBody) if len(body) <= MAX_ANSWER_BYTES else None
    except msgspec.DecodeError:
        return None


def _judge(verb: str, key: str, answer: ApprovalAnswer, services: Services, log: DeliveryLog) -> Ending:
    rules = services.policies.guardrails.approval

    def approve(record: CaseRecord, is_held: bool) -> Transition:
        if services.bulkheads.is_busy(record.cluster):
            return Transition(reason=Reason.CLUSTER_BUSY, status=503)
        return approval_answers.approve(record, answer, rules, services.clock(), is_held=is_held)

    def reject(record: CaseRecord, is_held: bool) -> Transition:
        return approval_answers.reject(record, answer, services.clock(), is_held=is_held)

    def again(record: CaseRecord, is_held: bool) -> Transition:
        if is_another_plan(record.plan, answer.plan):
            return Transition(reason=Reason.PLAN_DIGEST_DIFFERS, status=409)
        opened = resume(record, is_held, now=services.clock())
        if opened.record is None or services.bulkheads.is_busy(record.cluster):
            return opened  # a sweep goes on with it
        return replace(opened, record=as_requested(opened.record, services.clock()), starts=True)

    judge: TransitionRule = {"approve": approve, "reject": reject, "resume": again}[verb]
    transition, case = services.journal.apply(key, judge)
    plan = transition.record.plan if transition.record else None
    if transition.record:
        log.took(transition.record)
    digest = plan.digest if plan else answer.plan
    if case:
        go_on = work_on if verb == "resume" else _go_on
        ending = ended(lambda log: go_on(finding_of(case.record), case, services, log), services, log)
        return _said(ending, verb, key, digest, begun=True)
    if transition.record and transition.reason in {Reason.APPROVAL_REJECTED, Reason.APPROVAL_EXPIRED}:
        tell_ended(transition.record, services)
    severity = "NOTICE" if transition.status == 204 else "WARNING"
    return _said(Ending(status=transition.status, reason=transition.reason, severity=severity), verb, key, digest)


def _mark(verb: str, key: str, answer: ApprovalAnswer, services: Services, _log: DeliveryLog) -> Ending:
    """Keep the person's mark, and count it."""
    mark = PersonsMark(is_wrong=_MARKS[verb], by=answer.by, at=services.clock(), said=short_words(answer.said))
    rails = services.policies.guardrails
    kept = kept_mark(services.store, services.journal, key, mark, guardrails=rails, plan=answer.plan)
    ending = Ending(status=204 if kept.taken else 409, reason=kept.reason, severity="NOTICE")
    return _said(ending, verb, key, answer.plan, lines="\n".join(kept.lines))


def _go_on(finding: Finding, case: ClaimedCase, services: Services, log: DeliveryLog) -> Ending:
    """Resume the case at once. If anything has changed since it was planned, the plan is void."""
    try:
        ending = work_on(finding, case, services, log)
    except Settled as settled:
        log.fields["error"] = str(settled)
        return Ending(status=409, reason=voided_by(settled), severity="WARNING")
    plan = case.record.plan
    if plan is None or plan.state in {PlanState.APPROVED, PlanState.USED}:
        return ending
    return Ending(status=409, reason=plan.reason or plan.after, severity="WARNING")


def _identified(request: AnswerRequest, services: Services) -> str:
    """Who asks. Raises Forbidden with the named reason why that cannot be told.

    Cloud Run checks a token of its own before the request gets here, and replaces its signature by
    `SIGNATURE_REMOVED_BY_GOOGLE`. It takes that token from `X-Serverless-Authorization` where there is one, and then
    hands `Authorization` on as it came: so that one is ours. Source: Cloud Run, "Authenticating service-to-service",
    and "Troubleshoot Cloud Run issues", signature removed.
    """
    settings = services.settings
    if settings.trusts_this_machine:
        if not is_local(request.headers, request.peer):
            raise Forbidden(
                Reason.NOT_FROM_THIS_MACHINE, "set SCC_RESPONDER_APPROVAL_AUDIENCE to approve from elsewhere"
            )
        return LOCAL
    if not settings.approval_audience:
        raise Forbidden(Reason.APPROVAL_NOT_CONFIGURED, "SCC_RESPONDER_APPROVAL_AUDIENCE is not set")
    return _behind(
        services.approvers.email(bearer(request.headers)), request.headers.get(ASSERTION_HEADER, ""), services
    )


def _behind(caller: str, assertion: str, services: Services) -> str:
    """The person behind a caller: the caller, or whom IAP let into the console. Raises Forbidden."""
    console = services.settings.console
    if console is None or caller != console.identity:
        if assertion:
            raise Forbidden(Reason.NOT_THE_CONSOLE, "SCC_RESPONDER_CONSOLE names another identity, or none")
        return caller
    person = services.visitors.email(assertion) if assertion else caller
    if person == caller:
        raise Forbidden(Reason.NO_ASSERTION, "the console asks for persons alone, whatever guardrails.yaml lists")
    return person
