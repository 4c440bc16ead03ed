"""The demonstration's last part: its cases in a browser, and for whoever sits at a terminal one more plan to answer."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from scc_responder.cli.console.desk_answers import DeskAnswers
from scc_responder.cli.console.page_server import served_console
from scc_responder.cli.demo.presentation import fact, heading
from scc_responder.cli.demo.undo_scene import desk_services
from scc_responder.cli.terminal.screen import Screen
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.domain.store import CasStore
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import cases_of
from scc_responder.pipeline.delivery import respond
from scc_responder.settings import read_settings
from scc_responder.workbench.local_services import LocalServices
from scc_responder.workbench.simulated_cluster.story.notifications import CONTAINER_ESCAPE, about_service, push_body
from scc_responder.workbench.simulated_cluster.story.observation import Expectation
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder

_SECONDS = 20.0


class ConsoleScene:
    """The console of the demonstration, from entering the `with` to leaving it."""

    def __init__(self, screen: Screen, deployment: StoryFolder, store: CasStore) -> None:
        self._screen = screen
        self._deployment = deployment
        self._journal = Journal(store, utc_now)
        self._function = LocalServices(read_settings(deployment.settings, Path("policies")))
        self._undo = desk_services(deployment, store)
        self._addresses: list[str] = []
        answers = DeskAnswers(self._function, self._undo)
        self._served = served_console(self._journal, answers, self._addresses.append)
        self._stays = sys.stdin.isatty() and not os.environ.get("CI")

    def __enter__(self) -> Self:
        # What the function says of an answer stands where it says the rest.
        self._function.tell = self._log
        self._served.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.__exit__(kind, error, trace)
        self._undo.close()

    def play(self) -> Iterator[Expectation]:
        """Sign in as a browser does, and look whether each case is listed."""
        shown = listed_page(self._addresses[-1])
        cases = [case_id(record.finding_key) for record in cases_of(self._journal.cases()).records]
        missing = [case for case in cases if f"/case/{case}" not in shown]
        yield Expectation(name=f"the console lists every case, but for {missing}", held=bool(cases) and not missing)

    def stay(self) -> None:
        """Print the address; where a person sits at a terminal, let one more plan wait, and stay until Enter."""
        self._screen.line("")
        self._screen.line(heading("The cases in a browser"))
        if self._stays:
            self._screen.wait_for("  console    one more finding is delivered ...")
            self._deliver()
        self._screen.line(fact("console", self._addresses[-1]))
        self._screen.line(fact("", "shows these cases on this machine, as `scc-responder console` does"))
        if self._stays:
            self._screen.line(fact("", "one plan waits: approve it, see what is read back, and take it back"))
            input("  Enter ends the demonstration.")

    def _deliver(self) -> None:
        """The escape on Cloud Run once more, as another finding: its plan waits."""
        now = utc_now()
        told = about_service(CONTAINER_ESCAPE, now)
        known = told["finding"]["name"].rpartition("/")[2]
        document = msgspec.json.encode(told).replace(known.encode(), known[::-1].encode())
        (self._deployment.findings / "console.json").write_bytes(document)
        respond(push_body(document, "demo-console", now), {}, self._function)

    def _log(self, line: str) -> None:
        with self._deployment.log.open("a") as log:
            print(line, file=log)


def listed_page(address: str) -> str:
    """The list of cases, as a browser that opens the address sees it."""
    parts = urlsplit(address)
    base, (token,) = f"{parts.scheme}://{parts.netloc}", parse_qs(parts.query)["token"]
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": base, "Sec-Fetch-Site": "same-origin"}
    entered, _ = _asked(parts.netloc, "POST", "/enter", urlencode({"token": token}), form)
    cookie = (entered.get("Set-Cookie") or "").partition(";")[0]
    return _asked(parts.netloc, "GET", "/", "", {"Cookie": cookie})[1]


def _asked(host: str, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[Any, str]:
    """The headers and the text of an answer."""
    connection = http.client.HTTPConnection(host, timeout=_SECONDS)
    try:
        connection.request(method, path, body, headers)
        with connection.getresponse() as answer:
            return answer.headers, answer.read().decode()
    finally:
        connection.close()
