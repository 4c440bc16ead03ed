"""Log lines of what no delivery made: a write, for its head of the hash chain, and a record that none can go by."""

from __future__ import annotations

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.messages import Ending, log_line
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.services import Services


def tell_write(record: CaseRecord, reason: Reason, services: Services) -> None:
    """Log what a sweep wrote into a case, which is `record` since."""
    log = DeliveryLog(services.clock())
    log.fields |= {"case": case_id(record.finding_key), "by": "sweep", "state": str(record.state)}
    log.took(record)
    ending = Ending(status=204, reason=reason, severity="NOTICE")
    services.tell(log.line(ending, services.settings.trace_project))


def tell_odd(key: str, error: Exception, services: Services) -> Reason:
    """Log that the case of this key has a part that no version writes, and return why nobody can go by it."""
    fields = {"case": case_id(key.rpartition("/")[2]), "by": "sweep", "error": type(error).__name__}
    ending = Ending(status=204, reason=Reason.RECORD_UNREADABLE, severity="ERROR")
    services.tell(log_line(ending, "", "", services.settings.trace_project, fields))
    return Reason.RECORD_UNREADABLE
