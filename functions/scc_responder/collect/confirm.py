"""Read the finding as it stands now: a notification is a hint, never an order.

This one rule settles forged, replayed, stale, muted and inactive findings alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.errors import ApiError, DeliveryError, RejectedMessage, ResponderError, RetryableError
from scc_responder.domain.finding import Finding
from scc_responder.domain.ports import Clock, Findings
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName
from scc_responder.domain.status import CaseState
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import in_scope
from scc_responder.settings import Settings

UNKNOWN_FINDING_AFTER = timedelta(minutes=10)
"""How long the findings list may lag behind notifications. A finding not listed after this may be forged."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_NO_LONGER = frozenset({Reason.MUTED, Reason.INACTIVE})


class Settled(DeliveryError):  # noqa: N818 - an end, not a fault
    """There is nothing to decide about the finding, for the named reason."""

    def __init__(
        self,
        reason: Reason,
        state: CaseState,
        severity: str = "INFO",
        *,
        confirmed: Finding | None = None,
        message: str = "",
    ) -> None:
        super().__init__(reason, message)
        self.state = state
        self.severity = severity
        self.confirmed = confirmed
        """`finding` is the one that was read, or None if none was read."""


class KeptText:
    """Findings that keep the JSON of what was read last, as `text`."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.text: Mapping[str, Any] | None = None

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """As `Findings.read`."""
        self.text = self._findings.read(finding)
        return self.text

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """As `Findings.related`."""
        return self._findings.related(finding)


def confirm(
    finding: Finding, opened_at: datetime | None, findings: Findings, settings: Settings, clock: Clock
) -> Finding:
    """The finding as its source knows it now. `opened_at`: when its case was opened, None where that is not known.

    Raises Settled where it is not to be acted on, RetryableError where it could not be read or is not listed yet.
    """
    stored = _read(finding, findings)
    waited = clock() - opened_at if opened_at else timedelta()
    may_lag = waited <= UNKNOWN_FINDING_AFTER
    if may_lag and (stored is None or stored.event_time < finding.event_time):
        raise RetryableError(Reason.FINDING_NOT_LISTED_YET, finding.name)
    if stored is None:
        raise Settled(Reason.UNKNOWN_FINDING, CaseState.REJECTED, "ERROR")
    if stored.key != finding.key:
        raise Settled(Reason.FINDING_NAME_DIFFERS, CaseState.REJECTED, "ERROR")
    refuse_beyond_reach(stored, settings)
    beyond = in_scope(stored)
    if beyond:
        state = CaseState.SUPERSEDED if beyond in _NO_LONGER else CaseState.HELD
        raise Settled(beyond, state, confirmed=stored)
    return stored


def refuse_beyond_reach(finding: Finding, settings: Settings) -> None:
    """Raises Settled where the finding is of another source or about another cluster than settings list."""
    beyond = out_of_reach(finding, settings)
    if beyond:
        raise Settled(beyond, CaseState.REJECTED, "WARNING")


def read_by_name(name: str, findings: Findings, settings: Settings) -> Finding:
    """The finding whose notification was too large to parse. Raises Settled, RetryableError."""
    stub = finding_named(name)
    refuse_beyond_reach(stub, settings)
    stored = _read(stub, findings)
    if stored is None:
        raise RetryableError(Reason.FINDING_NOT_LISTED_YET, name)
    return stored


def finding_named(name: str) -> Finding:
    """A finding with nothing known but its name. Raises RetryableError for a malformed name."""
    parsed = FindingName.parse(name)
    if parsed is None:
        raise RetryableError(Reason.MALFORMED_FINDING_NAME, name)
    return Finding(
        key=parsed.key,
        name=name,
        canonical_name=name,
        source_id=parsed.source_id,
        finding_id=parsed.finding_id,
        category="",
        event_time=_EPOCH,
    )


def _read(finding: Finding, findings: Findings) -> Finding | None:
    try:
        stored = findings.read(finding)
    except ApiError as error:
        raise unread(error) from error
    except RejectedMessage as error:
        raise Settled(error.reason, CaseState.REJECTED, "ERROR") from error
    try:
        return None if stored is None else parse_notification(stored)
    except RejectedMessage as error:
        raise RetryableError(Reason.FINDING_UNREADABLE, f"{finding.name}: {error.reason}") from error


def unread(error: ResponderError) -> RetryableError:
    """The error to raise for a required read that failed. It names the missing permission."""
    reason = Reason.read(error.reason) or Reason.INTERNAL_ERROR
    return RetryableError(reason, error.explanation, permission=error.permission)


def out_of_reach(finding: Finding, settings: Settings) -> Reason | None:
    """`source_not_allowed` or `cluster_not_listed`, or None.

    A source is known by its numeric id: anyone who may create findings can choose a display name.
    """
    if finding.source_id not in settings.sources:
        return Reason.SOURCE_NOT_ALLOWED
    cluster = finding.cluster
    # `*` stands for no project's number: switches, limits and protections name clusters by ids, and would miss it.
    numbered = cluster is not None and cluster.project.isdigit()
    patterns = (pattern for pattern in settings.clusters if not (numbered and pattern.startswith("projects/*/")))
    if cluster and not any(covers(pattern, cluster.path) for pattern in patterns):
        return Reason.CLUSTER_NOT_LISTED
    return None


def covers(pattern: str, path: str) -> bool:
    """Whether the path is the pattern's, segment by segment; `*` stands for one whole segment."""
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(one in {"*", other} for one, other in zip(wanted, parts, strict=True))
