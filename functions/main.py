"""The entry point that Cloud Functions calls: see `scc_responder.pipeline` for what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import functions_framework

from scc_responder.entrypoint.http_edge import HttpAnswer, handle, make_services

_services = make_services(Path(__file__).parent)


@functions_framework.http  # type: ignore[untyped-decorator] # the framework has no types
def respond(request: Any) -> HttpAnswer:
    """Respond to one Pub/Sub push delivery of a Security Command Center notification."""
    return handle(request, _services)
