"""List and show cases, and answer a plan that waits for a person.

A policy in mode `approve` does nothing to its target by itself: it publishes the exact plan, and waits. To answer it:

  scc-responder case list --state waiting       what waits, and for how long still
  scc-responder case show CASE                  exactly what would be done, to what, and the plan's digest
  scc-responder case approve CASE --plan DIGEST do it now: this plan and no other, once
  scc-responder case reject CASE --reason WHY   do not do it; who and why is kept

`list` and `show` read a store: a file on this machine, or Firestore as who you are to Google. `approve` and `reject`
ask the function (--url); away from this machine it wants a Google ID token that proves who you are, in a file
(--token-file) or in SCC_RESPONDER_ID_TOKEN:

  gcloud auth print-identity-token --impersonate-service-account=SA --audiences=URL --include-email > token

SA is your own service account, which guardrails.yaml lists; URL is what --url gets, as the message that waits says it.

All that is known of a case, for people who were not there: what ran and where, whose it is, what was done and why not
the rest, with links and the commands to type next; as text, Markdown, a page to print, or JSON:

  scc-responder case report CASE --format html --output case.html

The same for other programs, one JSON object a line: a timeline for Timesketch, or incident and remediations in OCSF:

  scc-responder case export CASE --format timesketch --output case.jsonl

`case list --node NODE` says why a node is cordoned, and what else was found on it; `--since 2h` lists what changed in
the last two hours; `--watch` shows it anew every few seconds. `--incidents` puts together the cases of one incident:
about one pod, one workload, or one service account that acted, while no hour lies between two events.

What the kill switch held goes on by itself when `control set` lets it, while the finding is young enough. Any case that
is not done is tried again, whatever its age, by the next sweep that reaches it. Without --apply it only says what would
be tried; --policy names the cases of which a policy just held or rehearsed something:

  scc-responder case resume CASE
  scc-responder case resume CASE --apply
  scc-responder case resume --policy contain-miner --since 2h --apply

What a case did is taken back as the identity of undo (docs: terraform/docs/on-call.md); without --apply it only says
what would be, and why not all. Frozen processes go on where terraform/kubernetes/undo/forensic is applied, too:

  scc-responder case undo CASE --settings responder.env
  scc-responder case undo CASE --settings responder.env --apply --reason "INC-1: a load test"
  scc-responder case undo --expired --settings responder.env --apply    nodes whose cordon has had its time

Where several revisions of a Cloud Run service may be meant, a person chooses; what is planned then is for that one:

  scc-responder case resume CASE --revision checkout-00042-abc

By `do`, a step that a limit, a breaker or its age held becomes a plan, which listed people approve as any other. By
`exempt`, one threat on one workload is let be for some hours: evidence and messages go on, nothing is changed.

  scc-responder case do CASE isolate_pod --reason "the attack is real"
  scc-responder case exempt CASE --for 24h --reason "a load test"

Say afterwards whether what was done was right. One wrong act that cannot be undone, or two wrong isolations in two
namespaces, let the policy ask a person first in that cluster, until one raises it (`control clear --policy`):

  scc-responder case mark CASE wrong --reason "a backup job"

Whether a copy of a case's evidence is what was stored, offline; 0 if it is, 1 if anything is not:

  scc-responder case verify CASE --bundle FOLDER --key PUBLIC.pem

Whether the case's record is what was written, by its hash chain and by what the log says of it:

  scc-responder case verify CASE --store STORE --log EXPORT.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from scc_responder.cli.case import case_text
from scc_responder.cli.case.case_levers import ask_step, do_options, exempt_case, exempt_options
from scc_responder.cli.case.listing import list_cases, list_options, show_case
from scc_responder.cli.case.marking import mark_case, mark_options
from scc_responder.cli.case.odd_records import oddity, remedy_for, tell_unreadable
from scc_responder.cli.case.report import FORMS, report_case, report_options
from scc_responder.cli.case.reports.export import EXPORTS, export_case, export_options
from scc_responder.cli.case.resuming import resume_cases, resume_options
from scc_responder.cli.case.undo import undo, undo_options
from scc_responder.cli.case.verification import verification_options, verify
from scc_responder.cli.terminal.existing_store import store_option
from scc_responder.cli.terminal.settings_file import TOKEN, id_token
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import ODD
from scc_responder.entrypoint.console.answer_client import send
from scc_responder.journal.plan import MIN_DIGEST

_URL = "http://127.0.0.1:8080"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the commands under `case`."""
    commands = parser.add_subparsers(dest="case_command", metavar="COMMAND", required=True)
    for name, (text, declare, run_command) in _COMMANDS.items():
        command = commands.add_parser(name, help=text)
        declare(command)
        forms = {"report": FORMS, "export": EXPORTS}.get(name, ("text", "json"))
        command.add_argument("--format", choices=forms, default=forms[0], help="what to print")
        command.set_defaults(run_case_command=run_command)


def _show_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("case", metavar="CASE", help="the case's id, or the first digits of it")
    incident = "say also which other cases are of its incident: reads all cases of the store, as `case report` does"
    command.add_argument("--incident", action="store_true", help=incident)
    store_option(command)


def _approve_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--plan", required=True, metavar="DIGEST", help=f"its digest, or the first {MIN_DIGEST} digits or more of it"
    )
    command.add_argument("--reason", default="", help="why, in your words")
    _asking(command)


def _reject_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, metavar="WHY", help="why not, in your words: the case keeps them")
    command.add_argument("--plan", default="", metavar="DIGEST", help="only if it is this plan")
    _asking(command)


def run(options: argparse.Namespace) -> int:
    """Run the command under `case`. A record that it cannot go by is named, with what to do."""
    try:
        return int(options.run_case_command(options))
    except RetryableError as error:
        if not remedy_for(error.reason):
            raise
        tell_unreadable(_asked_for(options), error.reason, str(error))
    except ODD as error:
        tell_unreadable(_asked_for(options), Reason.RECORD_UNREADABLE, oddity(error))
    return 1


def _asked_for(options: argparse.Namespace) -> str:
    """The case that the command is about, as it was given; of several the error names the one."""
    return visible_lines(getattr(options, "case", "") or "one of the store")


def _asking(command: argparse.ArgumentParser) -> None:
    command.add_argument("case", metavar="CASE", help="the case's id: 12 digits, as the message says them")
    command.add_argument("--url", default=_URL, help=f"the function's address (default: {_URL})")
    command.add_argument(
        "--token-file", type=Path, metavar="FILE", help=f"a file with your Google ID token (default: ${TOKEN})"
    )


def _answer(options: argparse.Namespace) -> int:
    """Send the answer; 0 if it was taken, else 1."""
    token = id_token(options.token_file)
    body = {"case": options.case, "plan": options.plan, "reason": options.reason}
    answer = send(options.url, options.case_command, body, token)
    asked = options.case_command, options.case, options.plan
    taken, begun = answer.says(*asked), answer.says_begun(*asked)
    if options.format == "json":
        told = {"case": options.case, "answer": options.case_command, "taken": taken, "status": answer.status}
        print(json.dumps(told | ({"begun": True} if begun else {}) | ({"reason": answer.reason} if taken else {})))
    else:
        verb, name = options.case_command, visible_lines(options.case)
        reason = visible_lines(answer.reason)
        text = case_text.answered(
            verb, name, answer.status, taken=taken, begun=begun, reason=reason, untold=answer.is_untold
        )
        print(f"scc-responder: {text}", file=sys.stdout if taken else sys.stderr)
    return 0 if taken else 1


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]] = {
    "list": ("list cases, those that need a person first", list_options, list_cases),
    "show": ("show one case: its plan exactly, its steps, and how to answer", _show_options, show_case),
    "report": ("say all that is known of a case, with links and commands", report_options, report_case),
    "export": ("write a case as a timeline, or as events of OCSF", export_options, export_case),
    "approve": ("let the plan that waits be carried out now, once", _approve_options, _answer),
    "reject": ("do not let the plan that waits be carried out", _reject_options, _answer),
    "do": ("ask for a step that a limit, a breaker or its age held; listed people approve", do_options, ask_step),
    "exempt": ("let this threat on this workload be, for some hours", exempt_options, exempt_case),
    "mark": ("say whether what was done was right: wrong acts lower their policy", mark_options, mark_case),
    "resume": ("have a case tried again, whatever end it came to but done", resume_options, resume_cases),
    "verify": ("check a case's record, and a copy of its evidence", verification_options, verify),
    "undo": ("say what of a case can be taken back, or take it back", undo_options, undo),
}
"""Each command under `case`: its help, what declares its options, and what runs it."""
