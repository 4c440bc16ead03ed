"""Show the kill switch, or turn it.

The mode is a ceiling on every policy, read before every decision and before every change; it never raises one:

  disabled  findings are recorded and told of, and no cluster is asked anything; their cases can be resumed
  dry_run   evidence and messages, and a rehearsal of every change; this is also what a store without the document means
  approve   what policies may enforce waits for a person as well
  enforce   as far as policies and guardrails go

  scc-responder control set enforce --reason "week of dry-run reviewed" --store firestore://PROJECT/DATABASE
  scc-responder control set disabled --reason "INC-1" --cluster projects/P/locations/L/clusters/C --store ...
  scc-responder control set dry_run --reason "INC-2" --project P --store ...

`--project` holds for what runs on Cloud Run in the project, and for all clusters in it.

The answer names the store: the switch of another one than the function's stops nothing.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec

from scc_responder.cli.console.existing_store import STORE, address, existing_store, store_option
from scc_responder.cli.console.kill_switch_text import ceiling_text, control_line, setting_text
from scc_responder.cli.console.place_options import place_of, place_options
from scc_responder.cli.console.terminal import styled, visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.mode import Mode
from scc_responder.domain.text import visible
from scc_responder.guard.kill_switch import GLOBAL, Control, KillSwitch, Setting, enclosing, key_of

MAX_REASON = 500


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `control`."""
    commands = parser.add_subparsers(dest="control_command", metavar="COMMAND", required=True)
    show = commands.add_parser("show", help="the switch, everywhere and by place; 1 if a document makes no sense")
    turn = commands.add_parser("set", help="turn it; it counts from the next step on")
    turn.add_argument("mode", choices=[str(mode) for mode in Mode], help="how far anything may go")
    turn.add_argument("--reason", required=True, metavar="TEXT", help="why, in your words; it is kept")
    turn.add_argument("--by", default=getpass.getuser(), help="who turns it")
    turn.add_argument("--create", action="store_true", help="make the SQLite file, before the function's first start")
    for command in (show, turn):
        place_options(command, "this project alone: its clusters, and what it runs on Cloud Run")
        # To turn the switch of another store than the function's stops nothing.
        store_option(command, fallback=STORE if command is show else "")
        command.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Show, or turn."""
    place_of(options)
    if options.control_command == "set" and not options.reason.strip():
        raise SettingsError("no_reason", "--reason: say why; it is kept with the setting")
    turns = options.control_command == "set"
    with closing(existing_store(options.store, create=turns and options.create)) as store:
        switch = KillSwitch(store)
        return _set(switch, options) if turns else _show(switch, options)


def _set(switch: KillSwitch, options: argparse.Namespace) -> int:
    reason = visible(options.reason.strip(), MAX_REASON)
    setting = Setting(mode=Mode(options.mode), reason=reason, by=visible(options.by, MAX_REASON), at=utc_now())
    control = switch.set(setting, place_of(options))
    if options.format == "json":
        print(json.dumps({"store": address(options.store), **_facts(key_of(place_of(options)), control)}, indent=2))
    else:
        print(f"{control_line(control)}\n{_place(options)}")
    if control.mode == Mode.DISABLED:
        print("scc-responder: what is held until then can be resumed; see `case resume --help`", file=sys.stderr)
    return 0


def _show(switch: KillSwitch, options: argparse.Namespace) -> int:
    place = place_of(options)
    wanted = {GLOBAL, *map(key_of, enclosing(place))}
    documents = {key: control for key, control in switch.documents() if not place or key in wanted}
    limit = switch.ceiling(place)
    if options.format == "json":
        listed = [_facts(key, control) for key, control in documents.items()]
        told = {"store": address(options.store), "mode": str(limit.mode), "reason": limit.reason, "documents": listed}
        print(json.dumps(told, indent=2))
    else:
        print(_place(options))
        print(f"{'now':10} {visible_lines(ceiling_text(limit))}")
        for key, control in documents.items():
            print("\n".join(_lines(key, control)))
    return 1 if None in documents.values() else 0


def _place(options: argparse.Namespace) -> str:
    return f"{'store':10} {visible_lines(address(options.store))}"


def _lines(key: str, control: Control | None) -> Iterator[str]:
    if control is None:
        yield f"{styled('dry_run', 'red')}    {key}: the document makes no sense; set it anew"
        return
    yield control_line(control)
    yield from (visible_lines(f"{'':13}before: {before.mode} {setting_text(before)}") for before in control.history)


def _facts(key: str, control: Control | None) -> dict[str, Any]:
    return {"key": key, "control": msgspec.to_builtins(control)}
