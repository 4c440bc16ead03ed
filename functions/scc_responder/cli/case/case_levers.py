"""`case do` and `case exempt`: ask for a step that was held, and let one threat on one workload be for some hours."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from functools import partial

import msgspec

from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.kill_switch_text import timed_name
from scc_responder.cli.terminal.terminal import user_name, visible_lines
from scc_responder.cli.terminal.timed_options import length_of, length_option
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.exempted_case import exempted, exemption_by
from scc_responder.guard.timed.persons_levers import exempt
from scc_responder.guard.timed.timed_exemptions import LONGEST_EXEMPTION, TimedExemption
from scc_responder.journal.journal import Journal
from scc_responder.journal.persons_word import short_words
from scc_responder.workbench.request_for_step import ask_for

_ASKED = "asked for: the next sweep plans it. Then `scc-responder case show {0}` has the plan, and how to approve it"
_EXEMPT = (
    "exempt: {1} until {2}. Evidence and messages go on. "
    "scc-responder control clear --exemption {0} --reason 'WHY' ends it"
)
_WHY: dict[str, str] = {
    Reason.CASE_IN_PROGRESS: "a delivery works on the case: ask again in a minute",
    Reason.PLAN_WAITS: "a plan of the case waits: approve or reject it first",
    Reason.NO_STEP_TO_ASK_FOR: "no limit, breaker or age holds such a step in a policy that acts: see `case show`. "
    "What was only rehearsed, `case resume` tries again",
    Reason.NOTHING_TO_EXEMPT: "the case knows no workload: nothing was decided yet",
}


def do_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case do`."""
    command.add_argument("case", metavar="CASE", help="the case's id, as `case list` says it")
    command.add_argument("step", metavar="STEP", help="the action that is held, as `case show` says it: isolate_pod")
    _saying(command)


def exempt_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case exempt`."""
    command.add_argument("case", metavar="CASE", help="the case's id, as `case list` says it")
    length_option(command, "72h", required=True)
    _saying(command)


def _saying(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, metavar="TEXT", help="why, in your words; it is kept")
    command.add_argument("--by", default=user_name(), help="who asks")
    store_option(command)


def ask_step(options: argparse.Namespace) -> int:
    """Ask for the step; 0 if the case takes it, else 1."""
    by, said = _words(options)
    with closing(existing_store(options.store)) as store:
        journal = Journal(store, utc_now)
        key = journal.find(options.case)
        rule = partial(ask_for, action=options.step, by=by, said=said, now=utc_now())
        reason = journal.apply(key, rule, leaves_line=False)[0].reason if key else Reason.NO_SUCH_CASE
    taken = reason == Reason.ASKED_BY_PERSON
    done = _ASKED.format(case_id(key)) if taken and key else ""
    return _tell(options, key or options.case, reason, done, {"step": options.step})


def exempt_case(options: argparse.Namespace) -> int:
    """Exempt what the case is about; 0 if it is, else 1."""
    by, said = _words(options)
    now = utc_now()
    until = now + length_of(options, LONGEST_EXEMPTION)
    with closing(existing_store(options.store)) as store:
        key = Journal(store, utc_now).find(options.case)
        record = Journal(store, utc_now).read(key) if key else None
        made = exemption_by(record, by=by, said=said, at=now, until=until) if record else None
        if key is None or made is None:
            reason = Reason.NO_SUCH_CASE if key is None else Reason.NOTHING_TO_EXEMPT
            return _tell(options, key or options.case, reason, "", {})
        made = set_exemption(store, key, made)
    return _tell(options, key, Reason.EXEMPTED, exempt_text(made), {"exemption": msgspec.to_builtins(made)})


def exempt_first(options: argparse.Namespace, store: CasStore, key: str) -> TimedExemption:
    """Exempt what `case undo --exempt` is about, before anything is taken back; without `--apply` only what would be.

    Raises SettingsError, StoreError.
    """
    by, said = _words(options)
    now = utc_now()
    until = now + length_of(options, LONGEST_EXEMPTION, "--exempt")
    record = Journal(store, utc_now).read(key)
    made = exemption_by(record, by=by, said=said, at=now, until=until) if record else None
    if made is None:
        raise SettingsError(Reason.NOTHING_TO_EXEMPT, f"--exempt: {_WHY[Reason.NOTHING_TO_EXEMPT]}")
    return _set(store, made) if options.apply else made


def exempt_text(made: TimedExemption) -> str:
    """What is exempt now, until when, and how to end it."""
    return _EXEMPT.format(made.case, timed_name(made), made.until.isoformat(timespec="seconds"))


def set_exemption(store: CasStore, key: str, exemption: TimedExemption) -> TimedExemption:
    """Set the exemption, and end the case with the person's word unless it is worked on; what stands then."""
    stored = _set(store, exemption)
    Journal(store, utc_now).apply(key, partial(exempted, exemption=stored), leaves_line=False)
    return stored


def _set(store: CasStore, exemption: TimedExemption) -> TimedExemption:
    control = exempt(SwitchDocuments(store), exemption)
    return next(item for item in control.exemptions if item.key == exemption.key)


def _words(options: argparse.Namespace) -> tuple[str, str]:
    if not options.reason.strip():
        raise SettingsError("no_reason", "--reason: say why; the case keeps it")
    return short_words(options.by), short_words(options.reason.strip())


def _tell(options: argparse.Namespace, key: str, reason: Reason, done: str, facts: dict[str, object]) -> int:
    """Say what became of it; `done` is empty where it was refused."""
    name = visible_lines(case_id(key))
    if options.format == "json":
        print(json.dumps({"case": name, "taken": bool(done), "reason": reason, **facts}))
    else:
        text = done or f"{reason}: {_WHY.get(reason, reason.meaning)}"
        print(f"scc-responder: case {name}: {visible_lines(text)}", file=sys.stdout if done else sys.stderr)
    return 0 if done else 1
