"""Match every policy against the context, and plan what each would do: pure, and every answer has a named reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from scc_responder.action import Hold, Skip, actions
from scc_responder.changes import Change
from scc_responder.context import Context
from scc_responder.glob import matches
from scc_responder.policy import Match, Mode, Patterns, Policy, Severity
from scc_responder.threats import CONFIDENCES, fold
from scc_responder.value import Value

MATCHED = "matched"


class PlannedAction(Value, frozen=True, kw_only=True):
    """What one step comes to. `result`: planned, skipped (nothing to do) or held (may not be done).

    `variant` is what the policy asked for (`with`), the same whatever was read.
    """

    action: str
    result: str
    reason: str
    changes: tuple[Change, ...] = ()
    variant: str = ""


class PolicyDecision(Value, frozen=True, kw_only=True):
    """What one policy comes to, and why."""

    name: str
    mode: Mode
    matched: bool
    reason: str
    actions: tuple[PlannedAction, ...] = ()


class Decision(Value, frozen=True, kw_only=True):
    """What all policies come to."""

    policies: tuple[PolicyDecision, ...]

    @property
    def reason(self) -> str:
        """One word for the whole: what is going to happen, or why nothing is."""
        if not any(policy.matched for policy in self.policies):
            return "no_policy_matched"
        results = {action.result for policy in self.policies for action in policy.actions}
        return next((result for result in ("planned", "held", "skipped") if result in results), "mode_disabled")


def decide(context: Context, policies: tuple[Policy, ...]) -> Decision:
    """Every policy's answer, in the order given."""
    return Decision(policies=tuple(_decide(context, policy) for policy in policies))


def _decide(context: Context, policy: Policy) -> PolicyDecision:
    reason = "mode_disabled" if policy.mode == Mode.DISABLED else match(context, policy)
    if reason != MATCHED:
        return PolicyDecision(name=policy.name, mode=policy.mode, matched=False, reason=reason)
    planned = tuple(_plan(context, step.action, step.params) for step in policy.then)
    return PolicyDecision(name=policy.name, mode=policy.mode, matched=True, reason=MATCHED, actions=planned)


def _plan(context: Context, name: str, params: object) -> PlannedAction:
    planned, variant = actions()[name].plan(context, params), msgspec.json.encode(params, order="sorted").decode()
    if isinstance(planned, Skip):
        return PlannedAction(action=name, result="skipped", reason=planned.reason, variant=variant)
    if isinstance(planned, Hold):
        return PlannedAction(action=name, result="held", reason=planned.reason, variant=variant)
    return PlannedAction(action=name, result="planned", reason="planned", changes=tuple(planned), variant=variant)


def match(context: Context, policy: Policy) -> str:
    """`matched`, or why not: `when_severity_differs`, `when_namespace_missing`, `unless_namespace`.

    Missing data satisfies nothing: neither a `when`, nor the "not" of an `unless`.
    """
    for name, wanted in policy.when.given().items():
        answer = FIELDS[name](context, wanted)
        if not answer:
            return f"when_{name}_{'missing' if answer is None else 'differs'}"
    for name, wanted in policy.unless.given().items():
        answer = FIELDS[name](context, wanted)
        if answer is not False:
            return f"unless_{name}{'_missing' if answer is None else ''}"
    return MATCHED


Answer = bool | None


def _any(patterns: Patterns, value: str | None) -> Answer:
    if not value:
        return None
    return any(matches(pattern, value) for pattern in _listed(patterns))


def _listed(patterns: Patterns) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else patterns


def _severity(context: Context, wanted: Severity) -> Answer:
    order = list(Severity)
    found = context.threat.severity
    return order.index(Severity(found)) >= order.index(wanted) if found in order else None


def _labels(context: Context, wanted: Mapping[str, Patterns]) -> Answer:
    if context.pod is None:
        return None
    labels = context.pod.labels
    return all(key in labels and any(matches(p, labels[key]) for p in _listed(value)) for key, value in wanted.items())


def _image(context: Context, wanted: Patterns) -> Answer:
    answers = [_any(wanted, container.image) for container in context.finding.containers]
    return True if True in answers else None if None in answers or not answers else False


def _folded(patterns: Patterns, value: str) -> Answer:
    return _any(tuple(map(fold, _listed(patterns))), fold(value))


def _workload(context: Context, wanted: Patterns) -> Answer:
    """An owner chain that could not be read to its end hides the workload."""
    workload = context.pod.workload if context.pod and "owner" not in context.missing else None
    return _any(wanted, f"{workload.kind}/{workload.name}") if workload else None


def _confidence(context: Context, wanted: Patterns) -> Answer:
    """Related findings can raise it: where they could not be read, it is at least what it is."""
    known = context.threat.confidence
    could_be = CONFIDENCES[CONFIDENCES.index(known) :] if context.related is None else (known,)
    answers = {_any(wanted, confidence) for confidence in could_be}
    return answers.pop() if len(answers) == 1 else None


def _namespace(context: Context, wanted: Patterns) -> Answer:
    pod = context.pod or context.finding.pod
    return _any(wanted, pod.namespace if pod else None)


def _project(context: Context, wanted: Patterns) -> Answer:
    target = context.finding.cluster or context.finding.cloud_run
    return _any(wanted, target.project if target else None)


FIELDS: dict[str, Callable[..., Answer]] = {
    "threat": lambda context, wanted: _any(wanted, context.threat.name),
    "category": lambda context, wanted: _folded(wanted, context.finding.category),
    "detector": lambda context, wanted: _any(wanted, context.threat.detector),
    "severity": _severity,
    "kind": lambda context, wanted: _any(wanted, context.threat.kind),
    "confidence": _confidence,
    "surface": lambda context, wanted: _any(wanted, context.threat.surface),
    "cluster": lambda context, wanted: _any(wanted, context.finding.cluster.path if context.finding.cluster else None),
    "project": _project,
    "namespace": _namespace,
    "workload": _workload,
    "labels": _labels,
    "image": _image,
    "node_pool": lambda context, wanted: _any(wanted, context.node.node_pool if context.node else None),
    "principal": lambda context, wanted: _any(wanted, context.finding.principal),
}
"""One entry per condition: (context, what the policy wants) -> yes, no, or None for missing data."""

assert FIELDS.keys() == set(Match.__struct_fields__)  # noqa: S101 - a condition without an entry would never hold
