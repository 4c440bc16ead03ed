"""Cases of the guardrails: what holds an action, lowers a mode, or denies the third, is a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.workbench.policies.guardrails_tests import check_guardrails
from scc_responder.workbench.policies.policy_tests import PolicyResult
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED, policy, write_policies

RAILS = """\
protected: {namespaces: [kube-system]}
quiet_hours:
  - {name: nights, from: "22:00", to: "06:00", max_mode: approve}
limits:
  owner: []
  namespace: [{most: 2, within: 10m}]
"""


def checked(folder: Path, cases: str, rails: str = RAILS) -> PolicyResult:
    """What comes of these cases."""
    written = write_policies(folder / "policies", policy("notify"), guardrails=rails)
    (written / "guardrails.test.yaml").write_text(cases)
    result = check_guardrails(load_policies(written), written, FOLDER)
    assert result is not None
    return result


def case(text: str) -> str:
    return f"cases:\n  - {{name: x, finding: reverse_shell, {text}}}\n"


RIGHT = [
    pytest.param(
        "given: {pod: {namespace: kube-system}}, do: [isolate_pod], "
        'expect: {then: ["isolate_pod: namespace_protected"]}',
        id="protected",
    ),
    pytest.param(
        "at: 2026-03-02T23:00:00Z, do: [isolate_pod], expect: {mode: approve, lowered_by: nights, then: [isolate_pod]}",
        id="lowered-at-night",
    ),
    pytest.param("do: [isolate_pod], expect: {mode: enforce, then: [isolate_pod]}", id="by-day"),
    pytest.param("do: [delete_pod], times: 2, expect: {then: [delete_pod]}", id="the-second"),
    pytest.param('do: [delete_pod], times: 3, expect: {then: ["delete_pod: limit_namespace"]}', id="the-third"),
    pytest.param("mode: dry_run, do: [notify], expect: {mode: dry_run, then: [notify]}", id="lower-already"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_guardrails_hold_is_a_case(tmp_path: Path, text: str) -> None:
    """A protected pod, a mode that is lowered at that hour, a limit that denies the third."""
    result = checked(tmp_path, case(text))
    assert (result.policy, result.passed, len(result.cases)) == ("guardrails", True, 1)


@pytest.mark.parametrize("text", [RIGHT[0], RIGHT[1], RIGHT[4]])
def test_guardrails_that_let_go_fail_their_case(tmp_path: Path, text: str) -> None:
    """Each of these cases fails once the guardrails say less."""
    assert not checked(tmp_path, case(text), "protected: {namespaces: []}\nlimits: {owner: [], namespace: []}\n").passed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("do: [isolat_pod], expect: {then: []}", "cases[0].do[0]: unknown action 'isolat_pod'"),
        ("do: [], expect: {then: []}", "cases[0].do: name the actions"),
        ("do: [notify], times: 0, expect: {then: [notify]}", "cases[0].times: 0 is too small"),
        ("do: [notify], expect: {then: [notfy]}", "cases[0].expect.then[0]: unknown action"),
        ("do: [notify], given: {pdo: {}}, expect: {then: [notify]}", "cases[0].given.pdo: unknown field"),
        ("do: [notify], expct: {}", "cases[0].expct: unknown field"),
    ],
)
def test_a_wrong_case_of_guardrails_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With file and line, and it fails."""
    result = checked(tmp_path, case(text))
    (broken,) = result.cases
    assert not result.passed
    assert str(broken.faults[0]).startswith(f"guardrails.test.yaml:2: {said}")


@pytest.mark.parametrize("text", ["", "cases: []\n", "cases: [\n", "guardrail: x\n"])
def test_a_file_without_cases_fails(tmp_path: Path, text: str) -> None:
    """It looks like a check, and checks nothing."""
    assert not checked(tmp_path, text).passed


def test_guardrails_need_no_cases(tmp_path: Path) -> None:
    """Where nobody wrote any, there is no result; the shipped ones have some."""
    folder = write_policies(tmp_path, policy("notify"))
    assert check_guardrails(load_policies(folder), folder, FOLDER) is None
    shipped = check_guardrails(load_policies(SHIPPED), SHIPPED, FOLDER)
    assert shipped is not None
    assert [case.name for case in shipped.cases if not case.passed] == []
