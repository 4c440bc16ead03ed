"""The console of a rehearsal, and what takes cases back: the function's own zip with the other entry points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from tests.e2e.served import ServedFunction, free_port
from tests.kits.console_pages import FormsOf
from tests.kits.google.metadata_server import MetadataServer
from tests.rehearsal.iap_proxy import IapProxy
from tests.rehearsal.run_stage import ServedRun


class Page(NamedTuple):
    """What a browser got."""

    status: int
    text: str

    @property
    def heading(self) -> str:
        """Its first heading."""
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        return found[1].strip() if found else ""


class ServedConsole:
    """From `with` until its end. `rendered` is its environment as Terraform rendered it, `undo` the other one's."""

    def __init__(self, served: ServedRun, source: Path, rendered: Mapping[str, str], undo: Mapping[str, str]) -> None:
        stage, port = served.stage, free_port()
        self.proxy = IapProxy(stage.iap, port)
        function = served.function.url.rstrip("/")
        audience = rendered["SCC_RESPONDER_FUNCTION_URL"]
        identity = served.environment["SCC_RESPONDER_CONSOLE"]
        undo_port = free_port()
        taking_back = f"http://127.0.0.1:{undo_port}"
        audiences = {function: audience, taking_back: rendered["SCC_RESPONDER_UNDO_URL"]}
        self.metadata = MetadataServer(stage.issuer, identity, audiences)
        self.environment = {
            **rendered,
            "SCC_RESPONDER_CONSOLE_URL": self.proxy.url,
            "SCC_RESPONDER_FUNCTION_URL": function,
            "SCC_RESPONDER_UNDO_URL": taking_back,
            "SCC_RESPONDER_IAP_KEYS": stage.iap.address,
            "FIRESTORE_EMULATOR_HOST": stage.firestore.host,
            **self.metadata.environment,
        }
        log = stage.folder / f"console-{port}.log"
        self.process = ServedFunction(source, self.environment, log=log, target="console", port=port)
        self.undo_log = stage.folder / f"undo-{undo_port}.log"
        self.undo = ServedFunction(
            source, stage.undo_environment(undo), log=self.undo_log, target="undo", port=undo_port
        )
        self._port = port
        self._stack = ExitStack()

    def get(self, path: str, **headers: str) -> Page:
        """A page, by IAP."""
        return _asked(self.proxy.url, "GET", path, "", headers)

    def past_iap(self, path: str, **headers: str) -> Page:
        """A page, asked for at the service's own port, as whoever reaches it past IAP asks."""
        host = urlsplit(self.proxy.url).netloc
        return _asked(f"http://127.0.0.1:{self._port}", "GET", path, "", {"Host": host, **headers})

    def forms(self, path: str) -> dict[str, dict[str, str]]:
        """The forms of a page."""
        return FormsOf(self.get(path).text).forms

    def send(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        """Send a form, as a browser does from a page of the console."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec-Fetch-Site": "same-origin"}
        return _asked(self.proxy.url, "POST", path, urlencode(fields), {**sent, **headers})

    def __enter__(self) -> Self:
        with self._stack as parts:
            for part in (self.metadata, self.proxy, self.undo, self.process):
                parts.enter_context(part)  # type: ignore[arg-type]
            self._stack = parts.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()


def _asked(url: str, method: str, path: str, body: str, headers: Mapping[str, str]) -> Page:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=150)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return Page(answer.status, answer.read().decode())
    finally:
        connection.close()
