"""Check policies by the cases beside them: `x.test.yaml` says what `x.yaml` must and must not do.

policy: contain-malicious-library
cases:
  - name: A standalone pod is not deleted, for nothing would take its place
    finding: modified_malicious_library_loaded
    given: {pod: {owners: []}}
    expect: {then: [label_pod, "delete_pod: pod_standalone"]}

`finding` names FINDING.json in a folder of findings or its subfolders, or else a threat, of which a plain finding is
made. `with` changes what was found, in the words of `explain --format json`. What was read of the target is
FINDING.context.json beside it, with `given` merged over it. Null removes. `age` is how late the finding arrives, `at`
when. `then` lists every action in order: its name where it is planned, `name: reason` where it is not. Where `mode` is
given, it is the mode under the guardrails.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import PolicyError, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import StrictValue, Value
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import catalogue
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision, decide
from scc_responder.policy.folders.policy_layout import case_paths, told_name
from scc_responder.policy.policy_set import TEST_SUFFIX, Policy, PolicySet
from scc_responder.policy.strict_yaml import read_document
from scc_responder.workbench.explanation import ContextFacts, context_of, read_facts
from scc_responder.workbench.policies.hints import policy_hint, step_hint
from scc_responder.workbench.policies.merge_patch import patched
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding

_T = TypeVar("_T")


class Expected(StrictValue, frozen=True, kw_only=True):
    """The expected result of a case: the policy's answer, and every one of its actions, no more and no fewer."""

    reason: str = Reason.MATCHED
    mode: Mode | None = None
    then: tuple[str, ...] = ()


class PolicyCase(StrictValue, frozen=True, kw_only=True, rename={"found": "with"}):
    """One case: `name` is a sentence about the policy."""

    name: str
    finding: str
    found: dict[str, Any] = {}
    given: dict[str, Any] = {}
    age: str = "0s"
    at: datetime | None = None
    expect: Expected


class CaseFile(StrictValue, frozen=True, kw_only=True):
    """A `.test.yaml` file."""

    policy: str
    cases: tuple[PolicyCase, ...]


class Line(Value, frozen=True, kw_only=True):
    """One expected item and the actual one; empty if there is none."""

    expected: str
    came: str

    @property
    def differs(self) -> bool:
        """Whether it is why the case fails."""
        return self.expected != self.came


class CaseResult(Value, frozen=True, kw_only=True):
    """The result of a case: the policy's answer, then its steps. `hints` explain the differences."""

    name: str
    finding: str
    lines: tuple[Line, ...]
    hints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything that was expected came, and nothing else."""
        return not any(line.differs for line in self.lines)


class PolicyResult(Value, frozen=True, kw_only=True):
    """The results of a policy's cases. `untested` are the steps that no case plans, `faults` what else is wrong."""

    policy: str
    cases: tuple[CaseResult, ...] = ()
    untested: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the policy does what its cases say, and they say enough."""
        return not self.untested and not self.faults and all(case.passed for case in self.cases)


def check_policy(policies: PolicySet, policy: Policy, folder: Path, findings: Path) -> PolicyResult:
    """Run the cases beside a policy, and look for what they do not show. Raises PolicyError for an unusable file."""
    file = read_cases(policy, folder)
    if file is None:
        missing = f"no {policy.name}{TEST_SUFFIX} stands beside it; give it a case that acts and one that does not"
        return PolicyResult(policy=policy.name, untested=tuple(untested(policy, ())), faults=(missing,))
    expected = [case.expect for case in file.cases]
    return PolicyResult(
        policy=policy.name,
        cases=tuple(check_case(policies, policy, case, findings) for case in file.cases),
        untested=tuple(untested(policy, expected)),
        faults=(*_file_faults(policy, file), *gaps(expected)),
    )


def orphans(policies: PolicySet, folder: Path) -> tuple[str, ...]:
    """Case files without their policy: nobody would notice that they are not run."""
    expected = {f"{policy.name}{TEST_SUFFIX}" for policy in policies.policies}
    lonely = (path for path in case_paths(folder) if path.name not in expected or not _policy_beside(path).exists())
    return tuple(told_name(path, folder) for path in lonely)


def _policy_beside(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(TEST_SUFFIX)}.yaml")


def read_cases(policy: Policy, folder: Path) -> CaseFile | None:
    """The cases beside a policy, or None. Raises PolicyError."""
    path = _file_of(policy, folder).with_name(f"{policy.name}{TEST_SUFFIX}")
    return read_document(path, CaseFile, name=told_name(path, folder)) if path.exists() else None


def _file_of(policy: Policy, folder: Path) -> Path:
    """The policy's own file, at the top or in a subfolder: no other has its name."""
    path = folder / f"{policy.name}.yaml"
    return path if path.exists() else next(iter(folder.rglob(path.name)), path)


def check_case(policies: PolicySet, policy: Policy, case: PolicyCase, findings: Path) -> CaseResult:
    """What the policy does in a case, under the set's guardrails, beside what it must do. Raises PolicyError."""
    context, now = situation(case, findings)
    came = guard(context, decide(context, (policy,)), policies.guardrails, now, reach=EVERYWHERE_IN_RUN).policies[0]
    lines = tuple(compare_decision(case.expect, came))
    hints = dict.fromkeys(_answer_hints(policy, context, case.expect, came) or _step_hints(context, lines, now))
    return CaseResult(name=case.name, finding=case.finding, lines=lines, hints=tuple(hints))


def situation(case: PolicyCase, findings: Path) -> tuple[Context, datetime]:
    """What is known in a case, and when. Raises PolicyError that names the case and its field."""
    finding, facts = _finding_of(case, findings)
    finding = _changed(case, "with", finding, case.found)
    if case.at and case.age != "0s":
        raise PolicyError("invalid_policy", f"{case.name}: at, age: say when it arrives in one way only")
    at = case.at.replace(tzinfo=case.at.tzinfo or UTC) if case.at else None
    try:
        now = at or finding.event_time + parse_duration(case.age)
    except ValueError as error:
        raise PolicyError("invalid_policy", f"{case.name}: age: {error}") from error
    return context_of(finding, _changed(case, "given", facts, case.given)), now


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


def _file_faults(policy: Policy, file: CaseFile) -> Iterator[str]:
    names = [case.name for case in file.cases]
    if file.policy != policy.name:
        yield f"policy: {file.policy!r} must be {policy.name!r}"
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


def _changed(case: PolicyCase, field: str, value: _T, changes: dict[str, Any]) -> _T:
    try:
        return patched(value, changes)
    except ValueError as error:
        raise PolicyError("invalid_context", f"{case.name}: {field}: {error}") from error


def _finding_of(case: PolicyCase, findings: Path) -> tuple[Finding, ContextFacts]:
    """The finding that a case names, and what is known of its target."""
    path = _file(case, findings)
    row = next((row for row in catalogue() if row.name == case.finding), None)
    if path is None and row:
        finding = sample_finding(row)
        return finding, facts_as_told(finding)
    content = _read(path or findings / f"{case.finding}.json", case)
    facts = (path or findings / case.finding).with_suffix(".context.json")
    try:
        finding = parse_notification(content)
    except RejectedMessage as error:
        raise PolicyError("unusable_finding", f"{case.name}: finding: {case.finding}: {error.reason}") from error
    return finding, read_facts(_read(facts, case), facts.name) if facts.exists() else ContextFacts()


def _file(case: PolicyCase, findings: Path) -> Path | None:
    """The file of that name in the folder, or the only one in its subfolders."""
    path = findings / f"{case.finding}.json"
    if path.exists() or "/" in case.finding:
        return path if path.exists() else None
    below = _below(findings).get(path.name, ())
    return below[0] if len(below) == 1 else None


@cache
def _below(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The files in a folder's subfolders, by name. Many cases name findings of one folder."""
    paths: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.rglob("*.json")):
        paths[path.name] = (*paths.get(path.name, ()), path)
    return paths


def _read(path: Path, case: PolicyCase) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        names = [row.name for row in catalogue()]
        close = difflib.get_close_matches(case.finding, names, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise PolicyError("unreadable_file", f"{case.name}: finding: {path}: {error.strerror}{meant}") from error
