"""The entry point of a served function whose store is a file of this machine, started in the folder of the zip.

It is main.py with the one thing that is not in the zip.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import functions_framework

gc.disable()  # as main.py does

from scc_responder.entrypoint.http_edge import HttpAnswer, handle, make_services  # noqa: E402
from tests.kits.local_store import LocalStoreServices  # noqa: E402

_services = make_services(Path.cwd(), made=LocalStoreServices)


@functions_framework.http
def respond(request: Any) -> HttpAnswer:
    """Respond as main.py does."""
    return handle(request, _services)


gc.freeze()
gc.enable()
