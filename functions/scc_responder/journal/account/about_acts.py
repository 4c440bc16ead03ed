"""What a case did and did not do, what is felt of it, and what is left to a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from scc_responder.domain.changes import is_reversible, observes_only
from scc_responder.domain.finding import ClusterRef, case_id
from scc_responder.domain.reasons.remedies import Remedy
from scc_responder.domain.resource_names import is_namespace, is_object_name
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.about_target import facts_of, meaning_of, note_in_words
from scc_responder.journal.account.answers import AccountLine, Answer, Command, Question, answer_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import MEANINGS, contained_seconds, containment, instances_unknown, not_contained
from scc_responder.journal.contained import not_undone as standing
from scc_responder.journal.plan import PlanState, felt_of_stored, plan_summary
from scc_responder.journal.step import Step
from scc_responder.journal.to_do import to_do
from scc_responder.journal.watch.looks_due import due_at

_MADE = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE, StepStatus.TERMINATING})
_FELT = {
    "isolate_pod": "whoever calls the pod gets no answer, nor does the pod from others",
    "sever_connections": "the open connections of the pod ended",
    "freeze_process": "the stopped processes answer nobody",
    "detach_pod": "its Services send it nothing; its workload makes another pod",
    "delete_pod": "what the pod was working on ended; its workload makes another pod",
    "evict_pod": "what the pod was working on ended; its workload makes another pod",
    "cordon_node": "no new pod comes to the node",
}
"""What changes are felt as that say nothing of it themselves."""

_TYPED = re.compile(r"[A-Za-z0-9 _./:=,'@+-]{1,1000}", re.ASCII)
"""Commands that a shell takes as they are meant: whoever may write the store could have put any text into a record."""


def about_acts(record: CaseRecord) -> Iterator[Answer]:
    """The last four answers."""
    yield answer_of(Question.DONE, _done(record), f"nothing was done: {meaning_of(record.reason) or record.state}")
    left = [*_not_done(record)] or [AccountLine(name="answer", text="nothing that a policy asked for was left out")]
    yield answer_of(Question.NOT_DONE, left, "")
    yield answer_of(Question.FELT, _felt(record), "")
    yield answer_of(Question.LEFT_TO_DO, _left(record), "")


def account_commands(record: CaseRecord, function_url: str = "") -> Iterator[Command]:
    """What a person may type next, in this order: answer the plan, mend, look, take back."""
    return (command for command in _commands(record, function_url) if _TYPED.fullmatch(command.line))


def _commands(record: CaseRecord, function_url: str) -> Iterator[Command]:
    case = case_id(record.finding_key)
    if _waits(record) and record.plan:
        summary = plan_summary(record.finding_key, record.plan, function_url)
        yield Command(line=summary["to_approve"], why="do exactly what the plan says")
        if lesser := summary.get("to_approve_lesser"):
            yield Command(line=lesser, why="do it without what cannot be undone")
        yield Command(line=summary["to_reject"], why="do not do it")
    for line, remedy in _remedies(record).items():
        yield Command(line=line, why=remedy.meaning)
    yield from _looking(record)
    yield Command(line=f"scc-responder case verify {case}", why="check the record, and a copy of the evidence")
    if _can_be_undone(record):
        yield Command(line=f"scc-responder case undo {case} --settings responder.env", why="say what can be taken back")


def _waits(record: CaseRecord) -> bool:
    return record.plan is not None and record.plan.state is PlanState.WAITING


def _can_be_undone(record: CaseRecord) -> bool:
    return any(is_reversible(step.change) for step in changes_made(record))


def changes_made(record: CaseRecord) -> list[Step]:
    """The steps that changed something, and were not taken back since."""
    made = (step for step in standing(record.current_steps) if step.status in _MADE)
    return [step for step in made if step.change and not observes_only(step.change)]


def _remedies(record: CaseRecord) -> dict[str, Remedy]:
    if record.state not in {CaseState.HELD, CaseState.PARTIAL} or record.word is not None:
        return {}
    return to_do(record.current_steps, case_id(record.finding_key), record.cluster, record.reason)


def _looking(record: CaseRecord) -> Iterator[Command]:
    """Commands that read the target: of the pod only while the case has not ended it."""
    cluster, pod = ClusterRef.parse(record.cluster), record.decision.get("pod") or {}
    if cluster:
        place = f"{cluster.name} --location {cluster.location} --project {cluster.project}"
        yield Command(line=f"gcloud container clusters get-credentials {place}", why="reach the cluster by kubectl")
    name, namespace = str(pod.get("name", "")), str(pod.get("namespace", ""))
    if is_object_name(name) and is_namespace(namespace) and not record.has_ended_pod:
        yield Command(line=f"kubectl get pod {name} --namespace {namespace} --output yaml", why="see the pod as it is")
        containers = (item.name for item in facts_of(record)[0].containers if is_namespace(item.name))
        for container in containers:
            logs = f"kubectl logs {name} --namespace {namespace} --container {container} --timestamps"
            yield Command(line=logs, why="read what the container writes")


def _done(record: CaseRecord) -> Iterator[AccountLine]:
    for step in record.steps:
        if step.status in _MADE:
            policy = f"policy {step.policy}" if step.policy else "a person" if step.undoes else "the responder"
            detail = f"; {step.detail}" if step.detail else ""
            said = f"{_at(step.settled_at)}, by {policy}: {step.status}, {meaning_of(step.reason)}{detail}"
            yield AccountLine(name=step.action, text=said)
    reached = containment(record.current_steps)
    if reached:
        seconds = contained_seconds(record)
        since = "; nobody saw when" if seconds is None else f"; {seconds:.1f} s from event to containment"
        yield AccountLine(name="containment", text=f"{reached}: {MEANINGS[reached]}{since}")
    yield from (
        AccountLine(name="looked", text=f"{_at(look.at)}: {look.summary}")
        for look in (record.watch.looks if record.watch else ())
    )
    for given in record.plan.approvals if record.plan else ():
        yield AccountLine(name="approved", text=f"{_at(given.at)}, by {given.by}")
    if word := record.word:
        yield AccountLine(name=str(word.kind), text=f"{_at(word.at)}, by {word.by or 'nobody named'}: {word.said}")
    if mark := record.mark:
        verdict = "marked wrong" if mark.is_wrong else "marked right"
        yield AccountLine(name=verdict, text=f"{_at(mark.at)}, by {mark.by or 'nobody named'}: {mark.said}")


def _not_done(record: CaseRecord) -> Iterator[AccountLine]:
    for step in record.current_steps:
        if step.status not in _MADE:
            detail = f"; {step.detail}" if step.detail else ""
            yield AccountLine(name=step.action, text=f"{step.status}: {meaning_of(step.reason)}{detail}")
    yield from (AccountLine(name="not contained", text=text) for text in not_contained(record))
    if why := instances_unknown(record, "nobody has counted them since the change"):
        yield AccountLine(name="not known", text=f"whether instances of the revision still run: {why}")
    unseen = record.watch.unseen if record.watch else ()
    yield from (AccountLine(name="no look sees", text=note_in_words(note)) for note in unseen)
    if not record.steps and record.reason:
        yield AccountLine(name="case", text=f"{record.state}: {meaning_of(record.reason)}")


def _felt(record: CaseRecord) -> Iterator[AccountLine]:
    made = {step.action: step for step in changes_made(record)}
    yield from (AccountLine(name=name, text=felt_words(name, [step.change], step)) for name, step in made.items())
    if _waits(record) and record.plan:
        for planned in record.plan.steps:
            yield AccountLine(name=planned.action, text=f"once approved: {felt_words(planned.action, planned.changes)}")
    elif not made:
        text = "what was changed is taken back" if any(step.undoes for step in record.steps) else "nothing was changed"
        yield AccountLine(name="answer", text=f"nothing: {text}")


def felt_words(action: str, changes: Iterable[dict[str, object]], step: Step | None = None) -> str:
    """What people feel of an action by these changes; of a `step` that was made, also what of the threat goes on."""
    told = "; ".join(felt_of_stored(changes)) or _FELT.get(action, "nothing")
    return f"{told}; {step.left}" if step and step.left else told


def _left(record: CaseRecord) -> Iterator[AccountLine]:
    if _waits(record) and record.plan:
        plan = record.plan
        needed = f"{len(plan.approvals)} of {plan.needed} approvals, until {_at(plan.expires_at)}"
        yield AccountLine(name="answer the plan", text=f"{', '.join(step.action for step in plan.steps)}; {needed}")
    yield from (AccountLine(name="first", text=remedy.meaning) for remedy in dict.fromkeys(_remedies(record).values()))
    if due := due_at(record):
        yield AccountLine(name="next look", text=f"{_at(due)}, by the sweep")
    # A message has no list of commands below it.
    told = f"scc-responder case undo {case_id(record.finding_key)} says what can be taken back; --apply does it"
    undo = told if _can_be_undone(record) else "nothing that was done can be taken back, or need be"
    yield AccountLine(name="undo", text=undo)


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "at a time that is not kept"
