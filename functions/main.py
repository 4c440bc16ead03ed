"""The entry points that Cloud Run calls, each in a service of its own: the function, its console, and its undo.

See `scc_responder.pipeline` for what the function does, `scc_responder.entrypoint.console` for the console, and
`scc_responder.pipeline.undo` for the undo. None loads what another needs: the framework says which it is before it
reads this file.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import functions_framework

gc.disable()  # what is loaded here stays: to look through it for garbage a dozen times takes a tenth of the start

if os.environ.get("FUNCTION_TARGET") == "console":
    from scc_responder.entrypoint.console.deployed_console import deployed_console, served_by

    _console = deployed_console(os.environ)

    @functions_framework.http  # type: ignore[untyped-decorator] # the framework has no types
    def console(request: Any) -> Any:
        """Show a person a page of the console, or hand an answer on."""
        return served_by(_console, request)

elif os.environ.get("FUNCTION_TARGET") == "undo":
    from scc_responder.entrypoint.http_edge import HttpAnswer
    from scc_responder.entrypoint.undo_edge import handle_undo, make_undo_services

    _undo_services = make_undo_services(Path(__file__).parent)

    @functions_framework.http  # type: ignore[untyped-decorator] # the framework has no types
    def undo(request: Any) -> HttpAnswer:
        """Take back what a case did, for a person in the console."""
        return handle_undo(request, _undo_services)

else:
    from scc_responder.entrypoint.http_edge import HttpAnswer, handle, make_services

    _services = make_services(Path(__file__).parent)

    @functions_framework.http  # type: ignore[untyped-decorator] # the framework has no types
    def respond(request: Any) -> HttpAnswer:
        """Respond to one Pub/Sub push delivery of a Security Command Center notification."""
        return handle(request, _services)


gc.freeze()
gc.enable()
