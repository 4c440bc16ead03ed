"""The HTTP edge: a request in, a status out, with a constant empty body.

Pub/Sub pushes to any path but two: `/approve` and `/reject`, at which a person answers a plan that waits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scc_responder.intake import MAX_BODY_BYTES
from scc_responder.pipeline import respond
from scc_responder.services import Services
from scc_responder.settings import read_settings

ANSWERS = {"/approve": "approve", "/reject": "reject"}
"""The paths at which a waiting plan is answered."""


def make_services(folder: Path, environment: Mapping[str, str] = os.environ) -> Services:
    """The services of a deployment whose `policies` lie beside main.py. Raises SettingsError, PolicyError: no start."""
    services = Services(read_settings(environment, folder / "policies"))
    services.policies  # noqa: B018 - a policy that cannot be used stops the start, not the first finding
    return services


def answer(request: Any, services: Services) -> tuple[str, int]:
    """Answer a Flask request. Its size is bounded before it is read."""
    if request.method == "POST" and request.path in ANSWERS:
        return "", _answer(request, services)
    body = request.stream.read(MAX_BODY_BYTES + 1)
    ending = respond(body, dict(request.headers), services)
    return "", ending.status


def _answer(request: Any, services: Services) -> int:
    from scc_responder import answer as answers  # noqa: PLC0415 - a finding's delivery need not wait for it

    body = request.stream.read(answers.MAX_BODY_BYTES + 1)
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = answers.Request(verb=ANSWERS[request.path], body=body, headers=headers, peer=str(request.remote_addr or ""))
    return answers.answer(asked, services).status
