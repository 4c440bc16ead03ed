"""The results of cases as JUnit's XML, which CI systems show beside a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from scc_responder.domain.text import visible
from scc_responder.policy.policy_set import TEST_SUFFIX
from scc_responder.workbench.policies.policy_tests import CaseResult, PolicyResult


def junit(results: Sequence[PolicyResult], stray: Sequence[str]) -> str:
    """One suite for each policy, one case for each of its own, and one for what its cases do not show."""
    suites = [_suite(result) for result in results]
    suites += [_stray(name) for name in stray]
    cases = sum(len(result.cases) + bool(_faults(result)) for result in results) + len(stray)
    failed = sum(_failed(result) for result in results) + len(stray)
    head = f'<testsuites name="scc-responder policy test" tests="{cases}" failures="{failed}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>", ""])


def _suite(result: PolicyResult) -> str:
    faults = _faults(result)
    count = len(result.cases) + bool(faults)
    lines = [f'  <testsuite name={_said(result.policy)} tests="{count}" failures="{_failed(result)}">']
    lines += [line for case in result.cases for line in _case(result.policy, case)]
    if faults:
        lines += _failure(result.policy, "the cases say enough", faults[0], "\n".join(faults))
    return "\n".join([*lines, "  </testsuite>"])


def _case(policy: str, case: CaseResult) -> Iterator[str]:
    if case.passed:
        yield f"    <testcase classname={_said(policy)} name={_said(case.name)}/>"
        return
    differing = (f"expected {line.expected!r}, came {line.came!r}" for line in case.lines if line.differs)
    told = [*map(str, case.faults), *differing]
    yield from _failure(policy, case.name, told[0], "\n".join([*told, *case.hints]))


def _failure(policy: str, name: str, message: str, text: str) -> Iterator[str]:
    yield f"    <testcase classname={_said(policy)} name={_said(name)}>"
    body = escape("\n".join(visible(line) for line in text.split("\n")))
    yield f"      <failure message={_said(message)}>{body}</failure>"
    yield "    </testcase>"


def _stray(name: str) -> str:
    said = _said(Path(name).name.removesuffix(TEST_SUFFIX))
    failure = _failure(name, "it has a policy", f"{name}: no policy of that name stands beside it", name)
    return "\n".join([f'  <testsuite name={said} tests="1" failures="1">', *failure, "  </testsuite>"])


def _faults(result: PolicyResult) -> list[str]:
    untested = (f"no case plans {step}" for step in result.untested)
    return [*map(str, result.unusable), *result.faults, *untested]


def _failed(result: PolicyResult) -> int:
    return sum(not case.passed for case in result.cases) + bool(_faults(result))


def _said(text: str) -> str:
    return quoteattr(visible(text))
