"""`case undo`: what a case did, taken back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from shlex import quote

import msgspec

from scc_responder.cli.case.case_levers import exempt_first, exempt_text
from scc_responder.cli.case.odd_records import report_unreadable
from scc_responder.cli.case.undo_expired import undo_expired
from scc_responder.cli.case.undo_lines import MAX_SAID, undo_facts, undo_lines
from scc_responder.cli.terminal.existing_store import SETTING, existing_store
from scc_responder.cli.terminal.settings_file import settings_environment
from scc_responder.cli.terminal.terminal import user_name, visible_lines
from scc_responder.domain.errors import RetryableError, SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.domain.text import visible
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.pipeline.undo.undo import Undo, Undone
from scc_responder.settings import read_settings
from scc_responder.workbench.undo.undo_services import UNDO_IDENTITY, UndoServices


def undo_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case undo`."""
    command.add_argument("case", nargs="?", default="", metavar="CASE", help="the case's id, as `case list` says it")
    over = "instead: uncordon each node whose cordon has a time (release_after) that is over; for a scheduler, too"
    command.add_argument("--expired", action="store_true", help=over)
    command.add_argument("--apply", action="store_true", help="do it; without it nothing is changed")
    command.add_argument(
        "--only", action="store_true", help="this case alone: other cases of its pod go on isolating the pod"
    )
    told = "let the case's threat on its workload be for this time, such as 24h; 72h at most; with --apply and --reason"
    command.add_argument("--exempt", dest="length", default="", metavar="TIME", help=told)
    command.add_argument("--reason", default="", metavar="TEXT", help="why, in your words; the case keeps them")
    command.add_argument("--by", default=user_name(), help="who takes it back")
    command.add_argument("--settings", metavar="FILE", help="NAME=VALUE lines, in place of the environment's")
    command.add_argument(
        "--store", metavar="STORE", help=f"the function's store (default: ${SETTING}, as the settings)"
    )


def undo(options: argparse.Namespace) -> int:
    """Say what would be taken back, or take it back. 0 if all of it can be or was, else 1."""
    if bool(options.case) == options.expired or (options.expired and (options.only or options.length)):
        raise SettingsError("invalid_arguments", "case undo: give a case, or --expired without --only and --exempt")
    environment = settings_environment(options.settings)
    if options.store:
        is_address = FIRESTORE_ADDRESS.fullmatch(options.store) or options.store.startswith("sqlite:")
        environment[SETTING] = options.store if is_address else f"sqlite:///{Path(options.store).absolute()}"
    try:
        settings = read_settings(environment, Path("policies"))
    except SettingsError as error:
        told = f"{error}. Undo goes by the deployment's settings: name their file with --settings"
        raise error if options.settings else SettingsError(error.reason, told) from error
    identity = environment.get(UNDO_IDENTITY, "")
    with (
        closing(existing_store(settings.store)) as store,
        closing(UndoServices(settings, store, identity)) as services,
    ):
        if options.expired:
            return undo_expired(services, options)
        key = services.journal.find(options.case)
        if key is None:
            text = f"case {options.case}: {Reason.NO_SUCH_CASE}: {Reason.NO_SUCH_CASE.meaning}"
            print(f"scc-responder: {visible_lines(text)}", file=sys.stderr)
            return 1
        asked = Undo(services, key, only=options.only, by=options.by, said=visible(options.reason, MAX_SAID))
        code = report_unreadable(asked.unreadable)
        exempt = exempt_first(options, store, key) if options.length else None
        if exempt and options.apply and options.format == "text":
            # Now: it stands, also where nothing can be taken back.
            print(visible_lines(exempt_text(exempt)))
        try:
            undone = asked.apply() if options.apply else asked.look()
            if asked.is_open_again and not any(each.item.inverse for each in undone):
                return _end_opening(asked, options)
        except RetryableError as error:
            print(f"scc-responder: case {case_id(key)}: {error.reason}: {visible_lines(str(error))}", file=sys.stderr)
            return 1
    _show(asked, undone, options, exempt)
    return code if undone and all(each.is_good for each in undone) else 1


def _end_opening(asked: Undo, options: argparse.Namespace) -> int:
    """Take back that a person opened the case, where nothing else can be; or say that this waits."""
    if options.apply:
        asked.end_opening()
    if options.format == "json":
        print(json.dumps({"case": options.case, "applied": options.apply, "opening": True, "steps": []}, indent=2))
        return 0
    told = "is taken back: no sweep tries it" if options.apply else "waits for the next sweep, which tries it again"
    print(f"case {visible_lines(options.case)}: nothing was done that can be undone. The opening {told}")
    if not options.apply:
        print(f"\nNothing was changed. To take the opening back: {visible_lines(_command(options))}")
    return 0


def _show(asked: Undo, undone: Sequence[Undone], options: argparse.Namespace, exempt: TimedExemption | None) -> None:
    if options.format == "json":
        told = {"case": options.case, "applied": options.apply, "cases": asked.cases}
        told |= {"exemption": msgspec.to_builtins(exempt)} if exempt else {}
        print(json.dumps({**told, "steps": [*map(undo_facts, undone)]}, indent=2))
        return
    print("\n".join(undo_lines(asked.cases, undone)))
    if not options.apply and any(each.is_good and each.item.inverse for each in undone):
        print(f"\nNothing was changed. To do it: {visible_lines(_command(options))}")


def _command(options: argparse.Namespace) -> str:
    """The same command with `--apply`, to copy."""
    given = {"settings": options.settings, "store": options.store, "exempt": options.length, "reason": options.reason}
    words = [f"--{name} {quote(value)}" for name, value in given.items() if value]
    return " ".join(["scc-responder case undo", options.case, *(["--only"] if options.only else ()), *words, "--apply"])
