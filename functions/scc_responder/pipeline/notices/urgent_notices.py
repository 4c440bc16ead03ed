"""What is logged as an error and told at once, whatever the finding is that met it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scc_responder.domain.errors import without_secrets
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.reasons import Reason
from scc_responder.guard.limits.ledger_document import Breaker
from scc_responder.guard.trust.first_shot import FirstShot
from scc_responder.journal.messages import Ending, log_line
from scc_responder.journal.notices import breaker_notice, first_shot_notice

if TYPE_CHECKING:
    from scc_responder.pipeline.services import Services


def page_breaker(services: Services, cluster: str, breaker: Breaker) -> None:
    """Log and notify that the breaker of a cluster tripped. Raises ApiError."""
    scope = {"scope": breaker.scope, "budget": str(breaker.budget or ""), "store": services.settings.store}
    notice = breaker_notice(cluster, breaker.tripped_at, breaker.detail, **scope)
    fields = {name: notice.facts[name] for name in ("cluster", "scope", "budget", "detail", "remedy")}
    _tell(services, Reason.STORM_BREAKER, fields, notice)


def page_first_shot(services: Services, shot: FirstShot) -> None:
    """Log and notify that none of a policy's first shot is done. Raises ApiError."""
    notice = first_shot_notice(shot.place, shot.policy, shot.detail)
    _tell(services, Reason.FIRST_SHOT_TOO_WIDE, notice.facts, notice)


def log_untold(services: Services, name: str, error: Exception) -> None:
    """One line for a notifier that failed where another did not."""
    _tell(services, Reason.NOTIFIER_FAILED, {"notifier": name, "error": without_secrets(error)})


def _tell(services: Services, reason: Reason, fields: Mapping[str, Any], notice: Notice | None = None) -> None:
    ending = Ending(status=204, reason=reason, severity="ERROR")
    services.tell(log_line(ending, "", "", services.settings.trace_project, fields))
    if notice is not None and services.notifier is not None:
        services.notifier.tell(notice)
