"""Test cases beside a policy: what each says, what fails it, and what is no case."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.workbench.policies.cases.case_file import Expected
from scc_responder.workbench.policies.policy_tests import PolicyResult, PolicyTests, orphans, untested
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED, policy, write_policies

POLICIES = load_policies(SHIPPED)


CASES = """\
policy: contain
cases:
  - name: acts
    finding: reverse_shell
    expect: {then: [capture_evidence, notify]}
  - name: does not
    finding: added_binary_executed
    expect: {reason: when_threat_differs}
"""


FAULTS = [
    pytest.param(CASES, (), (), id="right"),
    pytest.param(
        None,
        ("no contain.test.yaml stands beside it; give it a case that acts and one that does not",),
        ("then[0] capture_evidence", "then[1] notify"),
        id="no-file",
    ),
    pytest.param(
        CASES.replace("policy: contain", "policy: other"), ("policy: 'other' must be 'contain'",), (), id="other-policy"
    ),
    pytest.param(CASES.replace("does not", "acts"), ("two cases are named 'acts'",), (), id="one-name-twice"),
    pytest.param(
        CASES[: CASES.index("  - name: does not")],
        ("no case in which the policy does not match, or a step is held",),
        (),
        id="never-holds",
    ),
    pytest.param(
        CASES[: CASES.index("  - name: acts")] + CASES[CASES.index("  - name: does not") :],
        ("no case in which every step is planned",),
        ("then[0] capture_evidence", "then[1] notify"),
        id="never-acts",
    ),
]


def checked(folder: Path, cases: str | None, *steps: str) -> PolicyResult:
    """What comes of these cases of a policy with these steps."""
    written = write_policies(folder / "policies", policy(*(steps or ("capture_evidence", "notify"))))
    if cases is not None:
        (written / "contain.test.yaml").write_text(cases)
    policies = load_policies(written)
    return PolicyTests(policies, written, FOLDER).check(policies.policies[0])


@pytest.mark.parametrize(("cases", "faults", "untested"), FAULTS)
def test_what_cases_do_not_show(
    tmp_path: Path, cases: str | None, faults: tuple[str, ...], untested: tuple[str, ...]
) -> None:
    """A policy without cases, or whose cases do not show all that it does, is told so."""
    result = checked(tmp_path, cases)
    assert (result.faults, result.untested) == (faults, untested)
    assert result.passed == (not faults and not untested)


def test_each_step_is_a_step() -> None:
    """An action that stands twice in a policy is planned twice, or a step of it is untested."""
    twice = replace(POLICIES.policies[0], then=POLICIES.policies[0].then[:1] * 2)
    name = twice.then[0].action
    assert list(untested(twice, [Expected(then=(name, f"{name}: pod_replaced"))])) == [f"then[1] {name}"]
    assert list(untested(twice, [Expected(then=(name, name))])) == []


DIFFERENCES = [
    pytest.param(
        "then: [capture_evidence, notify]",
        "then: [capture_evidence]",
        [("matched", "matched"), ("capture_evidence", "capture_evidence"), ("", "notify")],
        (),
        id="more-came",
    ),
    pytest.param(
        "then: [capture_evidence, notify]",
        "then: [label_pod, capture_evidence, notify]",
        [("matched", "matched"), ("label_pod", ""), ("capture_evidence", "capture_evidence"), ("notify", "notify")],
        (),
        id="less-came",
    ),
    pytest.param(
        "when_threat_differs",
        "when_kind_differs",
        [("when_kind_differs", "when_threat_differs")],
        ("threat is 'added_binary_executed', policy wants reverse_shell",),
        id="other-reason",
    ),
    pytest.param(
        "reason: when_threat_differs",
        "then: [capture_evidence, notify]",
        [("matched", "when_threat_differs"), ("capture_evidence", ""), ("notify", "")],
        ("threat is 'added_binary_executed', policy wants reverse_shell",),
        id="no-match",
    ),
    pytest.param(
        "then: [capture_evidence, notify]",
        "mode: dry_run, then: [capture_evidence, notify]",
        [
            ("matched", "matched"),
            ("mode: dry_run", "mode: enforce"),
            ("capture_evidence", "capture_evidence"),
            ("notify", "notify"),
        ],
        (),
        id="other-mode",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "lines", "hints"), DIFFERENCES)
def test_each_difference_fails_the_case(
    tmp_path: Path, right: str, wrong: str, lines: list[tuple[str, str]], hints: tuple[str, ...]
) -> None:
    """What came that nobody expected, and what was expected and did not come, each fails its case, side by side."""
    failed = [case for case in checked(tmp_path, CASES.replace(right, wrong)).cases if not case.passed]
    assert [[(line.expected, line.came) for line in case.lines] for case in failed] == [lines]
    assert failed[0].hints == hints


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("age: 31m", "delete_pod: finding_too_old"),
        ("age: 29m", "delete_pod"),
        ("at: 2026-03-02T10:00:00Z", "delete_pod"),
        ("at: 2026-03-02 10:00:00", "delete_pod"),
        ("at: 2026-03-03T09:00:00+00:00", "delete_pod: finding_too_old"),
        ("with: {event_time: 2026-03-02T09:50:00Z}\n    at: 2026-03-02T10:19:00Z", "delete_pod"),
        ("with: {event_time: 2026-03-02T09:50:00Z}\n    at: 2026-03-02T10:21:00Z", "delete_pod: finding_too_old"),
    ],
)
def test_a_case_says_when_it_arrives(tmp_path: Path, time: str, told: str) -> None:
    """A case says how late a finding arrives, or when; a time without a zone is in UTC."""
    text = f"policy: contain\ncases:\n  - name: acts\n    finding: reverse_shell\n    {time}\n    expect: {{}}\n"
    assert checked(tmp_path, text, "delete_pod").cases[0].lines[1].came == told


BROKEN = [
    pytest.param("finding: reverse_shell", "finding: ../reverse_shel", 4, "cases[0].finding: ", id="no-such-finding"),
    pytest.param("finding: reverse_shell", "finding: revers_shell", 4, "did you mean 'reverse_shell'?", id="misspelt"),
    pytest.param(
        "expect: {then", "given: {pdo: {}}\n    expect: {then", 5, "given.pdo: unknown field", id="misspelt-fact"
    ),
    pytest.param(
        "expect: {then",
        "given:\n      pod:\n        ownres: []\n    expect: {then",
        7,
        "cases[0].given.pod.ownres: there is no such field",
        id="misspelt-field-of-a-fact",
    ),
    pytest.param(
        "expect: {then",
        "with: {svrity: LOW}\n    expect: {then",
        5,
        "cases[0].with.svrity: there is no such field",
        id="misspelt-field-of-the-finding",
    ),
    pytest.param(
        "expect: {then",
        "with: {severity: HIHG}\n    expect: {then",
        5,
        "cases[0].with.severity: unknown value 'HIHG'",
        id="no-severity",
    ),
    pytest.param("expect: {then", "with: {pods: 3}\n    expect: {then", 5, "with.pods: expected a list", id="type"),
    pytest.param("expect: {then", "age: soon\n    expect: {then", 5, "cases[0].age: 'soon'", id="no-duration"),
    pytest.param("expect: {then", "at: soon\n    expect: {then", 3, "cases[0]: Invalid RFC3339", id="no-time"),
    pytest.param(
        "expect: {then", "age: 1m\n    at: 2026-03-02T10:00:00Z\n    expect: {then", 5, "in one way", id="two"
    ),
    pytest.param("expect: {then", "expct: {then", 5, "cases[0].expct: unknown field", id="unknown-key"),
    pytest.param("then: [capture", "thn: [capture", 5, "cases[0].expect.thn", id="unknown-key-below"),
    pytest.param("[capture_evidence, ", "[capture_evidnce, ", 5, "unknown action 'capture_evidnce'", id="action"),
    pytest.param(", notify]", ', "notify: no_reson"]', 5, "unknown reason 'no_reson'", id="reason-of-a-step"),
    pytest.param("expect: {then", "expect: {reason: matchd, then", 5, "ever answers 'matchd'", id="reason"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), BROKEN)
def test_a_wrong_case_costs_itself_alone(tmp_path: Path, right: str, wrong: str, line: int, said: str) -> None:
    """A case that cannot be run is told with file and line, and the other one is run all the same."""
    result = checked(tmp_path, CASES.replace(right, wrong, 1))
    broken, other = result.cases
    assert (result.passed, broken.passed, other.passed) == (False, False, True)
    assert [str(fault).startswith(f"contain.test.yaml:{line}: ") for fault in broken.faults] == [True]
    assert said in str(broken.faults[0])
    assert (result.untested, other.lines != ()) == ((), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("casess: []\n" + CASES, "contain.test.yaml:1: casess: unknown field"),
        ("", "contain.test.yaml:1: no case stands in it"),
        ("policy: contain\ncases: 3\n", "contain.test.yaml:2: cases: expected a list"),
        ("policy: [\n", "contain.test.yaml:2: no YAML"),
        ("policy: contian\n" + CASES.partition("\n")[2], "policy: 'contian' must be 'contain'"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong with the file as a whole is told beside whatever of it can be run."""
    result = checked(tmp_path, text)
    assert any(fault.startswith(said) for fault in (*map(str, result.unusable), *result.faults))
    assert not result.passed


TOGETHER = """\
policy: contain
cases:
  - name: Both mark it, and the deletion comes last, once
    finding: reverse_shell
    together: [aside]
    expect:
      then: [delete_pod, notify]
      order: ["aside: label_pod", "contain: delete_pod", "contain: notify"]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "passed"),
    [
        ("", "", True),
        ('"aside: label_pod", ', "", False),
        ('"contain: notify"]', '"aside: notify"]', False),
        ('"contain: notify"]', '"contain: notify", "aside: notify"]', False),
        ("together: [aside]", "together: [asid]", False),
    ],
)
def test_several_policies_in_one_case(tmp_path: Path, right: str, wrong: str, *, passed: bool) -> None:
    """What several policies do together has one order, in which each step stands once, with who does it."""
    written = write_policies(
        tmp_path, policy("delete_pod", "notify"), policy("label_pod", "delete_pod", "notify", name="aside")
    )
    (written / "contain.test.yaml").write_text(TOGETHER.replace(right, wrong) if right else TOGETHER)
    policies = load_policies(written)
    own = next(item for item in policies.policies if item.name == "contain")
    (case,) = PolicyTests(policies, written, FOLDER).check(own).cases
    assert case.passed is passed


def test_cases_without_a_policy_are_named(tmp_path: Path) -> None:
    """Cases beside no policy are named: nobody would notice that they are not run."""
    folder = write_policies(tmp_path, policy("notify"))
    (folder / "contian.test.yaml").write_text(CASES)
    (folder / "guardrails.test.yaml").write_text("cases: []\n")
    assert orphans(load_policies(folder), folder) == ("contian.test.yaml",)
