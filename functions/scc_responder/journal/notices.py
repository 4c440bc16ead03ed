"""The notices to people about cases. Pure.

The facts of a notice are JSON data whose fields subscribers rely on: they stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import msgspec

from scc_responder.domain.context import Context
from scc_responder.domain.finding import case_id
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity, NoticeSubject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import REMEDIES, Remedy, place_option
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.value import resolved
from scc_responder.journal.account.case_facts import facts_in
from scc_responder.journal.account.owner import subject_of
from scc_responder.journal.case import CaseRecord, Rejection
from scc_responder.journal.chain.chain_check import chain_fields
from scc_responder.journal.contained import contained_fields
from scc_responder.journal.messages import (
    UNANSWERED,
    counted,
    finding_summary,
    pod_summary,
    policy_answers,
    run_summary,
    step_summary,
)
from scc_responder.journal.plan import Plan, plan_summary
from scc_responder.journal.step import Step
from scc_responder.journal.to_do import to_do
from scc_responder.policy.decide import Decision

BUSY_REMEDY = "find out why its API server answers late, or what makes so many findings; they come again by themselves"
FEED_REMEDY = "find out who changed it; `terraform apply` makes it as it was, and `scc-responder doctor` says whether"
MOST_CASES_NAMED = 50
UNREAD_REMEDY = "look for this finding in Security Command Center, and find out who publishes it in this form"
_REASONS = UNANSWERED | {CaseState.WAITING: Reason.WAITING_FOR_APPROVAL, CaseState.REHEARSED: Reason.DRY_RUN}
_OVER = frozenset({CaseState.DONE, CaseState.TARGET_ABSENT, CaseState.SUPERSEDED})
_ENDS = frozenset({NoticeKind.REJECTED, NoticeKind.UNDONE})
_WELL = frozenset({StepStatus.DONE, StepStatus.DRY_RUN, StepStatus.SKIPPED})


def outcome_notice(
    context: Context,
    decision: Decision,
    steps: Sequence[Step],
    plan: Plan | None = None,
    *,
    function_url: str = "",
    state: CaseState = CaseState.OPEN,
    further: Mapping[str, Any] | None = None,
) -> Notice:
    """A decision: finding, threat, pod (of Cloud Run `cloud_run`), every policy's answer, every step's outcome.

    `identity` where there is more to say of it than that every check held: that the finding's process is gone.
    If there is a plan: exactly what waits for approval and how to answer, or how it ended. The reason says of the
    case's `state` that a plan waits, that all was a rehearsal, or that nothing was done. `further` are the fields of
    `contained_fields`, `known_fields` and `answer_fields`.
    """
    finding = context.finding
    facts = {
        "case": case_id(finding.key),
        "finding": finding_summary(finding),
        "threat": msgspec.to_builtins(context.threat),
        "pod": pod_summary(context),
        **run_summary(context),
        "policies": policy_answers(decision),
        "steps": [step_summary(step) for step in steps],
        **(further or {}),
    }
    if context.identity.reason not in {Reason.ALL_CHECKS_HELD, Reason.NO_POD}:
        facts["identity"] = msgspec.to_builtins(context.identity)
    if context.threat.is_severe and (commands := to_do(steps, case_id(finding.key), finding.place)):
        facts["to_do"] = [*commands]
    if plan:
        facts["approval"] = plan_summary(finding.key, plan, function_url)
    is_well = all(step.status in _WELL or step.is_awaited for step in counted(steps)) and not (
        context.threat.is_severe and state in UNANSWERED
    )
    return Notice(
        kind=NoticeKind.OUTCOME,
        severity=NoticeSeverity.NOTICE if is_well else NoticeSeverity.WARNING,
        case=case_id(finding.key),
        finding=finding.canonical_name or finding.name,
        state=state,
        reason=_REASONS.get(state, ""),
        labels={"threat": context.threat.name, "severity": finding.severity or "UNSPECIFIED"},
        facts=facts,
        subject=msgspec.structs.replace(
            subject_of(context), is_over=is_well and state in _OVER, is_held=_is_held(state, steps)
        ),
    )


def case_notice(
    kind: NoticeKind,
    record: CaseRecord,
    reason: str,
    error: str,
    severity: NoticeSeverity = NoticeSeverity.WARNING,
) -> Notice:
    """A case about which nothing could be decided yet, or at all, or whose plan came to nothing, and why."""
    from scc_responder.journal.account.answer_fields import answer_fields  # noqa: PLC0415 - cold start
    from scc_responder.journal.account.known_fields import known_fields  # noqa: PLC0415 - cold start

    known, case, kept = Reason.read(reason), case_id(record.finding_key), facts_in(record.decision)
    commands = [*to_do((), case, record.cluster, reason)] if known and known.word in REMEDIES else []
    about = "" if kind is NoticeKind.UNDECIDED else error
    return Notice(
        kind=kind,
        severity=severity,
        case=case,
        finding=record.canonical_name or record.finding_name,
        state=record.state,
        reason=reason,
        subject=_subject(record, is_over=kind in _ENDS and reason != Reason.UNDO_REFUSED),
        key=f"{record.opened_epoch} {reason} {about}",
        facts={
            "case": case,
            "finding": {"name": record.finding_name, "category": record.category},
            "reason": reason,
            "error": error,
            "attempts": record.attempts,
            "steps": [step_summary(step) for step in record.current_steps],
            **({"to_do": commands} if commands else {}),
            **contained_fields(record),
            **(known_fields(record.finding_name, record.decision["threat"], kept, record.inspection) if kept else {}),
            **(answer_fields(record) if kept else {}),
            **chain_fields(record, record.current_steps),
        },
    )


def _subject(record: CaseRecord, *, is_over: bool) -> NoticeSubject:
    """What the case keeps of what its last notice was about; of another form it is not known, and so told as severe."""
    known = NoticeSubject()
    with suppress(msgspec.ValidationError):
        known = msgspec.convert(record.decision.get("subject") or {}, resolved(NoticeSubject))
    return msgspec.structs.replace(
        known,
        cluster=record.cluster,
        event_time=record.event_time,
        is_over=is_over,
        is_held=_is_held(record.state, record.current_steps),
    )


def _is_held(state: CaseState, steps: Sequence[Step]) -> bool:
    return state is CaseState.HELD or any(step.status is StepStatus.HELD for step in counted(steps))


def unread_notice(rejection: Rejection, message_id: str) -> Notice:
    """A message that may be a finding cannot be read, and names none, or several, that could be read in its place."""
    facts = {"reason": rejection.reason, "sha256": rejection.sha256, "message_id": message_id}
    return Notice(
        kind=NoticeKind.UNDECIDED,
        severity=NoticeSeverity.ERROR,
        reason=rejection.reason,
        facts={**facts, "remedy": UNREAD_REMEDY},
    )


def unset_switch_notice(reason: str) -> Notice:
    """No document of the kill switch can be read (`control_missing`, `control_unusable`): everything is rehearsed."""
    return Notice(
        kind=NoticeKind.UNDECIDED,
        severity=NoticeSeverity.ERROR,
        reason=reason,
        facts={"reason": reason, "remedy": Remedy.ENFORCE.sentence()},
    )


def feed_notice(reason: Reason, day: date, fields: Mapping[str, Any]) -> Notice:
    """What sends findings is not as it was made, or may not be read: nobody knows which findings still come."""
    return Notice(
        kind=NoticeKind.FEED,
        severity=NoticeSeverity.ERROR,
        reason=reason,
        key=f"{day} {reason}",
        facts={"reason": reason, **fields, "remedy": FEED_REMEDY},
    )


def busy_notice(cluster: str) -> Notice:
    """A cluster has half of what an instance works on: its further findings wait, all other clusters go on."""
    facts = {"reason": Reason.CLUSTER_BUSY, "cluster": cluster, "remedy": BUSY_REMEDY}
    return Notice(
        kind=NoticeKind.UNDECIDED,
        severity=NoticeSeverity.WARNING,
        reason=Reason.CLUSTER_BUSY,
        labels={"cluster": cluster},
        facts=facts,
    )


def held_notice(policy: str, scope: str, cases: Sequence[str], count: int) -> Notice:
    """Of one policy more targets, `count`, are held in this scope than a limit lets be done: no sweep goes on."""
    facts = {
        "reason": Reason.HELD_TOO_MANY,
        "policy": policy,
        "scope": scope,
        "cases": list(cases[:MOST_CASES_NAMED]),
        "count": count,
        "remedy": Remedy.RESUME_POLICY.sentence(policy=policy),
    }
    return Notice(kind=NoticeKind.UNDECIDED, severity=NoticeSeverity.WARNING, reason=Reason.HELD_TOO_MANY, facts=facts)


def breaker_notice(
    cluster: str, tripped_at: datetime, detail: str, *, scope: str = "", budget: str = "", store: str = "STORE"
) -> Notice:
    """A storm breaker of a cluster, or of a project on Cloud Run, tripped: only a person resets it.

    `scope` is what it holds, as `namespace=shop`, or `cluster` for all; `budget` is `isolation` or `disruption`, or
    empty for both.
    """
    facts = {"reason": Reason.STORM_BREAKER, "cluster": cluster, "tripped_at": tripped_at, "detail": detail}
    named = place_option(cluster)
    if scope:
        named += f" --scope {scope}"
        facts |= {"scope": scope, "budget": budget}
    return Notice(
        kind=NoticeKind.BREAKER,
        severity=NoticeSeverity.ERROR,
        reason=Reason.STORM_BREAKER,
        labels={"cluster": cluster},
        facts={**facts, "remedy": Remedy.RESET.sentence(place=named, store=store)},
    )


def first_shot_notice(place: str, policy: str, detail: str) -> Notice:
    """A policy that is new in a place (a cluster's path, or `projects/P`) was about to disrupt more than is allowed.

    None of it was done. `detail` says how much, and by which limit.
    """
    facts = {"reason": Reason.FIRST_SHOT_TOO_WIDE, "place": place, "policy": policy, "detail": detail}
    return Notice(
        kind=NoticeKind.POLICY,
        severity=NoticeSeverity.ERROR,
        reason=Reason.FIRST_SHOT_TOO_WIDE,
        labels={"policy": policy, "place": place},
        facts={**facts, "remedy": Remedy.LET_ACT.sentence(policy=policy, place=place_option(place))},
    )
