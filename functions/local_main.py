"""The entry point on this machine, which `scc-responder serve` starts. It is main.py but for what may be files here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import functions_framework

from scc_responder.entrypoint.http_edge import HttpAnswer, handle
from scc_responder.settings import read_settings
from scc_responder.workbench.local_services import LocalServices

_services = LocalServices(read_settings(os.environ, Path("policies")))
_services.policies  # noqa: B018 - a policy that cannot be used stops the start, not the first finding


@functions_framework.http  # type: ignore[untyped-decorator] # the framework has no types
def respond(request: Any) -> HttpAnswer:
    """Respond to one push delivery, as main.py does."""
    return handle(request, _services)
