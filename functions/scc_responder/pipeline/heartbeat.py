"""A message that tests the whole path: delivery, intake, parsing, journal, one read of Security Command Center, record.

It is a notification of a finding that does not exist, under an id that is reserved for it. Whatever else the message
says is not looked at, so that a forged one can do no more than the genuine one: no policy, context or change follows.

Its record and log line contain the kill switch's mode: without it, a responder that is switched off would look healthy.
"""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.collect.confirm import unread
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import Finding
from scc_responder.domain.ports import Findings
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.guard.kill_switch import NAME, KillSwitchCeiling
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import Journal, Transition
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.unset_switch import met

HEARTBEAT_ID = "sccresponderheartbeat"
"""The reserved finding id: organizations/O/sources/S/locations/L/findings/sccresponderheartbeat."""


def is_heartbeat(finding: Finding) -> bool:
    """Whether the finding stands for no threat, by its id alone."""
    return finding.finding_id == HEARTBEAT_ID


def claim_heartbeat(finding: Finding, journal: Journal) -> ClaimedCase | None:
    """The heartbeat's one case, the same each time; None while another beat has it. Raises as `Journal.claim`."""
    try:
        return journal.apply(finding.key, _retaken)[1]
    except RetryableError as error:
        if error.reason != Reason.NO_SUCH_CASE:
            raise
    return journal.claim(finding).case


def beat(finding: Finding, case: ClaimedCase, findings: Findings, limit: KillSwitchCeiling) -> Ending:
    """Ask Security Command Center for it, as for any finding. The normal answer is that there is none.

    The case keeps what the kill switch lets be done everywhere. Where nobody says so, the log line is an error.

    Raises RetryableError where it did not answer, and as `ClaimedCase.close`.
    """
    try:
        findings.read(finding)
    except ApiError as error:
        raise unread(error) from error
    case.close(CaseState.DONE, Reason.HEARTBEAT, decision={NAME: met(limit)})
    return Ending(status=204, reason=Reason.HEARTBEAT, severity="ERROR" if limit.reason else "NOTICE")


def _retaken(record: CaseRecord, is_held: bool) -> Transition:
    """The case as new, so that the record does not grow with each heartbeat."""
    if record.state is CaseState.OPEN and is_held:
        return Transition(reason=Reason.IN_PROGRESS, status=503)
    bare = replace(record, steps=(), decision={}, plan=None, history=(), attempts=0, seen=0)
    return Transition(reason=Reason.HEARTBEAT, status=204, record=bare, starts=True)
