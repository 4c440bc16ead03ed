"""The results of policies' test cases, for people."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.cli.policy.reports.policy_test_report import case_difference, results_summary, results_text
from scc_responder.workbench.policies.policy_tests import CaseResult, Line, PolicyResult

FAILED = CaseResult(
    name="a miner is isolated",
    finding="tests/findings/reverse_shell",
    lines=(
        Line(expected="matched", came="matched"),
        Line(expected="isolate_pod: planned", came="isolate_pod: held"),
        Line(expected="", came="notify: planned\x1b"),
    ),
    hints=("namespace kube-system is protected",),
)
PASSED = replace(FAILED, lines=FAILED.lines[:1], hints=())


def result(*cases: CaseResult, untested: tuple[str, ...] = (), faults: tuple[str, ...] = ()) -> PolicyResult:
    return PolicyResult(policy="contain", cases=cases, untested=untested, faults=faults)


def test_a_passing_policy_takes_one_line() -> None:
    """And the sum comes last."""
    assert list(results_text([result(PASSED)], [])) == ["ok    contain  1 case", "1 policy, 1 case, 0 untested steps"]


def test_a_failed_case_is_shown_side_by_side() -> None:
    """A mark where they differ, and what decided; nothing of others' text acts on the terminal."""
    told = list(case_difference(FAILED))
    assert told[0].strip() == "a miner is isolated"
    assert "  matched               matched" in told[4]
    assert told[5].strip().startswith("> isolate_pod: planned  isolate_pod: held")
    assert "(nothing)" in told[6]
    assert told[-1].strip() == "hint: namespace kube-system is protected"
    assert not any("\x1b" in line for line in told)


def test_whatever_fails_is_told_in_full() -> None:
    """Cases, steps that no case plans, faults of the file, and cases without a policy."""
    results = [result(PASSED, FAILED, untested=("then[0]",), faults=("no such finding",)), result()]
    text = "\n".join(results_text(results, ["stray"]))
    assert "FAIL  contain  2 cases" in text
    assert "contain.test.yaml: no case plans then[0]" in text
    assert "contain.test.yaml: no such finding" in text
    assert "FAIL  stray: no policy of that name stands beside it" in text
    assert results_summary(results) == "2 policies, 2 cases, 1 untested step, 1 failed"
