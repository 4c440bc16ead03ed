"""Policies that can never do what they say, whatever is found: by what else they say, or by the guardrails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.context import Context
from scc_responder.domain.finding import Confidence, Finding, Surface, Threat, ThreatKind
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.wildcards import DEEP
from scc_responder.intake.threats import UNKNOWN, runs_on
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import Match, Severity, as_tuple
from scc_responder.policy.policy_set import Policy, PolicyStep
from scc_responder.workbench.policies.meaning.possible_findings import (
    OF_CLUSTERS,
    FindingKind,
    elsewhere,
    fitting_kinds,
    implied_by,
    never_met,
)
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake
from scc_responder.workbench.policy_files.pattern_words import all_within

NEVER_ACTS = "never_acts"
_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_EVERYTHING = {"workload": "?*/?*", "cluster": "projects/?*/locations/?*/clusters/?*", "image": DEEP}
"""What every value of a field fits, where it is not one name of whatever letters."""
_FOR_NOTHING = "it takes back all that `when` asks for, so that the policy never acts"


def vain_mistakes(policy: Policy, rails: Guardrails | None) -> Iterator[Mistake]:
    """Everything for which a policy, or a step of it, never does anything under these guardrails."""
    kinds = fitting_kinds(policy.when)
    if not kinds:
        yield from never_met(policy.when)
        return
    yield from elsewhere(policy.when)
    yield from _taken_back(policy, kinds)
    for index, step in enumerate(policy.then):
        yield from _vain_step(step, kinds, ("then", index, "action"))
    changing = [step.action for step in policy.then if _changes(step)]
    if changing and policy.furthest in {Mode.APPROVE, Mode.ENFORCE} and all(_is_unknown(kind) for kind in kinds):
        text = f"nothing is done about a threat that the catalogue does not know; write mode: {Mode.DRY_RUN}"
        yield Mistake(path=("mode",), text=text, reason=NEVER_ACTS)
    if rails is not None and changing:
        yield from _held_by_rails(policy, changing, rails)


def _is_unknown(kind: FindingKind) -> bool:
    return kind.values["threat"] == (UNKNOWN,)


def _changes(step: PolicyStep) -> bool:
    action = actions().get(step.action)
    return bool(action and not action.observes)


def _held_by_rails(policy: Policy, changing: list[str], rails: Guardrails) -> Iterator[Mistake]:
    """Where a ceiling asks a person of an action anyway, the plan is for people to read, whoever is listed."""
    asked_by_rails = {action for ceiling in rails.ceilings for action in ceiling.actions}
    if policy.furthest == Mode.APPROVE and not rails.approval.approvers and not asked_by_rails.intersection(changing):
        text = "nobody can approve: list people under approval.approvers in guardrails.yaml first"
        yield Mistake(path=("mode",), text=text, reason=NEVER_ACTS)
    wanted = as_tuple(policy.when.namespace or ())
    if wanted and all_within(wanted, rails.protected.namespaces):
        text = "guardrails.yaml protects every namespace that is named here; no step changes anything"
        yield Mistake(path=("when", "namespace"), text=text, reason=NEVER_ACTS)


def _taken_back(policy: Policy, kinds: tuple[FindingKind, ...]) -> Iterator[Mistake]:
    """Exceptions that hold, or are not known, whenever `when` holds: one of them is enough."""
    for field, excepted in policy.unless.given().items():
        if field == "severity":
            lowest = policy.when.severity or Severity.LOW
            taken = _RANK[excepted] <= _RANK[lowest]
        elif field == "labels":
            wanted = policy.when.labels or {}
            taken = bool(excepted) and all(
                key in wanted and all_within(as_tuple(wanted[key]), as_tuple(excepted[key])) for key in excepted
            )
        elif field in kinds[0].values or field in {"category", "detector"}:
            taken = all(kind.always_meets(field, excepted) for kind in kinds) or _repeats(policy.when, field, excepted)
        else:
            taken = _repeats(policy.when, field, excepted)
        if taken:
            yield Mistake(path=("unless", field), text=_FOR_NOTHING, reason=NEVER_ACTS)
        elif _unknown_in_all(field, kinds):
            what = "what runs in no cluster" if field in OF_CLUSTERS else "what is no service of Cloud Run"
            text = f"{what} has no {field.replace('_', ' ')}, and what is not known is excepted: the policy never acts"
            yield Mistake(path=("unless", field), text=text, reason=NEVER_ACTS)


def _unknown_in_all(field: str, kinds: tuple[FindingKind, ...]) -> bool:
    places = {runs_on(kind.surface) for kind in kinds}
    return (field in OF_CLUSTERS and Surface.CLUSTER not in places) or (
        field == "service" and Surface.CLOUD_RUN not in places
    )


def _repeats(when: Match, field: str, excepted: str | tuple[str, ...]) -> bool:
    """Whether every target that `when` names in this field, or every one at all, is excepted."""
    wanted = as_tuple(getattr(when, field) or ()) or implied_by(when, field) or (_EVERYTHING.get(field, "?*"),)
    return all_within(wanted, as_tuple(excepted))


def _vain_step(step: PolicyStep, kinds: tuple[FindingKind, ...], path: DocumentPath) -> Iterator[Mistake]:
    """A step on a pod where no finding names one, or on a service where none is about Cloud Run."""
    action = actions().get(step.action)
    if action is None or action.tells:
        return
    of_run = action.disrupts is Disruption.SERVICES
    on_pod = not of_run and _asks_for_pod(step)
    places = [runs_on(kind.surface) for kind in kinds]
    podless = [
        place != Surface.CLUSTER or kind.values.get("detector") == ("virtual_machine_threat_detection",)
        for place, kind in zip(places, kinds, strict=True)
    ]
    if (on_pod and all(podless)) or (of_run and Surface.CLOUD_RUN not in places):
        what = "about a pod" if on_pod else "about Cloud Run"
        yield Mistake(path=path, text=f"no finding that `when` meets is {what}: {step.action} never does anything")


def _asks_for_pod(step: PolicyStep) -> bool:
    """Whether the step says of a finding that names no pod that it is left alone for that."""
    try:
        planned = actions()[step.action].plan(_bare(), step.params)
    except msgspec.ValidationError:  # parameters that do not load are told elsewhere
        return False
    return isinstance(planned, Skip | Hold) and planned.reason == Reason.POD_NOT_NAMED


def _bare() -> Context:
    finding = Finding(
        key="0" * 64,
        name="",
        canonical_name="",
        source_id="",
        finding_id="",
        category="",
        event_time=datetime(2026, 1, 1, tzinfo=UTC),
    )
    threat = Threat(name=UNKNOWN, surface=Surface.UNKNOWN, kind=ThreatKind.BEHAVIORAL, confidence=Confidence.POSSIBLE)
    return Context(finding=finding, threat=threat)
