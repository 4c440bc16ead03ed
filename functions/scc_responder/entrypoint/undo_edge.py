"""The HTTP edge of the undo, a service of its own from the function's zip: the console asks, its own identity acts.

It takes a case back, or says what would be taken back, and takes nothing else: no finding, no approval, no sweep. Its
settings are the function's, but for SCC_RESPONDER_APPROVAL_AUDIENCE: this service's own https:// URL.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.domain.notices.notice import Notice
from scc_responder.entrypoint.http_edge import HttpAnswer, answer_request, make_services
from scc_responder.pipeline.later.left_notices import leave_notice
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.undo.undo_request import UNDO_VERBS, take_back

_PATHS = frozenset(f"/{verb}" for verb in UNDO_VERBS)


class DeployedUndoServices(Services):
    """As the identity of undo, which this service runs as. It publishes nothing: the next sweep tells."""

    notifier = None
    lanes = None

    @cached_property
    def run_writer(self) -> Callable[[], str] | None:
        """Tokens of this service's own identity, and never those of the function's writer."""
        return self._token if self.settings.run_endpoint else AccessToken()

    def notify(self, notice: Notice) -> bool:
        """Leave the notice for the next sweep. Raises StoreError."""
        leave_notice(self.store, notice)
        return True


def make_undo_services(folder: Path, environment: Mapping[str, str] = os.environ) -> Services:
    """The services of an undo whose `policies` lie beside main.py. Raises SettingsError, PolicyError: no start."""
    return make_services(folder, environment, DeployedUndoServices)


def handle_undo(request: Any, services: Services) -> HttpAnswer:
    """Answer a Flask request. Its size is bounded before it is read."""
    if request.path not in _PATHS:
        return "", 404, {}
    if request.method != "POST":
        return "", 405, {"Allow": "POST"}
    ending = take_back(answer_request(request), services)
    return ending.body, 200 if ending.status == 204 else ending.status, {"Content-Type": "application/json"}
