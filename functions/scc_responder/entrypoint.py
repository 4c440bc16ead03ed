"""The HTTP edge: a request in, a status out, with a constant empty body.

Pub/Sub pushes to any path but three: `/approve` and `/reject`, at which a person answers a plan that waits, and
`/sweep`, to which Cloud Scheduler posts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scc_responder.domain.errors import SettingsError
from scc_responder.intake.envelope import MAX_ENVELOPE_BYTES
from scc_responder.pipeline.delivery import respond
from scc_responder.pipeline.services import Services
from scc_responder.settings import VARIABLE_PREFIX, read_settings

ANSWERS = {"/approve": "approve", "/reject": "reject"}
"""The paths at which a waiting plan is answered."""
SWEEP = "/sweep"
"""The path of the sweep, which resumes unfinished cases."""


def make_services(folder: Path, environment: Mapping[str, str] = os.environ) -> Services:
    """The services of a deployment whose `policies` lie beside main.py. Raises SettingsError, PolicyError: no start."""
    settings = read_settings(environment, folder / "policies")
    for name in ("CLUSTERS_FILE", "FINDINGS"):
        if getattr(settings, name.lower()):
            told = f"{VARIABLE_PREFIX}{name} is for local use; start the function with `scc-responder serve`"
            raise SettingsError("local_only_setting", told)
    services = Services(settings)
    services.policies  # noqa: B018 - a policy that cannot be used stops the start, not the first finding
    services.check_notifiers()
    return services


def handle(request: Any, services: Services) -> tuple[str, int]:
    """Answer a Flask request. Its size is bounded before it is read."""
    if request.method == "POST" and request.path in ANSWERS:
        return "", _answer(request, services)
    if request.method == "POST" and request.path == SWEEP:
        return "", _sweep(request, services)
    body = request.stream.read(MAX_ENVELOPE_BYTES + 1)
    ending = respond(body, dict(request.headers), services)
    return "", ending.status


def _answer(request: Any, services: Services) -> int:
    from scc_responder.pipeline import approvals as answers  # noqa: PLC0415 - a finding's delivery need not wait for it

    body = request.stream.read(answers.MAX_ANSWER_BYTES + 1)
    headers, peer = _sender(request)
    asked = answers.AnswerRequest(verb=ANSWERS[request.path], body=body, headers=headers, peer=peer)
    return answers.answer_plan(asked, services).status


def _sweep(request: Any, services: Services) -> int:
    from scc_responder.pipeline.sweep import sweep  # noqa: PLC0415 - a finding's delivery need not wait for it

    return sweep(*_sender(request), services).status


def _sender(request: Any) -> tuple[dict[str, str], str]:
    """The headers, their names in lower case, and the sender's address."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers, str(request.remote_addr or "")
