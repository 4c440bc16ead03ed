"""What is known in a case, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from msgspec import convert
from msgspec.structs import replace

from scc_responder.policy.decide import match
from scc_responder.policy.match import Match, Severity
from scc_responder.workbench.policies.cases.case_file import Expected, PolicyCase
from scc_responder.workbench.policies.cases.case_situation import CaseError, situation
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED

POLICIES = load_policies(SHIPPED)

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


def test_every_mistake_of_a_case_is_told() -> None:
    """Each with its place in the case, so that one run of the check shows them all."""
    case = PolicyCase(
        name="x",
        finding="reverse_shell",
        found={"severty": "LOW"},
        given={"pod": {"labels": {"app": None, "none": None}}, "namespace_object": {}},
        age="soon",
        expect=Expected(),
    )
    with pytest.raises(CaseError) as caught:
        situation(case, FOLDER)
    assert [mistake.path for mistake in caught.value.mistakes] == [
        ("age",),
        ("with", "severty"),
        ("given", "namespace_object"),
    ]
    assert "did you mean 'severity'?" in caught.value.mistakes[1].text
    assert "did you mean 'namespace'?" in caught.value.mistakes[2].text


def test_facts_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """The file of facts beside a finding is named."""
    (tmp_path / "shell.json").write_text((FOLDER / "reverse_shell.json").read_text())
    (tmp_path / "shell.context.json").write_text("{")
    with pytest.raises(CaseError) as caught:
        situation(PolicyCase(name="x", finding="shell", expect=Expected()), tmp_path)
    (mistake,) = caught.value.mistakes
    assert (mistake.path, mistake.text.startswith("shell.context.json")) == (("finding",), True)


def test_a_file_that_is_no_finding_is_told(tmp_path: Path) -> None:
    """Its reason is that of a message which is none."""
    (tmp_path / "shell.json").write_text("{}")
    with pytest.raises(CaseError, match="shell: ") as caught:
        situation(PolicyCase(name="x", finding="shell", expect=Expected()), tmp_path)
    assert caught.value.reason == "unusable_finding"


@pytest.mark.parametrize("name", ["x" * 5000, "shell\0", "sub/shell\0"])
def test_a_name_that_no_file_can_have_costs_its_case_alone(tmp_path: Path, name: str) -> None:
    """It is told at its place, like any other name of nothing."""
    with pytest.raises(CaseError, match="is no threat, and no file") as caught:
        situation(PolicyCase(name="x", finding=name, expect=Expected()), tmp_path)
    assert [mistake.path for mistake in caught.value.mistakes] == [("finding",)]
