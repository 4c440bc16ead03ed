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

One policy, namespace or workload alone may be lowered for some hours. It ends by itself, or by `clear`:

  scc-responder control set dry_run --policy isolate-crypto-mining --for 2h --reason "INC-3" --store ...
  scc-responder control set dry_run --namespace shop --for 2h --reason "INC-3" --store ...
  scc-responder control set approve --workload projects/P/locations/L/clusters/C/shop/Deployment/web --for 2h ...
  scc-responder control clear --namespace shop --reason "INC-3 is over" --store ...
  scc-responder control clear --exemption CASE --reason "it was an attack" --store ...

A policy whose first acts in a cluster were refused, as they did not fit the limits, stands in `show`; so does one whose
acts people called wrong (`case mark`). To let it act again:

  scc-responder control clear --policy NAME --cluster projects/P/locations/L/clusters/C --reason ... --store ...

The answer names the store: the switch of another one than the function's stops nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.terminal.existing_store import STORE, address, existing_store, store_option
from scc_responder.cli.terminal.kill_switch_text import (
    ceiling_text,
    control_line,
    first_shot_line,
    setting_text,
    timed_lines,
)
from scc_responder.cli.terminal.place_options import place_of, place_options
from scc_responder.cli.terminal.policy_folder import USUAL_FOLDER
from scc_responder.cli.terminal.terminal import styled, user_name, visible_lines
from scc_responder.cli.terminal.timed_options import (
    LONGEST_CEILING,
    length_of,
    length_option,
    timed_ceiling,
    timed_key,
    timed_options,
)
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.domain.store import CasStore
from scc_responder.domain.text import visible
from scc_responder.guard.kill_switch import GLOBAL, Control, Setting, enclosing, key_of
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.persons_levers import clear
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.timed.timed_levers import limit
from scc_responder.guard.trust.error_budget import ENVIRONMENTS
from scc_responder.guard.trust.refused_shots import let_policy_act, refused_shots
from scc_responder.workbench.policy_files.shipped_pack import policy_sources

MAX_REASON = 500


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `control`."""
    commands = parser.add_subparsers(dest="control_command", metavar="COMMAND", required=True)
    show = commands.add_parser("show", help="the switch, everywhere and by place; 1 if a document makes no sense")
    turn = commands.add_parser("set", help="turn it; it counts from the next step on")
    turn.add_argument("mode", choices=[str(mode) for mode in Mode], help="how far anything may go")
    turn.add_argument("--reason", required=True, metavar="TEXT", help="why, in your words; it is kept")
    turn.add_argument("--by", default=user_name(), help="who turns it")
    turn.add_argument("--create", action="store_true", help="the store may be new: before the function's first start")
    ending = commands.add_parser("clear", help="end what `set --for` or `case exempt` began, or what holds a policy")
    ending.add_argument("--reason", required=True, metavar="TEXT", help="why, in your words; it is kept")
    ending.add_argument("--by", default=user_name(), help="who ends it")
    ending.add_argument("--environment", default="", metavar="NAME", help="with --policy: where its budget is spent")
    timed_options(turn)
    length_option(turn, "7d")
    timed_options(ending).add_argument(
        "--exemption", default="", metavar="CASE", help="the exemption made by this case"
    )
    for command in (show, turn, ending):
        place_options(command, "this project alone: its clusters, and what it runs on Cloud Run")
        # To turn the switch of another store than the function's stops nothing.
        store_option(command, fallback=STORE if command is show else "")
        command.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Show, turn, or end what stands for a while."""
    place_of(options)
    if options.control_command != "show" and not options.reason.strip():
        raise SettingsError("no_reason", "--reason: say why; it is kept with the setting")
    runs = {"show": _show, "set": _set, "clear": _clear}
    with closing(existing_store(options.store, create=getattr(options, "create", False))) as store:
        return runs[options.control_command](store, options)


def _set(store: CasStore, options: argparse.Namespace) -> int:
    switch = SwitchDocuments(store)
    reason = visible(options.reason.strip(), MAX_REASON)
    setting = Setting(mode=Mode(options.mode), reason=reason, by=visible(options.by, MAX_REASON), at=utc_now())
    key = timed_key(options)
    if key:
        return _set_timed(store, options, timed_ceiling(key, setting, length_of(options, LONGEST_CEILING), setting.at))
    if options.length:
        raise SettingsError("invalid_duration", "--for: only with --policy, --namespace or --workload")
    is_address = FIRESTORE_ADDRESS.fullmatch(options.store) and not options.create
    if is_address and not store.scan("case/", limit=1).entries:
        # A file has to be there. Any address of a collection is: a slip in it would stop nothing, and look as if.
        told = "no function has kept a case here yet. If this is not the function's store, its switch stops nothing"
        print(f"scc-responder: warning: {options.store}: {told}", file=sys.stderr)
    control = switch.set(setting, place_of(options))
    if options.format == "json":
        print(json.dumps({"store": address(options.store), **_facts(key_of(place_of(options)), control)}, indent=2))
    else:
        print("\n".join([control_line(control), _place(options), *_lower(switch, control)]))
    if control.mode == Mode.DISABLED:
        print("scc-responder: what is held until then can be resumed; see `case resume --help`", file=sys.stderr)
    return 0


def _lower(switch: SwitchDocuments, control: Control) -> Iterator[str]:
    """What stays lower than a setting for everywhere: each place has a switch of its own."""
    others = [other for _, other in switch.documents() if other and not control.cluster]
    lower = [other for other in others if capped(other.mode, control.mode) != control.mode]
    if lower:
        yield "still lower there, until it is set with --cluster or --project:"
        yield from map(control_line, lower)


def _set_timed(store: CasStore, options: argparse.Namespace, ceiling: TimedCeiling) -> int:
    control = limit(SwitchDocuments(store), ceiling)
    folder = USUAL_FOLDER
    known = {Path(name).stem for name in policy_sources(folder)} if folder.is_dir() else {ceiling.name}
    if ceiling.scope is TimedScope.POLICY and ceiling.name not in known:
        print(f"scc-responder: warning: {folder} has no policy {ceiling.name}", file=sys.stderr)
    _print_timed(store, options, [item for item in control.timed if item.key == ceiling.key])
    return 0


def _clear(store: CasStore, options: argparse.Namespace) -> int:
    switch = SwitchDocuments(store)
    key, control, now = timed_key(options), switch.read(), _now(store)
    known: list[TimedCeiling | TimedExemption] = [*control.timed, *control.exemptions] if control else []
    case = options.exemption
    if not key and not case:
        raise SettingsError("nothing_named", "give --policy, --namespace, --workload or --exemption")
    keys = _keys(key, options.environment)
    meant = [item for item in known if item.key in keys or (case and getattr(item, "case", "") == case)]
    standing = [item for item in meant if item.until > now]
    by, said = visible(options.by, MAX_REASON), visible(options.reason.strip(), MAX_REASON)
    shots = let_policy_act(store, key[1], key[2], by, said) if key and key[0] is TimedScope.POLICY else []
    if not standing and not shots:
        print("scc-responder: nothing of this stands; see `control show`", file=sys.stderr)
        return 1
    if shots:
        told = f"scc-responder: policy {shots[0].policy} may act in {shots[0].place}; what was held is not done yet"
        print(visible_lines(told), file=sys.stderr)
    left = clear(switch, standing, f"ended by {by}: {said}") if standing else None
    ended: list[TimedCeiling | TimedExemption] = [*left.timed, *left.exemptions] if left else []
    _print_timed(store, options, [item for item in ended if item.key in {item.key for item in standing}])
    return 0


def _keys(key: tuple[TimedScope, str, str] | None, environment: str) -> list[tuple[str, str, str] | None]:
    """What is meant: of a policy what lowers it there by its error budget too, in an environment that alone."""
    if key is None or key[0] is not TimedScope.POLICY:
        return [key]
    budget = TimedScope.ERROR_BUDGET, key[1], f"{ENVIRONMENTS}{environment}" if environment else key[2]
    return [budget] if environment else [key, budget]


def _now(store: CasStore) -> datetime:
    """The store's clock, by which all of this ends; that of the desk may be wrong."""
    entry = store.get(GLOBAL)
    return entry.server_time if entry else utc_now()


def _print_timed(store: CasStore, options: argparse.Namespace, items: Sequence[TimedCeiling | TimedExemption]) -> None:
    if options.format == "json":
        print(json.dumps({"store": address(options.store), "items": msgspec.to_builtins(items)}, indent=2))
    else:
        print("\n".join([*timed_lines(items, _now(store)), _place(options)]))


def _show(store: CasStore, options: argparse.Namespace) -> int:
    switch, place = SwitchDocuments(store), place_of(options)
    shots = [shot for _, shot in refused_shots(store) if place in {"", shot.place}]
    wanted = {GLOBAL, *map(key_of, enclosing(place))}
    documents = {key: control for key, control in switch.documents() if not place or key in wanted}
    lowest, now = switch.ceiling(place), _now(store)
    if options.format == "json":
        listed = [_facts(key, control) for key, control in documents.items()]
        told = {"store": address(options.store), "mode": str(lowest.mode), "reason": lowest.reason, "documents": listed}
        print(json.dumps({**told, "first_shots": msgspec.to_builtins(shots)}, indent=2))
    else:
        print(_place(options))
        print(f"{'now':10} {visible_lines(ceiling_text(lowest))}")
        for key, control in documents.items():
            print("\n".join(_lines(key, control)))
            if control and (lines := [*timed_lines((*control.timed, *control.exemptions), now)]):
                print("\n".join(lines))
        for shot in shots:
            print(first_shot_line(shot))
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
