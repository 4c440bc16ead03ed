"""Notifier `external_system`: the case beside its finding, in Security Command Center."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from scc_responder.adapters.google.external_systems import ExternalSystems
from scc_responder.adapters.notifiers.external_system import ExternalSystemNotifier, notifier
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.status import CaseState
from tests.kits.google.grpc_servers import SecurityCenterServer
from tests.kits.google.scc_findings import FINDING, REVERSE_SHELL
from tests.kits.settings import local_settings

NAME = FINDING.canonical_name or FINDING.name
NOTICE = Notice(
    kind=NoticeKind.OUTCOME,
    severity=NoticeSeverity.NOTICE,
    case="0a0a0a0a0a0a",
    state=CaseState.DONE,
    finding=NAME,
    facts={"case": "0a0a0a0a0a0a"},
)
PLAN: dict[str, Any] = {"expires_at": "2026-03-01T12:00:00.5Z", "approvals": [{"by": "ada@example.com"}]}


def shown(notice: Notice) -> Any:
    """What a finding shows after the notice; None where nothing was written."""
    with SecurityCenterServer([REVERSE_SHELL]) as server:
        systems = ExternalSystems(endpoint=server.endpoint)
        told = ExternalSystemNotifier(systems, "https://console.example.com")
        assert told.tell(notice) == told.tell(notice)
        systems.close()
        assert len(server.updates) <= 1
        return next(iter(server.items[0].finding.external_systems.values()), None)


def test_a_case_is_shown_with_its_state_and_link() -> None:
    """The same notice again writes nothing."""
    written = shown(NOTICE)
    assert (written.status, written.external_uid) == ("done", "0a0a0a0a0a0a")
    assert written.case_uri == "https://console.example.com/case/0a0a0a0a0a0a"


def test_a_plan_that_waits_has_its_end_as_a_deadline() -> None:
    """Who has approved already is named; the deadline goes once it is over."""
    facts = {**NOTICE.facts, "approval": PLAN}
    waits = replace(NOTICE, state=CaseState.WAITING, reason="waiting_for_approval", facts=facts)
    written = shown(waits)
    assert written.status == "waiting: waiting_for_approval"
    assert list(written.assignees) == ["ada@example.com"]
    assert written.case_sla.isoformat() == "2026-03-01T12:00:00+00:00"
    assert not shown(replace(waits, state=CaseState.DONE)).case_sla


def test_a_notice_about_no_finding_writes_nothing() -> None:
    """A breaker, or a message that nobody can read, is beside no finding."""
    assert shown(replace(NOTICE, facts={}, finding="", state=None, case="")) is None


def test_where_a_folder_stands_for_findings_there_is_none() -> None:
    """Everywhere else nothing is connected before the first notice."""
    assert notifier(local_settings(FINDINGS="findings")) is None
    assert isinstance(notifier(local_settings()), ExternalSystemNotifier)
