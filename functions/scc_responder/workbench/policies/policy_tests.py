"""Run the cases beside policies, and say what they do not show."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.guard.approval import unapproved
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision, decide
from scc_responder.policy.order import in_order
from scc_responder.policy.policy_set import TEST_SUFFIX, Policy, PolicySet, policy_paths
from scc_responder.workbench.policies.cases.case_file import Expected, OpenedCases, PolicyCase, ReadCase, open_cases
from scc_responder.workbench.policies.cases.case_mistakes import together_mistakes, word_mistakes
from scc_responder.workbench.policies.cases.case_situation import CaseError, situation
from scc_responder.workbench.policies.cases.first_cases import first_cases
from scc_responder.workbench.policies.hints import policy_hint, step_hint
from scc_responder.workbench.policy_files.mistakes import Fault
from scc_responder.workbench.policy_files.policy_layout import GUARDRAILS_TESTS, case_paths, told_name

GUARDRAILS_RESULT = "guardrails"
"""Under which name the results of the guardrails' own cases stand: no policy has it."""


class Line(Value, frozen=True, kw_only=True):
    """One expected item and the actual one; empty if there is none."""

    expected: str
    came: str

    @property
    def differs(self) -> bool:
        """Whether it is why the case fails."""
        return self.expected != self.came


class CaseResult(Value, frozen=True, kw_only=True):
    """The result of a case: the policy's answer, then its steps. `hints` explain the differences.

    `faults` are why it could not be run, with file and line.
    """

    name: str
    finding: str
    lines: tuple[Line, ...] = ()
    hints: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it was run, everything that was expected came, and nothing else."""
        return not self.faults and not any(line.differs for line in self.lines)


class PolicyResult(Value, frozen=True, kw_only=True):
    """The results of a policy's cases. `untested` are the steps that no case plans, `faults` what else is wrong.

    `unusable` is what of the file itself cannot be read, with its lines. `begin` are the lines that a file of cases may
    begin with where there is none: what the policy does today.
    """

    policy: str
    cases: tuple[CaseResult, ...] = ()
    untested: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    unusable: tuple[Fault, ...] = ()
    begin: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the policy does what its cases say, and they say enough."""
        whole = not self.untested and not self.faults and not self.unusable
        return whole and all(case.passed for case in self.cases)


class PolicyTests:
    """The cases beside the policies of a folder, which name findings of another. A case that is wrong costs no other.

    What all cases ask for, such as where each policy stands, is looked up once.
    """

    def __init__(self, policies: PolicySet, folder: Path, findings: Path) -> None:
        self._policies = {policy.name: policy for policy in policies.policies}
        self._guardrails = policies.guardrails
        self._folder = folder
        self._findings = findings
        self._paths = {path.stem: path for path in policy_paths(folder)}

    def check(self, policy: Policy) -> PolicyResult:
        """Run the cases beside a policy, and look for what they do not show."""
        try:
            file = self.read(policy)
        except PolicyError as error:
            return PolicyResult(policy=policy.name, unusable=error.faults)
        if file is None:
            missing = f"no {policy.name}{TEST_SUFFIX} stands beside it; give it a case that acts and one that does not"
            begin = first_cases(policy, lambda case: [line.came for line in self.check_case(policy, case).lines])
            return PolicyResult(
                policy=policy.name, untested=tuple(untested(policy, ())), faults=(missing,), begin=begin
            )
        expected = [read.case.expect for read in file.cases if read.case]
        results = tuple(self._check_read(policy, file, read) for read in file.cases)
        whole = not file.faults and not any(result.faults for result in results)
        return PolicyResult(
            policy=policy.name,
            cases=results,
            # What a case would show that is wrong is not known.
            untested=tuple(untested(policy, expected)) if whole else (),
            faults=(*_file_faults(policy, file), *(gaps(expected) if whole else ())),
            unusable=file.faults,
        )

    def read(self, policy: Policy) -> OpenedCases | None:
        """The cases beside a policy, or None. Raises PolicyError where they are no YAML."""
        path = self._paths[policy.name].with_name(f"{policy.name}{TEST_SUFFIX}")
        return open_cases(path, told_name(path, self._folder)) if path.exists() else None

    def _check_read(self, policy: Policy, file: OpenedCases, read: ReadCase) -> CaseResult:
        """The result of one case of a file, which may be one that cannot be run."""
        if read.case is None:
            return CaseResult(name=read.name, finding="", faults=read.faults)
        wrong = (*word_mistakes(read.case), *together_mistakes(read.case, self._policies))
        try:
            result = self.check_case(policy, read.case)
        except CaseError as error:
            wrong = (*error.mistakes, *wrong)
            return CaseResult(name=read.name, finding=read.case.finding, faults=file.told(read.index, wrong))
        return replace(result, faults=file.told(read.index, wrong)) if wrong else result

    def check_case(self, policy: Policy, case: PolicyCase) -> CaseResult:
        """What the policy does in a case, under the guardrails, beside what it must do. Raises CaseError."""
        context, now = situation(case, self._findings)
        others = (self._policies[name] for name in self._policies if name in case.together and name != policy.name)
        decided = decide(context, (policy, *(others if case.together else ())))
        decision = guard(context, decided, self._guardrails, now, reach=EVERYWHERE_IN_RUN)
        if case.together:
            decision = unapproved(decision)
        came = decision.policies[0]
        order = _order_lines(case.expect, decision) if case.together else ()
        lines = (*compare_decision(case.expect, came), *order)
        hints = dict.fromkeys(_answer_hints(policy, context, case.expect, came) or _step_hints(context, lines, now))
        return CaseResult(name=case.name, finding=case.finding, lines=lines, hints=tuple(hints))


def orphans(policies: PolicySet, folder: Path) -> tuple[str, ...]:
    """Case files without their policy: nobody would notice that they are not run."""
    expected = {f"{policy.name}{TEST_SUFFIX}" for policy in policies.policies}
    files = (path for path in case_paths(folder) if path != folder / GUARDRAILS_TESTS)
    lonely = (path for path in files if path.name not in expected or not _policy_beside(path).exists())
    return tuple(told_name(path, folder) for path in lonely)


def _policy_beside(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(TEST_SUFFIX)}.yaml")


def _order_lines(expected: Expected, decision: Decision) -> Iterator[Line]:
    """The steps of all policies in their order, each once: by the policy that does it first."""
    came: dict[tuple[str, str], str] = {}
    for policy, planned in in_order(decision):
        if planned.result == ActionResult.PLANNED:
            came.setdefault((planned.action, planned.variant), f"{policy.name}: {planned.action}")
    for wanted, step in zip_longest(expected.order, came.values(), fillvalue=""):
        yield Line(expected=wanted, came=step)


def compare_decision(expected: Expected, came: PolicyDecision) -> Iterator[Line]:
    """Expected and actual results line by line, the policy's answer first; steps are aligned by their actions."""
    yield Line(expected=expected.reason, came=came.reason)
    if expected.mode:
        yield Line(expected=f"mode: {expected.mode}", came=f"mode: {came.mode}")
    wanted, actual = list(expected.then), [_step_text(item) for item in came.actions]
    left_actions, right_actions = ([step.partition(":")[0] for step in steps] for steps in (wanted, actual))
    matcher = difflib.SequenceMatcher(None, left_actions, right_actions, autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        for offset in range(max(i_end - i, j_end - j)):
            left = wanted[i + offset] if i + offset < i_end else ""
            right = actual[j + offset] if j + offset < j_end else ""
            yield Line(expected=left, came=right)


def gaps(expected: Iterable[Expected]) -> Iterator[str]:
    """What the cases leave out: one in which the policy acts, and one in which it must not."""
    cases = list(expected)
    if not any(case.then and all(": " not in step for step in case.then) for case in cases):
        yield "no case in which every step is planned"
    if not any(case.reason != Reason.MATCHED or any(": " in step for step in case.then) for case in cases):
        yield "no case in which the policy does not match, or a step is held"


def untested(policy: Policy, expected: Iterable[Expected]) -> Iterator[str]:
    """The steps that no case plans: `then[2] cordon_node`."""
    planned = {(index, step) for case in expected for index, step in enumerate(case.then)}
    for index, step in enumerate(policy.then):
        if (index, step.action) not in planned:
            yield f"then[{index}] {step.action}"


def _file_faults(policy: Policy, file: OpenedCases) -> Iterator[str]:
    names = [read.name for read in file.cases]
    named = file.header("policy")
    if isinstance(named, str) and named != policy.name:
        yield f"policy: {named!r} must be {policy.name!r}"
    yield from (f"two cases are named {name!r}" for name in dict.fromkeys(names) if names.count(name) > 1)


def _answer_hints(policy: Policy, context: Context, expected: Expected, came: PolicyDecision) -> list[str]:
    if came.reason == expected.reason:
        return []
    hint = policy_hint(policy, context, came.reason if came.reason != Reason.MATCHED else expected.reason)
    return [hint] if hint else []


def _step_hints(context: Context, lines: Iterable[Line], now: datetime) -> list[str]:
    reasons = [line.came.partition(": ")[2] or line.expected.partition(": ")[2] for line in lines if line.differs]
    return [hint for reason in reasons if reason and (hint := step_hint(context, reason, now))]


def _step_text(item: PlannedAction) -> str:
    return item.action if item.result == ActionResult.PLANNED else f"{item.action}: {item.reason}"
