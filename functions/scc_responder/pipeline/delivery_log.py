"""Collects what is known about a delivery, for its one log line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption, kind_of_stored
from scc_responder.domain.context import Context
from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.domain.finding import Finding, case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.intake.envelope import Message
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.chain_check import chain_fields, write_fields
from scc_responder.journal.contained import contained_fields, is_contained_anew
from scc_responder.journal.messages import UNANSWERED, Ending, counted, finding_summary, log_line, step_summary
from scc_responder.journal.plan import plan_summary
from scc_responder.journal.step import Step
from scc_responder.policy.decide import Decision


class DeliveryLog:
    """The log line of one request that began at `began`. `sha256` identifies the message if nothing else does."""

    def __init__(self, began: datetime) -> None:
        self.began = began
        self.message_id = ""
        self.trace = ""
        self.sha256 = ""
        self.notified = b""
        self.fields: dict[str, Any] = {}

    def delivered(self, message: Message) -> None:
        """A message was opened. Its text is kept for evidence, and not logged."""
        self.notified = message.data
        self.message_id, self.trace, self.sha256 = message.message_id, message.trace, message.sha256
        if message.delivery_attempt:
            self.fields["delivery_attempt"] = message.delivery_attempt

    def rejected(self, error: RejectedMessage | OversizeMessage) -> None:
        """The message could not be parsed: its hash is what identifies it."""
        self.sha256 = error.sha256 or self.sha256
        self.message_id = self.message_id or error.message_id

    def about(self, finding: Finding) -> None:
        """The message is this finding, or the finding was read again."""
        self.fields["case"] = case_id(finding.key)
        self.fields["finding"] = finding_summary(finding)

    def knows(self, context: Context) -> None:
        """The context was read."""
        self.fields["threat"] = context.threat.name
        self.fields["identity"] = context.identity.level
        if context.missing:
            self.fields["missing"] = context.missing

    def switched(self, control: str) -> None:
        """The kill switch was asked how far anything may go anywhere."""
        self.fields["control"] = control

    def decided(self, decision: Decision, record: CaseRecord, function_url: str = "") -> None:
        """The case was brought to its end."""
        if record.plan:
            self.fields["approval"] = plan_summary(record.finding_key, record.plan, function_url)
        self.fields["state"] = str(record.state)
        self.fields["policies"] = {policy.name: policy.reason for policy in decision.policies}
        self.fields["steps"] = [step_summary(step) for step in record.steps]
        if changed := _changed(record):
            self.fields["changed"] = changed
        self.fields |= chain_fields(record, record.steps)

    def took(self, record: CaseRecord) -> None:
        """The case was taken, or changed at once, by the write of this record. `chain_from` is the head before it."""
        self.fields |= write_fields(record)

    def left(self, record: CaseRecord) -> None:
        """The case is left as it is, at its end or not: how far the threat is contained, and after how long."""
        self.fields |= {**contained_fields(record), **chain_fields(record)}
        if not is_contained_anew(record):
            self.fields.pop("contained_seconds", None)

    def line(self, ending: Ending, project: str) -> str:
        """The log line."""
        fields = self.fields if self.fields.get("case") else {**self.fields, "sha256": self.sha256}
        return log_line(ending, self.message_id, self.trace, project, fields)


def _changed(record: CaseRecord) -> list[str]:
    """The actions by which this delivery made something unavailable: isolated, cut off, stopped, taken away."""
    made = {StepStatus.DONE, StepStatus.TERMINATING}
    own = [step for step in record.steps if step.epoch == record.epoch and step.intended_at and step.status in made]
    return [*dict.fromkeys(step.action for step in own if _disrupts(step))]


def _disrupts(step: Step) -> bool:
    """Whether the change itself does, not a mark beside it; of a node, whose cordon is a patch, its action."""
    kind, action = kind_of_stored(step.change), actions().get(step.action)
    return bool(kind and kind.disrupts) or (action is not None and action.disrupts is Disruption.NODES)


_WORST_FIRST = (
    StepStatus.FAILED,
    StepStatus.UNKNOWN,
    StepStatus.INTENT,
    StepStatus.TARGET_REPLACED,
    StepStatus.TARGET_GONE,
    StepStatus.WAITING,
    StepStatus.HELD,
    StepStatus.OVERRIDDEN,
    StepStatus.NOT_EFFECTIVE,
    StepStatus.TERMINATING,
    StepStatus.NOT_POSSIBLE,
)
_ERRORS = frozenset(_WORST_FIRST[:3])


def worst_step(record: CaseRecord) -> Step | None:
    """The step by which a case that was carried out is told of, unless all was done."""
    by_status = {step.status: step for step in reversed(counted(record.current_steps))}
    return next((by_status[status] for status in _WORST_FIRST if status in by_status), None)


def ending_of(record: CaseRecord, decision: Decision, *, severe: bool) -> Ending:
    """The ending of a case that was carried out, by its worst step. A rehearsal is no error, whatever it met.

    Nor is a deletion whose end is awaited: a sweep tells how it ended.

    Where nothing was done about a `severe` threat, it is a warning.
    """
    if record.state in UNANSWERED:
        severity = "WARNING" if severe else "INFO"
        return Ending(status=204, reason=UNANSWERED[record.state], severity=severity)
    rehearsed = record.state is CaseState.REHEARSED
    if worst := worst_step(record):
        severity = "ERROR" if worst.status in _ERRORS and not rehearsed else "WARNING"
        severity = "NOTICE" if worst.is_awaited else severity
        return Ending(status=204, reason=worst.reason, severity=severity)
    by_status = {step.status: step for step in reversed(counted(record.current_steps))}
    if rehearsed or StepStatus.DONE in by_status:
        return Ending(status=204, reason=Reason.DRY_RUN if rehearsed else Reason.DONE, severity="NOTICE")
    if not by_status and decision.reason == Reason.PLANNED:
        return Ending(status=204, reason=Reason.DONE_BEFORE)
    return Ending(status=204, reason=by_status[StepStatus.SKIPPED].reason if by_status else decision.reason)
