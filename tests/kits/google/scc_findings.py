"""Findings as Security Command Center knows them: the reverse shell, varied, and others about the same pod."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from tests import findings
from tests.kits.google.grpc_servers import Item, item

REVERSE_SHELL = findings.notification("reverse_shell")
FINDING = parse_notification(REVERSE_SHELL)
SOURCES = tuple(str(number) * 19 for number in (1, 2, 3, 5))
"""The four detectors of threats."""

NAME = "projects/100000000001/sources/1111111111111111111/locations/global/findings"


def varied(**fields: Any) -> Finding:
    return msgspec.structs.replace(FINDING, **fields)


def other(finding_id: str, **more: Any) -> Item:
    return item(findings.notification("added_binary_executed", finding_id=finding_id, **more))


def at(seconds: float) -> str:
    return (FINDING.event_time + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
