"""Test cases beside a policy: what each says, what fails it, and what is no case."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from msgspec import convert
from msgspec.structs import replace

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.decide import match
from scc_responder.policy.match import Match, Severity
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench.policies.policy_tests import (
    Expected,
    PolicyCase,
    PolicyResult,
    check_policy,
    orphans,
    situation,
    untested,
)
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
    return check_policy(policies, policies.policies[0], written, FOLDER)


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


SITUATIONS = [
    pytest.param("with: {severity: LOW}", "when_severity_differs", id="with"),
    pytest.param("with: {severity: null}", "matched", id="with-null"),
    pytest.param("given: {pod: {namespace: kube-system}}", "unless_namespace", id="given"),
    pytest.param("with: {pods: [{namespace: kube-system, name: x}]}, given: {pod: null}", "unless_namespace", id="two"),
]


@pytest.mark.parametrize(("changes", "reason"), SITUATIONS)
def test_what_a_case_changes(tmp_path: Path, changes: str, reason: str) -> None:
    """A case changes what was found and what was read of the target."""
    document = yaml.safe_load(f"{{{changes}}}")
    case = convert({"name": "x", "finding": "reverse_shell", "expect": {"reason": reason}, **document}, PolicyCase)
    context, _ = situation(case, FOLDER)
    one = replace(
        POLICIES.policies[0],
        when=Match(threat="reverse_shell", severity=Severity.HIGH),
        unless=Match(namespace="kube-system"),
    )
    assert match(context, one) == reason


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


def test_a_threat_without_a_file(tmp_path: Path) -> None:
    """Where there is no such file, a threat's name stands for a plain finding of it, with its pod there."""
    case = PolicyCase(name="x", finding="reverse_shell", expect=Expected())
    context, now = situation(case, tmp_path)
    assert (context.threat.name, context.identity.level, now) == ("reverse_shell", "proved", context.finding.event_time)


def test_a_file_in_a_subfolder() -> None:
    """A finding's name is enough where one subfolder has it."""
    context, _ = situation(PolicyCase(name="x", finding="vm_rootkit", expect=Expected()), FOLDER)
    assert context.finding.finding_id != "vm_rootkit"
    assert context.threat.name == "vm_rootkit"


BROKEN = [
    pytest.param(
        "finding: reverse_shell", "finding: ../reverse_shel", "unreadable_file", "acts: finding", id="no-such-finding"
    ),
    pytest.param(
        "finding: reverse_shell", "finding: revers_shell", "unreadable_file", "mean 'reverse_shell'?", id="misspelt"
    ),
    pytest.param("expect: {then", "given: {pdo: {}}\n    expect: {then", "invalid_context", "pdo", id="misspelt-fact"),
    pytest.param(
        "expect: {then",
        "given: {pod: {ownres: []}}\n    expect: {then",
        "invalid_context",
        "acts: given: pod.ownres: there is no such field",
        id="misspelt-field-of-a-fact",
    ),
    pytest.param(
        "expect: {then",
        "with: {svrity: LOW}\n    expect: {then",
        "invalid_context",
        "acts: with: svrity: there is no such field",
        id="misspelt-field-of-the-finding",
    ),
    pytest.param(
        "expect: {then", "with: {pods: 3}\n    expect: {then", "invalid_context", "Expected `array`", id="wrong-type"
    ),
    pytest.param("expect: {then", "age: soon\n    expect: {then", "invalid_policy", "acts: age", id="no-duration"),
    pytest.param(
        "expect: {then",
        "age: 1m\n    at: 2026-03-02T10:00:00Z\n    expect: {then",
        "invalid_policy",
        "one way",
        id="two",
    ),
    pytest.param("expect: {then", "expct: {then", "invalid_policy", "expct", id="unknown-key"),
    pytest.param("then: [capture", "thn: [capture", "invalid_policy", "thn", id="unknown-key-below"),
    pytest.param("cases:", "casess: []\ncases:", "invalid_policy", "casess", id="unknown-key-above"),
]


@pytest.mark.parametrize(("right", "wrong", "reason", "said"), BROKEN)
def test_an_unusable_case_is_named(tmp_path: Path, right: str, wrong: str, reason: str, said: str) -> None:
    """A case that cannot be run stops the check with the name of what is wrong."""
    with pytest.raises(PolicyError) as caught:
        checked(tmp_path, CASES.replace(right, wrong, 1))
    assert caught.value.reason == reason
    assert said in str(caught.value)


def test_cases_without_a_policy_are_named(tmp_path: Path) -> None:
    """Cases beside no policy are named: nobody would notice that they are not run."""
    folder = write_policies(tmp_path, policy("notify"))
    (folder / "contian.test.yaml").write_text(CASES)
    assert orphans(load_policies(folder), folder) == ("contian.test.yaml",)
