"""The console's pages on a port of this machine, from entering the `with` to leaving it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_bytes
from threading import Thread

from scc_responder.cli.console.local_door import LocalDoor
from scc_responder.cli.terminal.listening import free
from scc_responder.cli.terminal.terminal import user_name
from scc_responder.entrypoint.console.console_app import Console, make_app
from scc_responder.entrypoint.console.persons_answer import TakesAnswers
from scc_responder.journal.journal import Journal

LOOPBACK = "127.0.0.1"


@contextmanager
def served_console(
    journal: Journal,
    answers: TakesAnswers,
    invite: Callable[[str], None],
    *,
    port: int = 0,
    function_url: str = "",
    user: str = "",
) -> Iterator[str]:
    """Serve the pages on loopback alone; the console's address. `invite` is told each address that lets a browser in.

    `user` is who answers, for the cases; by default the user of this process. Raises PortError where the port is taken.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 - not for a command's help

    class Silent(WSGIRequestHandler):
        """Writes no line of a request: its address may have a token in it."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing."""

    base = f"http://{LOOPBACK}:{free(LOOPBACK, port)}"
    door = LocalDoor(base, user or user_name(), invite)
    app = make_app(
        Console(
            journal=lambda: journal,
            identity=door,
            answers=answers,
            base_url=base,
            key=token_bytes(32),
            function_url=function_url,
        )
    )
    door.hang(app)
    server = make_server(LOOPBACK, int(base.rpartition(":")[2]), app, threaded=True, request_handler=Silent)
    thread = Thread(target=server.serve_forever, name="console", daemon=True)
    thread.start()
    door.open()
    try:
        yield base
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
