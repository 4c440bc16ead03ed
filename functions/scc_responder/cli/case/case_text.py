"""Cases as text for a person: what waits, what would be done exactly, and what to type. Every word is made visible."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scc_responder.cli.case.set_back import set_back
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import Remedy
from scc_responder.domain.status import CaseState
from scc_responder.domain.text import visible
from scc_responder.journal.account.about_target import note_in_words
from scc_responder.journal.case import CaseRecord, PersonsMark, PersonsWord
from scc_responder.journal.contained import MEANINGS, contained_seconds, containment, instances_unknown, not_contained
from scc_responder.journal.listed_cases import Unreadable
from scc_responder.journal.plan import (
    AskedStep,
    Plan,
    PlanState,
    PlanStep,
    RequestKind,
    felt_of_stored,
    plan_summary,
)
from scc_responder.journal.step import Step
from scc_responder.journal.to_do import to_do
from scc_responder.journal.watch.looks_due import due_at
from scc_responder.pipeline.delivery_log import worst_step
from scc_responder.workbench.revision_choice import awaits_choice, revision_candidates

_STATES = {
    "waiting": "yellow",
    "open": "blue",
    "done": "green",
    "rehearsed": "blue",
    "partial": "red",
    "held": "red",
    "rejected": "red",
}
_REQUESTED = {
    RequestKind.TRY: "that it is tried again",
    RequestKind.REVISION: "that it is about the revision which was chosen",
    RequestKind.EXEMPTION: "that its plan ends, as it is exempt",
}
"""What a person asked for, beside a step, that is not done yet."""
_LEFT_UNDONE = frozenset({CaseState.HELD, CaseState.PARTIAL})
_URGENT = (CaseState.WAITING, CaseState.PARTIAL, CaseState.HELD)
_STATUSES = {"done": "green", "waiting": "yellow", "held": "yellow", "failed": "red", "skipped": "dim"}
_UNSAID = (
    "not known to be taken: what answered does not say what it did. Is --url the function's own, without a path, and "
    "not of an earlier version? See `case show CASE`"
)
_ANSWERS = {
    400: "refused: the case or digest is malformed (see `case show CASE`), or the reason has more than 2,000 letters",
    403: "refused: you are no approver in guardrails.yaml, or did not prove who you are; the function's log says which",
    404: "refused: no such address; is --url the function's own, without a path?",
    405: "refused: there is something else at this address; is --url the function's own, without a path?",
    401: "refused before it reached the function: give an ID token with --token-file, of who may invoke it",
    409: "refused: its plan was answered, expired or changed, or somebody works on the case. See `case show CASE`",
    503: "not taken: the case is being worked on, or something did not answer. Ask again in a minute",
}


def urgency(state: CaseState) -> int:
    """The place of a case in a list, by its state: those that need a person come first."""
    return _URGENT.index(state) if state in _URGENT else len(_URGENT)


def case_list(records: Sequence[CaseRecord], now: datetime, unreadable: Sequence[Unreadable] = ()) -> Iterator[str]:
    """One line for each case; those that cannot be read last."""
    if not records and not unreadable:
        yield "There are no such cases."
    width = max([11, *(len(record.state) + 2 for record in records)])
    for record in records:
        state = styled(f"{record.state:<{width}}", _STATES.get(record.state, "dim"))
        left = _left(record.plan, now) if record.plan and record.state is CaseState.WAITING else _why(record)
        word = record.word.kind if record.word and record.word.until and record.word.until > now else ""
        note = ", ".join(filter(None, (containment(record.current_steps), left, word)))
        about = "  ".join(filter(None, (visible(record.category), visible(_where(record)), styled(note, "dim"))))
        yield f"{case_id(record.finding_key)}  {state}{about}".rstrip()
    for item in unreadable:
        state, why = styled(f"{'unreadable':<{width}}", "red"), visible(f"{item.reason}: {item.why}")
        yield f"{visible(case_id(item.finding_key))}  {state}{styled(why, 'dim')}"


def _why(record: CaseRecord) -> str:
    """Why the case stands as it does: where something was planned, what of that was not done, if anything."""
    if record.reason != Reason.PLANNED:
        return record.reason
    worst = worst_step(record)
    return worst.reason if worst else ""


def _where(record: CaseRecord) -> str:
    """The pod, or the service or job, that the case is about; empty where none was read."""
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    return f"{pod.get('namespace')}/{pod.get('name')}" if pod else str(run.get("name", "")).rpartition("/")[2]


def case(record: CaseRecord, now: datetime) -> Iterator[str]:
    """One case in full."""
    yield styled(record.category or record.finding_name, "bold")
    yield _fact("case", case_id(record.finding_key))
    yield _fact("finding", record.finding_name)
    yield _fact("state", " ".join(part for part in (str(record.state), _why(record)) if part))
    if reached := containment(record.current_steps):
        seconds = contained_seconds(record)
        since = "" if seconds is None else f"; {seconds:.1f} s from event to containment"
        yield _fact("threat", f"{reached}: {MEANINGS[reached]}{since}")
    for lacking in not_contained(record):
        yield _fact("open", f"not contained: {lacking}")
    if why := instances_unknown(record, "nobody has counted them since the change"):
        yield _fact("unknown", f"whether instances of the revision still run: {why}")
    yield from _said_by_people(record)
    yield from _looks(record)
    pod = record.decision.get("pod") or {}
    if pod:
        yield _fact("pod", f"{pod.get('namespace')}/{pod.get('name')}, UID {pod.get('uid')}, on {pod.get('node')}")
    yield from _on_cloud_run(record)
    if record.plan:
        yield from _plan(record, record.plan, now)
    yield from _to_do(record)
    if record.steps:
        yield ""
        yield styled("Steps", "bold")
        yield from map(_step, record.steps)
        yield from _set_back(record.current_steps)
    yield from _taken_back(record)


def _said_by_people(record: CaseRecord) -> Iterator[str]:
    """What a person said of what was done, and the word by which a person ended the case: who, when and why."""
    if mark := record.mark:
        yield _fact("marked", f"{'wrong' if mark.is_wrong else 'right'} {_by(mark)}")
    if word := record.word:
        until = f", until {word.until:%Y-%m-%d %H:%M} UTC" if word.until else ""
        yield _fact("word", f"{word.kind} {_by(word)}{until}")
    if record.request and record.request.kind in _REQUESTED:
        at = f"{record.request.at:%Y-%m-%d %H:%M} UTC"
        yield _fact("asked", f"{_REQUESTED[record.request.kind]}, {at}. The next sweep does it")
    if record.asked and not (record.plan and record.plan.asked):
        yield _fact("asked", f"{_asked(record.asked)}. The next sweep plans it")


def _asked(step: AskedStep) -> str:
    return f"{step.action}, which {step.reason} held, by {step.by}: {step.said}"


def _by(spoke: PersonsWord | PersonsMark) -> str:
    return f"by {spoke.by or 'nobody named'}, {spoke.at:%Y-%m-%d %H:%M} UTC{f': {spoke.said}' if spoke.said else ''}"


def _to_do(record: CaseRecord) -> Iterator[str]:
    """What a person can do about what was held or failed: what first, and then which command."""
    if record.state not in _LEFT_UNDONE or record.word is not None:
        return
    commands = to_do(record.current_steps, case_id(record.finding_key), record.cluster, record.reason)
    if commands:
        yield ""
        yield styled("To do", "bold")
    for command, remedy in commands.items():
        yield f"  {styled(remedy.meaning, 'dim')}"
        if remedy is not Remedy.BY_HAND:
            yield f"    {visible(command)}"


def _looks(record: CaseRecord) -> Iterator[str]:
    """What the looks saw, and when the next one is."""
    if record.watch is None:
        return
    for look in record.watch.looks:
        yield _fact("looked", f"{look.at:%Y-%m-%d %H:%M:%S} UTC: {look.summary}")
    if due := due_at(record):
        yield _fact("next look", f"{due:%Y-%m-%d %H:%M:%S} UTC")
    yield from (_fact("unseen", note_in_words(note)) for note in record.watch.unseen)


def _on_cloud_run(record: CaseRecord) -> Iterator[str]:
    """The service or job, and between which revisions a person has to choose."""
    if run := record.decision.get("cloud_run"):
        meant = f", {run['meant']}" if run["meant"] else ""
        yield _fact(run["kind"], f"{run['name']}{meant}, UID {run['uid']}")
        yield from _executions(record, run)
    names = ", ".join(revision_candidates(record))
    if names and awaits_choice(record):
        command = f"scc-responder case resume {case_id(record.finding_key)} --revision NAME"
        yield _fact("choose", f"one of {names}: {command}")


def _executions(record: CaseRecord, run: Mapping[str, Any]) -> Iterator[str]:
    """Which executions of the job may be meant, and how a person cancels those that no step of ours does."""
    if several := record.decision.get("identity", {}).get("checks", {}).get("one_execution_of"):
        yield _fact("meant", f"one of {several}")
    name = RunName.parse(run["name"])
    if name:
        where = f"--region {name.location} --project {name.project}"
        cancel = "gcloud run jobs executions cancel"
        yield from (_fact("by hand", f"{cancel} {other} {where}") for other in run.get("running", ()))


def answered(
    verb: str, case_name: str, status: int, *, taken: bool, begun: bool = False, reason: str = "", untold: bool = False
) -> str:
    """The result of an answer. `taken`: the function said so, and its `reason`; `begun`: it is not finished.

    `untold`: nobody can tell whether it was taken.
    """
    if begun:
        return f"{case_name}: begun, not finished: the sweep goes on. See `scc-responder case show {case_name}`"
    if taken and verb == "approve":
        known = Reason.read(reason)
        if known and known.word is Reason.MODE_LOWERED_BY:
            return (
                f"{case_name}: approval taken; it waits ({reason}): see `scc-responder control show`. A sweep goes on"
            )
        return f"{case_name}: approval taken. `scc-responder case show {case_name}` says what came of it"
    if taken:
        return f"{case_name}: rejected; nothing of the plan is done"
    told = _UNSAID if untold else _ANSWERS.get(status, f"not taken: the function answered {status}")
    return f"{case_name}: {told}"


def _plan(record: CaseRecord, plan: Plan, now: datetime) -> Iterator[str]:
    yield ""
    yield f"{styled('Plan', 'bold')}  {styled(plan.digest, 'dim')}"
    if plan.after:
        yield _fact("new", f"the plan before it is void: {plan.after}")
    if plan.asked:
        yield _fact("asked", _asked(plan.asked))
    yield _fact("approved", f"{len(plan.approvals)} of {plan.needed} needed{_names(plan)}")
    ended = " ".join(part for part in (str(plan.state), plan.reason, plan.by and f"by {plan.by}", plan.said) if part)
    yield _fact("expires", _left(plan, now)) if plan.state is PlanState.WAITING else _fact("ended", ended)
    for number, step in enumerate(plan.steps, start=1):
        yield from _planned(number, step)
    summary = plan_summary(record.finding_key, plan)
    if plan.state is PlanState.WAITING and now < plan.expires_at:
        yield ""
        yield f"To do exactly this:  {summary['to_approve']}"
        if lesser := summary.get("to_approve_lesser"):
            yield f"To do less of it, with nothing that cannot be undone:  {lesser}"
        yield f"Not to do it:        {summary['to_reject']}"


def _planned(number: int, step: PlanStep) -> Iterator[str]:
    yield f"  {number}. {styled(step.action, 'bold')}  {styled(f'asked for by policy {step.policy}', 'dim')}"
    for change in step.changes:
        details = {key: value for key, value in change.items() if value not in ("", {}, None)}
        yield f"       {visible(', '.join(f'{key} {_value(value)}' for key, value in details.items()))}"
    yield from (f"       {styled('felt', 'dim')} {visible(words)}" for words in felt_of_stored(step.changes))


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


def _names(plan: Plan) -> str:
    return f": {', '.join(f'{given.by} at {given.at:%H:%M:%S}' for given in plan.approvals)}" if plan.approvals else ""


def _left(plan: Plan, now: datetime) -> str:
    minutes = int((plan.expires_at - now).total_seconds() // 60)
    return f"expires in {minutes} min, at {plan.expires_at:%H:%M:%S} UTC" if minutes >= 0 else "expired"


def _step(step: Step) -> str:
    status = styled(f"{step.status:<13}", _STATUSES.get(step.status, "red"))
    policy = "by a person" if step.undoes else step.policy or "the responder"
    detail = f"  {step.detail}" if step.detail else ""
    return f"  {visible(step.action):<17} {status}{styled(f'{step.reason}{detail}', 'bold')}  {styled(policy, 'dim')}"


def _taken_back(record: CaseRecord) -> Iterator[str]:
    """What a person took back before the case was opened again, and by whose word."""
    for closing in record.history:
        if closing.taken_back:
            word = f"{closing.word.kind} {_by(closing.word)}" if closing.word else ""
            yield ""
            yield f"{styled('Taken back before', 'bold')}  {styled(visible(word), 'dim')}".rstrip()
            yield from map(_step, closing.taken_back)


def _set_back(steps: Sequence[Step]) -> Iterator[str]:
    """What was before each change of Cloud Run, and how a person sets it back."""
    for number, item in enumerate(set_back(steps)):
        if not number:
            yield ""
            yield styled("To set it back by hand, the last change first", "bold")
        yield f"  {visible(item.action):<17} {visible(f'before: {item.before}')}"
        yield from (f"    {visible(line)}" for line in item.lines)


def _fact(name: str, text: str) -> str:
    return f"  {styled(f'{name:<9}', 'dim')} {visible(text)}"
