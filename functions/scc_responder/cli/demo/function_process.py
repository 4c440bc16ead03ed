"""The function under functions-framework, as a process of its own on 127.0.0.1."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from scc_responder.cli.serve import command
from scc_responder.cli.terminal.listening import free
from scc_responder.domain.errors import ResponderError

HOST = "127.0.0.1"
START_SECONDS = 30.0
REQUEST_SECONDS = 30.0
STOP_SECONDS = 5.0

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
"""The environment variables that the function inherits: none that could be a setting of its own."""


class FunctionError(ResponderError):
    """The function did not start, or did not answer. The message holds the end of its log."""


class FunctionProcess:
    """The function in `source` from entering the `with` to leaving it. What it prints is kept in `log`."""

    def __init__(self, source: Path, log: Path, settings: Mapping[str, str], port: int = 0) -> None:
        """Choose a free port where none is given. Raises PortError where it is taken."""
        self.port = free(HOST, port)
        self._command = command(source, HOST, self.port)
        self._environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(settings)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where messages are pushed to."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process, or 0 where there is none."""
        return self._process.pid if self._process else 0

    def push(self, body: bytes) -> int:
        """Deliver one push, as Pub/Sub does, and return the status of the answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=REQUEST_SECONDS)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                answer.read()
                status = answer.status
        except (OSError, http.client.HTTPException) as error:
            raise FunctionError("function_unreachable", f"{self.url}: {error}\n{self._tail()}") from error
        finally:
            connection.close()
        return status

    def logged(self, message_id: str) -> dict[str, Any]:
        """The line that the function wrote about a message; empty where there is none."""
        for line in reversed(self._log.read_text().splitlines()):
            with suppress(ValueError):
                found = json.loads(line)
                if found["logging.googleapis.com/labels"]["message_id"] == message_id:
                    return dict(found)
        return {}

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches this process alone, which ends the other in order.
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_until_listening(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, in order if it will, and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return
            time.sleep(0.03)
        ended = process.poll() is not None
        what = f"ended with status {process.returncode}" if ended else f"did not listen within {START_SECONDS:g} s"
        raise FunctionError("function_not_started", f"the function {what}\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
