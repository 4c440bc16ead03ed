"""The HTTP edge: a request in, 204 or 503 out, with a constant empty body."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scc_responder.intake import MAX_BODY_BYTES
from scc_responder.pipeline import respond
from scc_responder.services import Services
from scc_responder.settings import read_settings


def make_services(folder: Path, environment: Mapping[str, str] = os.environ) -> Services:
    """The services of a deployment whose `policies` lie beside main.py. Raises SettingsError, PolicyError: no start."""
    services = Services(read_settings(environment, folder / "policies"))
    services.policies  # noqa: B018 - a policy that cannot be used stops the start, not the first finding
    return services


def answer(request: Any, services: Services) -> tuple[str, int]:
    """Answer a Flask request. Its size is bounded before it is read."""
    body = request.stream.read(MAX_BODY_BYTES + 1)
    ending = respond(body, dict(request.headers), services)
    return "", ending.status
