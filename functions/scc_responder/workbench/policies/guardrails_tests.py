"""Run the cases of the guardrails: which actions they hold, how far they lower a mode, which limit denies the third."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.finding import PodRef
from scc_responder.domain.reasons import Reason
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import PolicyDecision, decide
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy, PolicySet, PolicyStep
from scc_responder.workbench.policies.cases.case_file import (
    Expected,
    GuardrailsCase,
    GuardrailsCaseFile,
    OpenedCases,
    ReadCase,
    open_cases,
)
from scc_responder.workbench.policies.cases.case_mistakes import guardrails_mistakes
from scc_responder.workbench.policies.cases.case_situation import CaseError, situation
from scc_responder.workbench.policies.policy_tests import (
    GUARDRAILS_RESULT,
    CaseResult,
    Line,
    PolicyResult,
    compare_decision,
)
from scc_responder.workbench.policy_files.policy_layout import GUARDRAILS_TESTS
from scc_responder.workbench.simulation.replayed_limits import ReplayedLimits


def check_guardrails(policies: PolicySet, folder: Path, findings: Path) -> PolicyResult | None:
    """The results of the cases of the guardrails; None where there are none."""
    path = folder / GUARDRAILS_TESTS
    if not path.exists():
        return None
    try:
        file = open_cases(path, path.name, GuardrailsCaseFile)
    except PolicyError as error:
        return PolicyResult(policy=GUARDRAILS_RESULT, unusable=error.faults)
    return PolicyResult(
        policy=GUARDRAILS_RESULT,
        cases=tuple(_check_read(policies.guardrails, file, read, findings) for read in file.cases),
        faults=() if file.cases or file.faults else ("no case stands in it",),
        unusable=file.faults,
    )


def _check_read(guardrails: Guardrails, file: OpenedCases, read: ReadCase, findings: Path) -> CaseResult:
    case: GuardrailsCase | None = read.case
    if case is None:
        return CaseResult(name=read.name, finding="", faults=read.faults)
    wrong = tuple(guardrails_mistakes(case))
    try:
        came = _held(guardrails, case, findings) if not wrong else None
    except CaseError as error:
        wrong = error.mistakes
        came = None
    if came is None:
        return CaseResult(name=case.name, finding=case.finding, faults=file.told(read.index, wrong))
    return CaseResult(name=case.name, finding=case.finding, lines=_lines(case, came))


def _held(guardrails: Guardrails, case: GuardrailsCase, findings: Path) -> PolicyDecision:
    """What the guardrails and their limits make of the last of the findings."""
    context, now = situation(case, findings)
    steps = tuple(PolicyStep(action=action) for action in case.do)
    trying = Policy(
        name=GUARDRAILS_RESULT, description="", owner="", mode=case.mode, when=Match(threat="*"), then=steps
    )
    limits = ReplayedLimits(guardrails)
    for number in range(case.times):
        one = _another(context, number)
        decision = guard(one, decide(one, (trying,)), guardrails, now, reach=EVERYWHERE_IN_RUN, cut=limits.cut)
        decision = limits.limited(one, decision, now)
    return decision.policies[0]


def _another(context: Context, number: int) -> Context:
    """The same finding about another pod of the same workload."""
    if not number or context.pod is None:
        return context
    name = f"{context.pod.name[:-1]}{number}"
    pod = replace(context.pod, name=name, uid=f"{context.pod.uid}-{number}")
    finding = replace(context.finding, pods=(PodRef(namespace=pod.namespace, name=name),))
    return replace(context, pod=pod, finding=finding)


def _lines(case: GuardrailsCase, came: PolicyDecision) -> tuple[Line, ...]:
    wanted = Expected(reason=came.reason, mode=case.expect.mode, then=case.expect.then)
    _, *lines = compare_decision(wanted, came)
    if case.expect.lowered_by:
        by = Reason.read(came.mode_reason)
        told = f"lowered_by: {by.detail}" if by else ""
        lines.insert(0, Line(expected=f"lowered_by: {case.expect.lowered_by}", came=told))
    return tuple(lines)
