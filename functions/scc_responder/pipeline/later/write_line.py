"""The log line of a write that no delivery made: so every head of a case's hash chain stands in the log."""

from __future__ import annotations

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.services import Services


def tell_write(record: CaseRecord, reason: Reason, services: Services) -> None:
    """Log what a sweep wrote into a case, which is `record` since."""
    log = DeliveryLog(services.clock())
    log.fields |= {"case": case_id(record.finding_key), "by": "sweep", "state": str(record.state)}
    log.took(record)
    ending = Ending(status=204, reason=reason, severity="NOTICE")
    services.tell(log.line(ending, services.settings.trace_project))
