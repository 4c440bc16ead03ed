"""A kill switch that nobody set, or whose document makes no sense: everything is rehearsed, and people are told."""

from __future__ import annotations

from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import KillSwitchCeiling
from scc_responder.journal.notices import unset_switch_notice
from scc_responder.journal.told_today import is_first_today
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.services import Services

_UNSET: dict[str, str] = {Reason.CONTROL_MISSING: "missing", Reason.CONTROL_UNUSABLE: "unusable"}


def met(limit: KillSwitchCeiling) -> str:
    """The kill switch's state in one word: a mode, or `missing` or `unusable`, which both mean dry run."""
    return _UNSET.get(limit.reason, str(limit.mode))


def tell_unset(limit: KillSwitchCeiling, services: Services, log: DeliveryLog) -> None:
    """Say it in the log line of this delivery, which the alert counts, and notify people of it once a day."""
    if limit.reason in _UNSET:
        log.switched(met(limit))
        if is_first_today(services.store, limit.reason, "", services.clock()):
            services.notify(unset_switch_notice(limit.reason))
