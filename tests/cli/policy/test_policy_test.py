"""`policy test`: what a person reads of a case that fails, what a script gets, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from tests.cli.commands import Terminal
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED, policy, write_policies

CASES = """\
policy: contain
cases:
  - name: A reverse shell is captured, and a person told
    finding: reverse_shell
    expect: {then: [label_pod, delete_pod, notify]}
  - name: An added binary is left alone
    finding: added_binary_executed
    expect: {reason: when_threat_differs}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy and its cases, of which all pass."""
    folder = write_policies(tmp_path / "policies", policy("label_pod", "delete_pod", "notify"))
    (folder / "contain.test.yaml").write_text(CASES)
    return folder


def change(folder: Path, right: str, wrong: str) -> None:
    """Change the cases."""
    path = folder / "contain.test.yaml"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))


def outcome(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> tuple[int, str]:
    """The exit status, and what is printed."""
    status = main(["policy", "test", "--policies", str(folder), "--findings", str(FOLDER), *options])
    return status, capsys.readouterr().out


def test_passing_cases_print_one_line_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all is well, there is one line for each policy, and the sum."""
    assert outcome(capsys, folder) == (0, "ok    contain  2 cases\n1 policy, 2 cases, 0 untested steps\n")


def test_a_failing_case_is_shown_step_by_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case that fails is shown step by step, expected beside came, marked where they differ, with what decided."""
    change(folder, "finding: reverse_shell", "finding: reverse_shell\n    age: 1h")
    change(folder, "when_threat_differs", "when_severity_differs")
    status, text = outcome(capsys, folder)
    assert status == 1
    assert (
        text
        == """\
FAIL  contain  2 cases

    A reverse shell is captured, and a person told
    finding reverse_shell

      expected    came
      matched     matched
      label_pod   label_pod
    > delete_pod  delete_pod: finding_too_old
      notify      notify
    hint: it arrives 1:00:00 after its event time, 2026-03-02T09:38:12+00:00

    An added binary is left alone
    finding added_binary_executed

      expected               came
    > when_severity_differs  when_threat_differs
    hint: threat is 'added_binary_executed', policy wants reverse_shell

1 policy, 2 cases, 0 untested steps, 2 failed
"""
    )


def test_missing_and_unexpected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps are lined up by their actions: what is on one side only has nothing beside it."""
    change(folder, "[label_pod, delete_pod, notify]", "[label_pod, capture_evidence, notify]")
    _, text = outcome(capsys, folder)
    lines = text.splitlines()
    assert "    > capture_evidence  delete_pod" in lines
    assert "    contain.test.yaml: no case plans then[1] delete_pod" in lines
    change(folder, "[label_pod, capture_evidence, notify]", "[label_pod]")
    _, text = outcome(capsys, folder)
    assert "    > (nothing)  delete_pod" in text.splitlines()


def test_a_policy_without_cases_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy without cases fails, and so does a file of cases without its policy."""
    (folder / "contain.test.yaml").rename(folder / "contian.test.yaml")
    status, text = outcome(capsys, folder)
    assert status == 1
    assert "no contain.test.yaml stands beside it" in text
    assert "FAIL  contian.test.yaml: no policy of that name stands beside it" in text
    assert text.endswith("1 policy, 0 cases, 3 untested steps\n")


def test_json_has_every_case_and_hint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has every case with its lines and hints, and whether it passed."""
    assert json.loads(outcome(capsys, folder, "--format", "json")[1])["passed"] is True
    change(folder, "delete_pod, notify]", "notify]")
    status, text = outcome(capsys, folder, "--format", "json")
    told = json.loads(text)
    assert status == 1
    assert (told["passed"], told["policies"], told["cases"], told["untested_steps"]) == (False, 1, 2, 2)
    (result,) = told["results"]
    assert [case["passed"] for case in result["cases"]] == [False, True]
    assert {"expected": "", "came": "delete_pod", "differs": True} in result["cases"][0]["lines"]
    assert result["untested"] == ["then[1] delete_pod", "then[2] notify"]


@pytest.mark.parametrize(
    "name", ["respond-to-compiler", "policies/respond-to-compiler.yaml", "respond-to-compiler.test.yaml"]
)
def test_a_policy_is_chosen_by_name_or_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy is chosen by its name, or by its file or that of its cases."""
    status, text = outcome(capsys, SHIPPED, name)
    assert status == 0
    assert [line.split()[1] for line in text.splitlines()[:-1]] == ["respond-to-compiler"]


def test_files_and_folders_are_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of policies is given as a plain argument, and so is the folder of a team, with the cases beside it."""
    team = folder / "team-a"
    team.mkdir()
    (team / "scope.yaml").write_text("max_mode: enforce\n")
    text = policy("label_pod", "delete_pod", "notify", name="contain-web")
    (team / "contain-web.yaml").write_text(text)
    (team / "contain-web.test.yaml").write_text(CASES.replace("policy: contain", "policy: contain-web"))
    for arguments, names in (
        ([folder], ["contain", "contain-web"]),
        ([team], ["contain-web"]),
        ([team / "contain-web.test.yaml"], ["contain-web"]),
        ([folder / "contain.yaml", "contain-web"], ["contain"]),
    ):
        options = ["--findings", str(FOLDER)] if "contain-web" not in arguments else ["--policies", str(folder)]
        status = main(["policy", "test", *map(str, arguments), *options])
        told = capsys.readouterr().out.splitlines()
        assert (status, [line.split()[1] for line in told[:-1]][: len(names)]) == (0, names)
    (team / "contain-web.test.yaml").rename(folder / "contain-web.test.yaml")
    status = main(["policy", "test", str(folder), "--findings", str(FOLDER)])
    assert "FAIL  contain-web.test.yaml: no policy of that name stands beside it" in capsys.readouterr().out


def test_an_unknown_policy_names_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not there ends with 2, and the nearest is named."""
    assert main(["policy", "test", "--policies", str(folder), "contian"]) == 2
    assert "there is no policy 'contian'; did you mean 'contain'?" in capsys.readouterr().err


def test_an_unusable_file_ends_with_two(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with an unknown key ends with 2, says which, and prints no result."""
    change(folder, "expect: {reason", "expects: {reason")
    assert main(["policy", "test", "--policies", str(folder)]) == 2
    told = capsys.readouterr()
    assert (told.out, "expects" in told.err, "contain.test.yaml" in told.err) == ("", True, True)


def test_hostile_names_are_made_visible(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cases and findings bring is made visible."""
    change(folder, "name: An added binary is left alone", 'name: "\\e[31mred\\u202e"')
    change(folder, "reason: when_threat_differs", 'reason: "\\e]0;title\\a"')
    _, text = outcome(capsys, folder)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\u001b[31mred\\u202e" in text


def test_colour_on_a_terminal(folder: Path) -> None:
    """On a terminal what differs is red; what is right is not."""
    change(folder, "delete_pod, notify]", "notify]")
    terminal = Terminal("policy", "test", "--policies", str(folder), "--findings", str(FOLDER))
    assert terminal.ended() == 1
    assert "\x1b[31m>\x1b[0m" in terminal.shown
    assert "      notify  " in terminal.shown
