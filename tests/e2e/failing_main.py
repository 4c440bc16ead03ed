"""The entry point of a served function whose ports have failpoints, started in the folder of the zip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import functions_framework

from scc_responder.entrypoint.http_edge import HttpAnswer, handle
from scc_responder.settings import read_settings
from tests.kits.failpoints import FailingServices

_services = FailingServices(read_settings(os.environ, Path("policies")))


@functions_framework.http
def respond(request: Any) -> HttpAnswer:
    """Respond as main.py does."""
    return handle(request, _services)
