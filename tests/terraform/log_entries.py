"""What Cloud Logging makes of a line on standard output, which of them a filter chooses, and what is extracted.

Source: Cloud Logging, "Structured logging" (special fields).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from scc_responder.adapters.google.cloud_logging import CloudLogging
from tests.kits.google.logging_server import LoggingServer

Entry = Mapping[str, Any]
PROJECT = "example-project"
SERVICE = "scc-responder"


def entry(line: str, service: str = SERVICE) -> Entry:
    """The LogEntry of one line that a Cloud Run service printed."""
    payload = json.loads(line)
    return {
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": service}},
        "severity": payload.pop("severity", "DEFAULT"),
        "labels": payload.pop("logging.googleapis.com/labels", {}),
        "trace": payload.pop("logging.googleapis.com/trace", ""),
        "jsonPayload": payload,
    }


def extract(expression: str, found: Entry) -> Any:
    """The value that `EXTRACT(field)` takes from an entry; None where there is none."""
    match = re.fullmatch(r"EXTRACT\(([\w.]+)\)", expression)
    assert match, f"not understood: {expression}"
    value: Any = found
    for part in match[1].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


class WrittenLines:
    """Lines by what they are about, held by a Logging server, which is asked as any program asks it."""

    def __init__(self, server: LoggingServer, lines: Mapping[str, str], service: str = SERVICE) -> None:
        self.lines = lines
        self._server = server
        self._logs = CloudLogging(endpoint=server.endpoint)
        held = {"timestamp": "2026-01-01T00:00:00Z"}
        server.add(*({**held, **entry(line, service), "insertId": name} for name, line in lines.items()))

    def chosen(self, expression: str) -> set[str]:
        """What the lines are about that a filter chooses. The server refuses a filter that it cannot read."""
        entries, has_more = self._logs.entries(PROJECT, expression, 1000)
        assert not has_more
        return {str(found["insertId"]) for found in entries}
