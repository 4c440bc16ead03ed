"""Show the cases in a browser on this machine, and answer there: approve, reject, take back, try again, mark.

The address that is printed lets one browser in, and only this machine reaches it. On a SQLite store the answers are
decided here, by the settings that `serve` takes. On any other store the pages show the cases, and send answers to the
function (--url), with your own Google ID token (--token-file or SCC_RESPONDER_ID_TOKEN), as `case approve` does;
to take a case back is for the command line.

  scc-responder console --store scc-responder.db --clusters clusters.yaml --findings findings
  scc-responder console --settings responder.env --url https://FUNCTION --token-file token
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scc_responder.cli.terminal.existing_store import SETTING, existing_store
from scc_responder.cli.terminal.listening import port_or_any
from scc_responder.cli.terminal.settings_file import (
    TOKEN,
    environment_of,
    id_token,
    settings_environment,
    settings_options,
)
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ResponderError
from scc_responder.journal.journal import Journal
from scc_responder.settings import read_settings
from scc_responder.workbench.local_services import LocalServices
from scc_responder.workbench.undo.undo_services import UNDO_IDENTITY, UndoServices

if TYPE_CHECKING:
    from scc_responder.entrypoint.console.persons_answer import TakesAnswers


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `console`."""
    parser.add_argument("--port", type=port_or_any, default=0, help="port of the pages; 0 chooses a free one")
    parser.add_argument("--settings", metavar="FILE", help="NAME=VALUE lines, in place of the environment's")
    parser.add_argument("--url", default="", metavar="URL", help="the function's address, where it decides")
    told = f"a file with your Google ID token (default: ${TOKEN})"
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=told)
    settings_options(parser)


def run(options: argparse.Namespace) -> int:
    """Serve the pages until Ctrl-C. Raises SettingsError, PolicyError, PortError."""
    environment = environment_of(options, settings_environment(options.settings))
    with console_of(environment, options.port, url=options.url, token=partial(id_token, options.token_file)):
        print("scc-responder: Ctrl-C ends the console", file=sys.stderr)
        threading.Event().wait()
    return 0


@contextmanager
def console_of(
    environment: Mapping[str, str], port: int = 0, *, url: str = "", token: Callable[[], str] = str
) -> Iterator[str]:
    """The console of a deployment by its settings: served, and its address told. Raises SettingsError, PolicyError."""
    from scc_responder.cli.console.page_server import served_console  # noqa: PLC0415 - not for a command's help

    store = environment[SETTING]
    with ExitStack() as opened:
        cases = existing_store(store)
        opened.callback(cases.close)
        answers, journal = _answers(environment, opened, url, token), Journal(cases, utc_now)
        yield opened.enter_context(served_console(journal, answers, invite, port=port, function_url=url))


def _answers(environment: Mapping[str, str], opened: ExitStack, url: str, token: Callable[[], str]) -> TakesAnswers:
    """Who decides: this machine on its own store, the function elsewhere, nobody where neither is possible."""
    from scc_responder.cli.console.desk_answers import DeskAnswers  # noqa: PLC0415 - see `console_of`
    from scc_responder.cli.console.function_answers import FunctionAnswers  # noqa: PLC0415

    if environment[SETTING].startswith("firestore:"):
        return FunctionAnswers(url, token) if url else _only_shown("give --url, where the function decides")
    try:
        settings = read_settings(environment, Path("policies"))
        function = LocalServices(settings)
        function.policies  # noqa: B018 - what cannot be used is told now, not at the first click
    except ResponderError as error:
        return _only_shown(str(error))
    undo = UndoServices(settings, function.store, environment.get(UNDO_IDENTITY, ""))
    opened.callback(undo.close)
    return DeskAnswers(function, undo, token)


def _only_shown(why: str) -> TakesAnswers:
    from scc_responder.cli.console.desk_answers import ReadOnly  # noqa: PLC0415

    print(f"scc-responder: the pages only show: {visible_lines(why)}", file=sys.stderr)
    return ReadOnly()


def invite(address: str) -> None:
    """Print an address that lets one browser in."""
    print(f"scc-responder: open {address}", file=sys.stderr, flush=True)
