"""The texts about a finding in the log and in its case; notices to people are in `notices.py`. Pure.

The stored document is the case itself (`case.py`). Text that an attacker could have written was made harmless where it
entered (`text.py`), and is JSON-encoded here as ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import msgspec

from scc_responder.actions import actions
from scc_responder.domain.cloud_run.running_executions import MOST_RUNNING_NAMED, others_running
from scc_responder.domain.context import Context, IdentityLevel
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.text import ascii_json
from scc_responder.domain.value import Value
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.account.incident_keys import workload_uid
from scc_responder.journal.account.owner import subject_of
from scc_responder.journal.plan import felt
from scc_responder.journal.step import Step
from scc_responder.policy.decide import Decision

_TROUBLE = frozenset({StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.INTENT})
_SHORT = frozenset(
    {StepStatus.HELD, StepStatus.NOT_EFFECTIVE, StepStatus.TERMINATING, StepStatus.NOT_POSSIBLE, StepStatus.OVERRIDDEN}
)
_STALE = frozenset({StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED})
_REHEARSED = _STALE | {
    StepStatus.DRY_RUN,
    StepStatus.HELD,
    StepStatus.SKIPPED,
    StepStatus.FAILED,
    StepStatus.NOT_POSSIBLE,
    StepStatus.TERMINATING,
}
"""Outcomes of a change by a policy in `dry_run`: nothing was changed, whatever the rehearsal met."""


UNANSWERED = {CaseState.NOTHING_MATCHED: Reason.NO_POLICY_MATCHED, CaseState.TARGET_ABSENT: Reason.TARGET_ABSENT}
"""Ends without any answer to the threat, with the reason to say."""


class Ending(Value, frozen=True, kw_only=True):
    """How one delivery ended. `status` is the HTTP status: 204 settled, 503 to be delivered again.

    `body` is what a person's answer is answered with where it was taken: `answered_body`. With 503, it is not finished.
    To a console it is also `refused_body`.
    """

    status: int
    reason: str
    severity: str = "INFO"
    body: str = ""


def answered_body(verb: str, case: str, plan: str, reason: str, lines: str = "") -> str:
    """The JSON that says what was done with an answer (such as `approve`), to which case and plan digest.

    `lines` say more, for a person.
    """
    said = {"answer": verb, "case": case, "plan": plan, "reason": reason}
    return ascii_json({**said, "lines": lines} if lines else said).decode()


def refused_body(verb: str, reason: str) -> str:
    """The JSON that says why an answer was not taken, without saying anything of the case."""
    return ascii_json({"refused": verb, "reason": reason}).decode()


def conclusion(steps: Iterable[Step], modes: Mapping[str, str]) -> CaseState:
    """The case's end state, computed from outcomes alone: no error can end as a success.

    `modes` are those of the policies that matched, by their names.
    Notifications and evidence alone do not count as a response. While a step waits for a person, so does the case;
    while a sweep has to go on with a step, it stays open. What a policy in `dry_run` would change is a
    rehearsal: it ends neither as a success nor as a failure.
    """
    known = actions()
    steps = [step for step in counted(steps) if step.status is not StepStatus.DONE or not known[step.action].observes]
    changes = [step for step in steps if not known[step.action].observes]
    rehearsed = [step for step in changes if modes.get(step.policy) == Mode.DRY_RUN and _is_rehearsed(step)]
    acted = [step for step in steps if step not in rehearsed]
    state = _acted({step.status for step in acted})
    if state is not CaseState.WAITING and any(step.comes_again for step in acted):
        return CaseState.OPEN
    if state is CaseState.DONE and _is_half_rehearsed(acted, rehearsed):
        return CaseState.PARTIAL
    if state:
        return state
    if _is_absent(changes):
        return CaseState.TARGET_ABSENT
    if Mode.DRY_RUN in modes.values() or any(step.status is StepStatus.DRY_RUN for step in changes):
        return CaseState.REHEARSED
    return CaseState.DONE if changes or modes else CaseState.NOTHING_MATCHED


def counted(steps: Iterable[Step]) -> list[Step]:
    """Those that a case is judged by: not what the deployment leaves out, unless nothing else was to be changed."""
    known, told = actions(), list(steps)
    kept = [step for step in told if not step.is_left_out]
    return kept if any(not known[step.action].observes for step in kept) else told


def _is_rehearsed(step: Step) -> bool:
    """Whether a step of a policy in `dry_run` changed nothing: a rehearsal may find the target as it should be.

    A deletion that was sent before the mode was lowered is none, however it ends.
    """
    reason = Reason.read(step.reason)
    stood = step.status is StepStatus.DONE and reason is not None and reason.is_already
    was_sent = step.status is StepStatus.TERMINATING and step.due_at is not None
    return stood or (step.status in _REHEARSED and not was_sent)


def _is_half_rehearsed(acted: Iterable[Step], rehearsed: Iterable[Step]) -> bool:
    """Whether a policy's mode was lowered after a part of it was done: the rest is rehearsed only."""
    tried = {step.policy for step in rehearsed if step.status is StepStatus.DRY_RUN}
    return any(step.policy in tried for step in acted if step.status is StepStatus.DONE)


def _is_absent(changes: Sequence[Step]) -> bool:
    """Whether nothing was done because the pod is gone, or the node where the pod was not to be changed."""
    left = {step.reason for step in changes if step.status is not StepStatus.HELD}
    pod_is_gone = left >= {Reason.TARGET_ABSENT} and left <= {Reason.TARGET_ABSENT, Reason.NODE_ABSENT}
    return pod_is_gone or (bool(changes) and all(step.reason == Reason.NODE_ABSENT for step in changes))


def _acted(found: Set[StepStatus]) -> CaseState | None:
    """The end state by what was really tried; None where that is nothing, or left nothing to do."""
    if StepStatus.WAITING in found:
        return CaseState.WAITING
    if found & _TROUBLE:
        return CaseState.PARTIAL
    if StepStatus.HELD in found and found <= {StepStatus.HELD, StepStatus.SKIPPED}:
        return CaseState.HELD
    if found & (_SHORT | _STALE):
        return CaseState.PARTIAL
    return CaseState.DONE if StepStatus.DONE in found else None


def modes_of(summary: Mapping[str, Any]) -> dict[str, str]:
    """The modes of the policies that matched, by their names, as a case keeps them in the summary of its decision."""
    return {policy["name"]: policy["mode"] for policy in summary.get("policies", ()) if policy.get("matched")}


def decision_summary(context: Context, decision: Decision, digest: str, facts: CaseFacts) -> dict[str, Any]:
    """What the case keeps of a decision: its moment, the threat, facts, the pod, each policy's answer, the digest."""
    return {
        "policy_digest": digest,
        "now": context.now and context.now.isoformat(),
        "reason": decision.reason,
        "threat": msgspec.to_builtins(context.threat),
        "identity": msgspec.to_builtins(context.identity),
        "pod": None if context.pod is None else pod_summary(context),
        "workload_uid": workload_uid(context),
        "images": sorted(context.finding.image_digests),
        **run_summary(context),
        "missing": dict(context.missing),
        "contradictions": list(context.finding.contradictions),
        "policies": policy_answers(decision),
        "facts": msgspec.to_builtins(facts),
        "subject": msgspec.to_builtins(subject_of(context)),
    }


def policy_answers(decision: Decision) -> list[dict[str, Any]]:
    """Every policy's name, mode, answer and actions as JSON data, as `explain` prints them."""
    return [
        {
            "name": policy.name,
            "mode": str(policy.mode),
            "mode_reason": policy.mode_reason,
            "matched": policy.matched,
            "reason": policy.reason,
            "actions": [
                {
                    "action": action.action,
                    "result": action.result,
                    "reason": action.reason,
                    "changes": msgspec.to_builtins(action.changes),
                    **({"felt": words} if (words := felt(action.changes)) else {}),
                }
                for action in policy.actions
            ],
        }
        for policy in decision.policies
    ]


def pod_summary(context: Context) -> dict[str, Any]:
    """The pod in a few fields; empty where none was read."""
    pod = context.pod
    if pod is None:
        return {}
    workload = f"{pod.workload.kind}/{pod.workload.name}" if pod.workload else ""
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "node": pod.node_name,
        "workload": workload,
        "instance_id": _instance_id(context),
    }


def run_summary(context: Context) -> dict[str, Any]:
    """`cloud_run`: the service or job, and the revision or execution that is meant; nothing where none was read.

    `running` are the other executions of the job that run the finding's image.
    """
    owner, part = context.run_owner, context.revision or context.execution
    if owner is None:
        return {}
    name = {"kind": str(owner.name.kind), "name": owner.name.path, "uid": owner.uid}
    running = others_running(context.executions or (), context.execution, context.finding.image_digests)
    others = {"running": list(running[:MOST_RUNNING_NAMED])} if running else {}
    return {"cloud_run": {**name, "meant": part.name if part else "", **others}}


def _instance_id(context: Context) -> str:
    """The machine that the pod ran on; that of a node which came back under an old name is another."""
    is_known = context.node is not None and context.node_identity.level != IdentityLevel.REFUTED
    return context.node.instance_id if context.node and is_known else ""


def finding_summary(finding: Finding) -> dict[str, Any]:
    """The finding in a few fields, for people and for searching logs."""
    return {
        "name": finding.name,
        "category": finding.category,
        "severity": finding.severity,
        "event_time": finding.event_time.isoformat(),
        "cluster": finding.cluster_path,
        "resource": finding.resource_name,
        "pods": [f"{pod.namespace}/{pod.name}" for pod in finding.pods],
    }


def step_summary(step: Step) -> dict[str, Any]:
    """One step's outcome as JSON data."""
    return {
        "policy": step.policy,
        "action": step.action,
        "action_id": step.action_id,
        "status": str(step.status),
        "reason": step.reason,
        "detail": step.detail,
        "target_uid": step.expected_uid,
    }


def log_line(ending: Ending, message_id: str, trace: str, project: str, fields: Mapping[str, Any]) -> str:
    """The one line of structured log per delivery, as Cloud Logging reads it from standard output.

    Source: Cloud Logging, "Structured logging" (special fields).
    """
    labels = {"reason": ending.reason, "message_id": message_id, **_text(fields, ("case", "threat", "state"))}
    line: dict[str, Any] = {
        "severity": ending.severity,
        "message": f"scc-responder: {ending.reason}",
        "logging.googleapis.com/labels": labels,
        "status": ending.status,
        **fields,
    }
    if trace and project:
        line["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace}"
    return ascii_json(line).decode()


def _text(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    return {name: str(fields[name]) for name in names if fields.get(name)}
