"""The results of policies' cases as text: expected and actual side by side, and what decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.text import visible
from scc_responder.policy.policy_set import TEST_SUFFIX
from scc_responder.workbench.policies.policy_tests import GUARDRAILS_RESULT, CaseResult, Line, PolicyResult

_INDENT = "    "
_NOTHING = "(nothing)"
_WIDEST = 60


def results_text(results: Sequence[PolicyResult], stray: Sequence[str]) -> Iterator[str]:
    """Every policy with a word, what failed of it in full, and the summary."""
    for result in results:
        yield from _policy(result)
    for name in stray:
        yield f"{styled('FAIL', 'red')}  {visible(name)}: no policy of that name stands beside it"
    yield results_summary(results)


def results_summary(results: Sequence[PolicyResult]) -> str:
    """The last line: `12 policies, 31 cases, 0 untested steps`."""
    cases = [case for result in results for case in result.cases]
    untested = sum(len(result.untested) for result in results)
    failed = sum(not case.passed for case in cases)
    policies = sum(result.policy != GUARDRAILS_RESULT for result in results)
    told = f"{_count(policies, 'policy', 'policies')}, {_count(len(cases), 'case', 'cases')}, "
    told += _count(untested, "untested step", "untested steps")
    return f"{told}, {styled(f'{failed} failed', 'red')}" if failed else told


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _policy(result: PolicyResult) -> Iterator[str]:
    word = styled("ok  ", "green") if result.passed else styled("FAIL", "red")
    yield f"{word}  {styled(result.policy, 'bold')}  {_count(len(result.cases), 'case', 'cases')}"
    failed = [case for case in result.cases if not case.passed]
    for case in failed:
        yield from ("", *case_difference(case))
    yield from [""] if failed else []
    file = f"{result.policy}{TEST_SUFFIX}"
    yield from (f"{_INDENT}{visible(str(fault))}" for fault in result.unusable)
    yield from (f"{_INDENT}{styled(file, 'dim')}: {visible(fault)}" for fault in result.faults)
    if result.begin:
        yield f"{_INDENT}It may begin so, if this is what you mean:"
        yield from ("", *(visible(line) for line in result.begin), "")
        return
    yield from (f"{_INDENT}{styled(file, 'dim')}: no case plans {visible(step)}" for step in result.untested)


def case_difference(case: CaseResult) -> Iterator[str]:
    """One failed case: its sentence, expected and came step by step, a mark where they differ, and what decided."""
    yield f"{_INDENT}{styled(case.name, 'bold')}"
    if case.faults and not case.lines:
        yield from (f"{_INDENT}{visible(line)}" for fault in case.faults for line in str(fault).splitlines())
        return
    yield f"{_INDENT}{styled(f'finding {case.finding}', 'dim')}"
    yield ""
    width = min(_WIDEST, max(len("expected"), *(len(visible(line.expected) or _NOTHING) for line in case.lines))) + 2
    yield f"{_INDENT}  {styled('expected'.ljust(width) + 'came', 'dim')}"
    yield from (f"{_INDENT}{_line(line, width)}" for line in case.lines)
    yield from (f"{_INDENT}{styled('fault:', 'red')} {visible(str(fault))}" for fault in case.faults)
    yield from (f"{_INDENT}{styled('hint:', 'yellow')} {visible(hint)}" for hint in case.hints)


def _line(line: Line, width: int) -> str:
    left, right = (visible(text) or _NOTHING for text in (line.expected, line.came))
    if not line.differs:
        return f"  {left:<{width}}{right}"
    return f"{styled('>', 'red')} {styled(f'{left:<{width}}', 'yellow')}{styled(right, 'red')}"
