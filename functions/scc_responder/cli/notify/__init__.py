"""Send a test message by a route of `routes.yaml`, or list the notices that wait for one.

    scc-responder notify test --route secops --secrets /notice-secrets
    scc-responder notify test --route secops --dry-run
    scc-responder notify list

`notify test` shows the message and sends it, marked as a test. The address is read from DIR/SECRET/address, as it is
mounted in the function. `notify list` shows what waits and what was given up; exit 1 if something was.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.policy_folder import USUAL_FOLDER
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.store import CasStore
from scc_responder.journal.account.notice_card import notice_card
from scc_responder.journal.outbox.outbox import OUTBOX, WaitingNotice, waiting_in
from scc_responder.policy.policy_set import ROUTES_FILE
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.deployment.route_checks import send_trial, trial_of
from scc_responder.workbench.policy_files.mistakes import expected
from scc_responder.workbench.policy_files.routes_file import load_routes

_SECRETS = f"{VARIABLE_PREFIX}NOTICE_SECRETS"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `notify`."""
    commands = parser.add_subparsers(dest="notify_command", metavar="COMMAND", required=True)
    test = commands.add_parser("test", help="send a message that says it is a test; 1 if the receiver refuses it")
    test.add_argument("--route", required=True, metavar="NAME", help="the route, as routes.yaml names it")
    test.add_argument("--policies", type=Path, default=USUAL_FOLDER, metavar="DIR", help="folder of policies")
    default = os.environ.get(_SECRETS, "")
    test.add_argument("--secrets", default=default, metavar="DIR", help=f"folder of addresses (default: ${_SECRETS})")
    test.add_argument("--dry-run", action="store_true", help="only show what would be sent")
    listing = commands.add_parser("list", help="the notices that wait, and those given up; 1 if there are such")
    store_option(listing)
    for command in (test, listing):
        command.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Send a test, or list what waits."""
    if options.notify_command == "test":
        return _test(options)
    with closing(existing_store(options.store)) as store:
        return _list(store, options.format)


def _test(options: argparse.Namespace) -> int:
    routes = load_routes(options.policies)
    if routes is None or options.route not in routes.routes:
        told = expected(options.route, routes.routes) if routes else "there is no such file"
        raise SettingsError("unknown_route", f"--route {options.route}: {options.policies / ROUTES_FILE}: {told}")
    if not (options.secrets or options.dry_run):
        raise SettingsError("no_secrets", f"--secrets: name the folder of addresses, or set {_SECRETS}")
    route, now = routes.routes[options.route], utc_now()
    shown, result, status = notice_card(trial_of(options.route, route, now)).text, "not sent", 0
    if not options.dry_run:
        try:
            send_trial(options.route, route, options.secrets, now)
            result = "sent"
        except ApiError as error:
            result, status = f"refused: {error.reason}", 1
    if options.format == "json":
        answer = {"route": options.route, "receiver": route.receiver, "message": shown, "result": result}
        print(json.dumps(answer, indent=2))
    else:
        print(visible_lines(f"{options.route} ({route.receiver})\n\n{shown}\n\n{result}"))
    return status


def _list(store: CasStore, form: str) -> int:
    found = list(_waiting(store))
    if form == "json":
        print(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        for waits in found:
            print(visible_lines(_line(waits)))
        print(f"{len(found)} notices" if found else "nothing waits")
    return int(any(waits.given_up for waits in found))


def _waiting(store: CasStore) -> Iterator[WaitingNotice]:
    cursor = None
    while True:
        page = store.scan(OUTBOX, cursor)
        yield from (item.notice for item in waiting_in(page))
        if (cursor := page.cursor) is None:
            return


def _line(waits: WaitingNotice) -> str:
    state = "given up" if waits.given_up else f"next at {waits.next_at:%Y-%m-%d %H:%M} UTC"
    about = f"case {waits.notice.case}" if waits.notice.case else str(waits.notice.kind)
    return f"{waits.route}  {about}  {waits.tries} tries  {waits.refused or 'not tried yet'}  {state}"
