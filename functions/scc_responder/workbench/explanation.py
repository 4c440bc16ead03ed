"""What every policy would do with a finding, and why: the decision of the pipeline, without carrying it out. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.collect.identity import identify, identify_node
from scc_responder.collect.meant_revision import meant_by
from scc_responder.collect.run_identity import identify_job, identify_service
from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunIamPolicy, RunJob, RunRevision, RunService
from scc_responder.domain.context import Cluster, Context, Identity, LiveLook, Namespace, Node, Pod, RelatedFinding
from scc_responder.domain.errors import PolicyError, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import StrictValue, read_json
from scc_responder.execute.dependencies import needs
from scc_responder.guard.approval import unapproved
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import classify, in_scope
from scc_responder.journal.messages import policy_answers
from scc_responder.policy.decide import PlannedAction, PolicyDecision, decide
from scc_responder.policy.order import in_order
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.foretold import first_shots, foretold
from scc_responder.workbench.policies.hints import policy_hint


class ContextFacts(StrictValue, frozen=True, kw_only=True):
    """What was read about a finding's target: the content of a context file."""

    cluster: Cluster | None = None
    pod: Pod | None = None
    namespace: Namespace | None = None
    node: Node | None = None
    service: RunService | None = None
    revisions: tuple[RunRevision, ...] | None = None
    revision: RunRevision | None = None
    job: RunJob | None = None
    executions: tuple[RunExecution, ...] | None = None
    execution: RunExecution | None = None
    iam_policy: RunIamPolicy | None = None
    related: tuple[RelatedFinding, ...] | None = None
    live: LiveLook | None = None
    workload_object: WorkloadObject | None = None
    google_identity: str | None = None
    missing: dict[str, str] = {}


_OF_CLOUD_RUN = ("service", "revisions", "revision", "job", "executions", "execution", "iam_policy")
NOTHING_READ = ContextFacts(missing=dict.fromkeys(("cluster", "pod", "namespace", "node", "related"), Reason.NOT_READ))
"""The facts of a target that was not read."""


def read_facts(content: bytes, name: str) -> ContextFacts:
    """The facts of a context file. Raises PolicyError that names the field."""
    try:
        return read_json(content, ContextFacts)
    except msgspec.DecodeError as error:
        raise PolicyError("invalid_context", f"{name}: {error}") from error


def context_of(finding: Finding, facts: ContextFacts, now: datetime | None = None) -> Context:
    """The context that a decision would see. `now` is its moment: the event time where not given."""
    return Context(
        finding=finding,
        now=now or finding.event_time,
        threat=classify(finding, facts.related or ()),
        cluster=facts.cluster,
        pod=facts.pod,
        namespace=facts.namespace,
        node=facts.node,
        **{name: getattr(facts, name) for name in _OF_CLOUD_RUN},
        related=facts.related,
        live=facts.live,
        workload_object=facts.workload_object,
        google_identity=facts.google_identity,
        identity=_identity(finding, facts),
        node_identity=identify_node(finding, facts.pod, facts.node),
        missing=facts.missing,
    )


def _identity(finding: Finding, facts: ContextFacts) -> Identity:
    if facts.service:
        return identify_service(finding, facts.service, meant_by(finding, facts.revision))
    if facts.job:
        return identify_job(finding, facts.job, meant_by(finding, facts.execution))
    return identify(finding, facts.pod)


def explain(content: bytes, facts: ContextFacts, policies: PolicySet, now: datetime | None = None) -> dict[str, Any]:
    """The decision as JSON data, always with the same fields.

    They are `rejected`, `finding`, `threat`, `context`, `policies`, `order`, `first_shots` and `told`.

    `order` has the steps of all policies as they are carried out, each with what it needs. `first_shots` are what would
    wait where a policy has not acted yet, `told` is what a person would be told of holds. `rejected` is why nothing is
    decided at all, else None. `now` is when the finding arrives: at its event time where not given, so that an old
    finding is explained as it was.
    """
    empty: dict[str, Any] = {
        "rejected": None,
        "finding": None,
        "threat": None,
        "context": None,
        "policies": [],
        "order": [],
        "first_shots": [],
        "told": None,
    }
    try:
        finding = parse_notification(content)
    except RejectedMessage as rejected:
        return {**empty, "rejected": rejected.reason}
    beyond = in_scope(finding)
    if beyond:
        return {**empty, "rejected": beyond, "finding": msgspec.to_builtins(finding)}
    return explain_context(context_of(finding, facts, now), policies, now or finding.event_time)


def explain_context(context: Context, policies: PolicySet, now: datetime) -> dict[str, Any]:
    """As `explain`, of a context that was read."""
    context = replace(context, now=now)
    decision = unapproved(
        guard(context, decide(context, policies.policies), policies.guardrails, now, reach=EVERYWHERE_IN_RUN)
    )
    read = msgspec.to_builtins(context)
    for field in ("finding", "threat", "objects", "texts"):
        read.pop(field)
    if context.finding.cloud_run is None:
        for field in _OF_CLOUD_RUN:
            read.pop(field)
    return {
        "rejected": None,
        "finding": msgspec.to_builtins(context.finding),
        "threat": msgspec.to_builtins(context.threat),
        "context": read,
        "policies": [_hinted(answer, context, policies) for answer in policy_answers(decision)],
        "order": [_in_turn(policy, planned) for policy, planned in in_order(decision)],
        "first_shots": [msgspec.to_builtins(shot) for shot in first_shots(context, decision, policies, now)],
        "told": msgspec.to_builtins(foretold(context, decision.policies)),
    }


def _hinted(answer: dict[str, Any], context: Context, policies: PolicySet) -> dict[str, Any]:
    """The answer, and where its condition could not be answered, why: the key that is missing, by its name."""
    why = Reason.read(answer["reason"])
    if why is None or why.word not in {Reason.CONDITION_ERROR, Reason.CONDITION_TOO_LARGE, Reason.CONDITION_MISSING}:
        return answer
    policy = next(policy for policy in policies.policies if policy.name == answer["name"])
    return {**answer, "hint": policy_hint(policy, context, answer["reason"])}


def _in_turn(policy: PolicyDecision, planned: PlannedAction) -> dict[str, Any]:
    """What a step waits for, and whether the later changes of its policy wait for it."""
    return {
        "policy": policy.name,
        "action": planned.action,
        "needs": list(needs(policy, planned)),
        "needs_identity": actions()[planned.action].needs_identity,
        "on_failure": str(planned.on_failure),
    }
