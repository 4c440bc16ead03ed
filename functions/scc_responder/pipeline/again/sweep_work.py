"""What one sweep, or one sweep's looks, may begin: so many cases, while there is time, and none of a busy cluster."""

from __future__ import annotations

from datetime import datetime

from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import TransitionRule
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.deadlines import cases_end
from scc_responder.pipeline.delivery import accounted, finding_of, work_on
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.services import Services

MAX_BEGUN = 20
_UNANSWERED = frozenset({Reason.CLUSTER_BUSY, Reason.CLUSTER_UNREACHABLE, Reason.DEADLINE, Reason.TIMEOUT})
"""How a case ends whose cluster does not answer: this sweep does not wait for that one again."""
_ACTING = frozenset({Mode.APPROVE, Mode.ENFORCE})
_REFUSED = frozenset({Reason.CLUSTER_NOT_ONBOARDED, Reason.CLUSTER_ACCESS_LOST})
"""Of these cases nothing was read: a rehearsal, too, keeps evidence of the pod."""


class SweepWork:
    """The cases that one sweep begins. `by` names it in the log: `sweep` or `look`."""

    def __init__(self, services: Services, began: datetime, by: str) -> None:
        self._services = services
        self._began = began
        self._by = by
        self._modes: dict[str, Mode] = {}
        self._silent: set[str] = set()
        self.until = cases_end(began, services.settings)
        self.begun = 0

    @property
    def goes_on(self) -> bool:
        """Whether another case may be begun."""
        return self.begun < MAX_BEGUN and self._services.clock() < self.until

    def is_let(self, record: CaseRecord) -> bool:
        """Whether the kill switch lets anything be done for the case. The store is asked once for each cluster."""
        if record.cluster not in self._modes:
            self._modes[record.cluster] = self._services.kill_switch.ceiling(record.cluster).mode
        mode = self._modes[record.cluster]
        return mode in _ACTING or (record.reason in _REFUSED and mode is Mode.DRY_RUN)

    def take(self, record: CaseRecord, rule: TransitionRule) -> tuple[str, ClaimedCase | None]:
        """The case, taken by the rule, to go on with; or None, and why. Raises StoreError, RetryableError."""
        if not self.goes_on:
            return Reason.OUT_OF_TIME, None
        if record.cluster in self._silent or self._services.bulkheads.is_busy(record.cluster):
            return Reason.CLUSTER_BUSY, None
        transition, case = self._services.journal.apply(record.finding_key, rule)
        self.begun += case is not None
        return transition.reason, case

    def go_on(self, case: ClaimedCase) -> str:
        """Work on the case, as a delivery does, with a log line of its own."""
        finding = finding_of(case.record)

        def resumed(log: DeliveryLog) -> Ending:
            log.about(finding)
            log.fields["by"] = self._by
            return work_on(finding, case, self._services, log)

        ending = accounted(resumed, self._services, self._began)
        if case.record.cluster and ending.reason in _UNANSWERED:
            self._silent.add(case.record.cluster)
        return Reason.RESUMED
