"""Notifier `external_system`: shows the case beside its finding in Security Command Center, as an `ExternalSystem`.

Link and state, who approved its plan, and until when one waits. It is written where it differs alone. A notification
that follows from it says nothing new, and is settled as a duplicate. No finding is muted: whoever steals the
responder's identity blinds nobody.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import Notifier
from scc_responder.domain.status import CaseState
from scc_responder.settings import Settings

if TYPE_CHECKING:
    from scc_responder.adapters.google.external_systems import ExternalSystems


def notifier(settings: Settings) -> Notifier | None:
    """It is there wherever findings are read from Security Command Center; None where a folder stands for it."""
    if settings.findings:
        return None
    from scc_responder.adapters.google.external_systems import ExternalSystems  # noqa: PLC0415 - not without it

    systems = ExternalSystems(endpoint=settings.scc_endpoint, location=settings.scc_location)
    return ExternalSystemNotifier(systems, settings.console_url)


class ExternalSystemNotifier:
    """`ports.Notifier` on the findings that notices are about. `console_url` is where the console is, if anywhere."""

    def __init__(self, systems: ExternalSystems, console_url: str = "") -> None:
        self._systems = systems
        self._console_url = console_url

    def tell(self, notice: Notice) -> str:
        """Write what there is to say of its case; nothing where the notice is about none. Raises ApiError."""
        if not notice.finding or notice.state is None:
            return ""
        return self._systems.write(notice.finding, self._fields(notice, notice.state))

    def _fields(self, notice: Notice, state: CaseState) -> dict[str, Any]:
        approval = notice.facts.get("approval") or {}
        reason = f": {notice.reason}" if notice.reason else ""
        waits_until = approval.get("expires_at") if state is CaseState.WAITING else None
        return {
            "external_uid": notice.case,
            "status": f"{state}{reason}",
            "case_uri": f"{self._console_url}/case/{notice.case}" if self._console_url else "",
            "assignees": sorted(each["by"] for each in approval.get("approvals", ())),
            "case_sla": datetime.fromisoformat(waits_until).replace(microsecond=0) if waits_until else None,
        }
