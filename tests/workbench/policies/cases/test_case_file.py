"""A file of cases, of which each is right or wrong by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.workbench.policies.cases.case_file import OpenedCases, open_cases
from scc_responder.workbench.policy_files.mistakes import Mistake

CASES = """\
policy: contain
cases:
  - name: acts
    finding: reverse_shell
    expect: {then: [notify]}
  - name: does not
    finding: added_binary_executed
    age: 1h
    expect: {reason: when_threat_differs}
"""


def opened(folder: Path, text: str) -> OpenedCases:
    """The cases of a file with this text."""
    path = folder / "contain.test.yaml"
    path.write_text(text)
    return open_cases(path, "team-a/contain.test.yaml")


def test_right_cases_are_read(tmp_path: Path) -> None:
    """Each as its type, with what it leaves out as usual."""
    file = opened(tmp_path, CASES)
    assert (file.file, file.faults, file.header("policy")) == ("team-a/contain.test.yaml", (), "contain")
    assert [(read.index, read.name, read.case.age, read.faults) for read in file.cases] == [
        (0, "acts", "0s", ()),
        (1, "does not", "1h", ()),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "name"),
    [
        ("finding: reverse_shell", "findng: reverse_shell", 4, "acts"),
        ("name: acts", "nme: acts", 3, "case 1"),
        ("name: acts", "name: [acts]", 3, "case 1"),
        ("finding: reverse_shell", "finding: reverse_shell\n    with: 3", 5, "acts"),
        ("finding: reverse_shell", "finding: reverse_shell\n    at: noon", 3, "acts"),
        ("finding: reverse_shell", "finding:", 4, "acts"),
    ],
)
def test_one_wrong_case_leaves_the_other(tmp_path: Path, right: str, wrong: str, line: int, name: str) -> None:
    """A misspelt key, another type, a value that is missing: its line is told, and the next case is there."""
    wrong_case, other = opened(tmp_path, CASES.replace(right, wrong, 1)).cases
    assert (wrong_case.case, wrong_case.name, {fault.line for fault in wrong_case.faults}) == (None, name, {line})
    assert (other.case.finding, other.faults) == ("added_binary_executed", ())


@pytest.mark.parametrize("text", ["", "- name: acts\n", "policy: contain\n", "policy: contain\ncases: none\n"])
def test_a_file_without_cases_is_wrong(tmp_path: Path, text: str) -> None:
    """It has nothing to run, and says so."""
    file = opened(tmp_path, text)
    assert (file.cases, file.faults != ()) == ((), True)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    """By the name that people know it by."""
    with pytest.raises(PolicyError, match=r"^team-a/contain\.test\.yaml:2"):
        opened(tmp_path, "policy: [\n")


def test_mistakes_are_told_at_their_places(tmp_path: Path) -> None:
    """A mistake that is found later stands at the line in its case."""
    file = opened(tmp_path, CASES)
    (fault,) = file.told(1, [Mistake(path=("age",), text="too late")])
    assert str(fault) == "team-a/contain.test.yaml:8: cases[1].age: too late"
