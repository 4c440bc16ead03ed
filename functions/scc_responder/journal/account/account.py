"""The account of one case: twelve answers, links and commands, made from its stored record alone. Pure."""

from __future__ import annotations

from scc_responder.domain.finding import case_id
from scc_responder.journal.account.about_acts import about_acts, account_commands
from scc_responder.journal.account.about_target import about_target, facts_of
from scc_responder.journal.account.account_links import account_links
from scc_responder.journal.account.answers import Account
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import contained_seconds, containment


def account_of(record: CaseRecord, *, function_url: str = "") -> Account:
    """What the record says."""
    threat = record.decision.get("threat") or {}
    read = record.inspection.artefact if record.inspection else None
    return Account(
        case=case_id(record.finding_key),
        category=record.category,
        finding=record.finding_name,
        severity=str(threat.get("severity", "")),
        confidence=str(threat.get("confidence", "")),
        state=str(record.state),
        reason=record.reason,
        event_time=record.event_time,
        containment=str(containment(record.current_steps) or ""),
        contained_seconds=contained_seconds(record),
        answers=(*about_target(record), *about_acts(record)),
        links=account_links(record.finding_name, threat, facts_of(record)[0], read),
        commands=tuple(account_commands(record, function_url)),
    )
