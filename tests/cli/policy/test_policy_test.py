"""`policy test`: what a person reads of a case that fails, what a script gets, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder import __version__
from scc_responder.cli.main import main
from tests.cli.commands import Terminal
from tests.findings import FOLDER
from tests.kits.responder import policy, write_policies

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
    begin = text.partition("It may begin so, if this is what you mean:\n\n")[2].partition("\n\n")[0]
    (folder / "contian.test.yaml").unlink()
    (folder / "contain.test.yaml").write_text(f"{begin}\n")
    assert outcome(capsys, folder)[0] == 0
    (folder / "contain.test.yaml").rename(folder / "contian.test.yaml")
    status, text = outcome(capsys, folder)
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
    status, text = outcome(capsys, Path("policies"), name)
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
        ([folder], ["contain-web", "contain"]),
        ([team], ["contain-web"]),
        ([team / "contain-web.test.yaml"], ["contain-web"]),
        ([folder / "contain.yaml", "contain-web"], ["contain-web", "contain"]),
    ):
        status = main(["policy", "test", *map(str, arguments), "--findings", str(FOLDER)])
        told = capsys.readouterr().out.splitlines()
        assert (status, [line.split()[1] for line in told[:-1]]) == (0, names)
    (team / "contain-web.test.yaml").rename(folder / "contain-web.test.yaml")
    assert main(["policy", "test", str(folder), "--findings", str(FOLDER)]) == 1
    assert "FAIL  contain-web.test.yaml: no policy of that name stands beside it" in capsys.readouterr().out


def test_an_unknown_policy_names_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not there ends with 2, and the nearest is named."""
    assert main(["policy", "test", "--policies", str(folder), "contian"]) == 2
    assert "there is no policy 'contian'; did you mean 'contain'?" in capsys.readouterr().err


def test_a_wrong_case_is_shown_beside_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case with an unknown key is told with its file and line, and fails; the other one is run."""
    change(folder, "expect: {reason", "expects: {reason")
    status, text = outcome(capsys, folder)
    assert status == 1
    assert (
        text
        == """\
FAIL  contain  2 cases

    An added binary is left alone
    contain.test.yaml:8: cases[1].expects: unknown field; expected one of name, finding, with, given, age, at, \
together, expect; did you mean 'expect'?

1 policy, 2 cases, 0 untested steps, 1 failed
"""
    )


def test_a_file_that_is_no_yaml_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its policy fails with the line, and those of all others are still run."""
    (folder / "other.yaml").write_text(policy("notify", name="other"))
    (folder / "other.test.yaml").write_text("policy: [\n")
    status, text = outcome(capsys, folder)
    assert status == 1
    assert text.startswith("ok    contain  2 cases\nFAIL  other  0 cases\n    other.test.yaml:2: no YAML: ")


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


def test_results_go_to_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JUnit or JSON, with the sum told beside it, and the same exit status."""
    change(folder, "delete_pod, notify]", "notify]")
    junit, data = folder.parent / "junit.xml", folder.parent / "results.json"
    assert outcome(capsys, folder, "--format", "junit", "--output", str(junit)) == (1, "")
    assert 'tests="3" failures="2"' in junit.read_text()
    assert outcome(capsys, folder, "--format", "json", "--output", str(data)) == (1, "")
    assert json.loads(data.read_text())["passed"] is False


def test_guardrails_have_cases_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are run with all policies, counted as cases, and not as a policy."""
    case = "{name: x, finding: reverse_shell, do: [notify], expect: {then: [%s]}}\n"
    (folder / "guardrails.test.yaml").write_text(f"cases:\n  - {case % 'notify'}")
    status, text = outcome(capsys, folder)
    assert (status, text.splitlines()[1:]) == (
        0,
        ["ok    guardrails  1 case", "1 policy, 3 cases, 0 untested steps"],
    )
    assert outcome(capsys, folder, "contain")[1].splitlines()[-1] == "1 policy, 2 cases, 0 untested steps"
    (folder / "guardrails.test.yaml").write_text(f"cases:\n  - {case % ''}")
    status, text = outcome(capsys, folder)
    assert (status, "FAIL  guardrails  1 case" in text) == (1, True)


@pytest.mark.parametrize("name", ["guardrails.yaml", "guardrails.test.yaml", "routes.yaml", "shipped.yaml"])
def test_a_file_that_holds_for_all_has_the_cases_of_all_run(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hook hands on the files that were changed: such a one is no policy, and may change what each of them does."""
    case = "{name: x, finding: reverse_shell, do: [notify], expect: {then: [notify]}}\n"
    (folder / "guardrails.test.yaml").write_text(f"cases:\n  - {case}")
    (folder / "routes.yaml").write_text("routes: {}\nfallback: []\n")
    (folder / "shipped.yaml").write_text(f"shipped: {{version: {__version__}}}\n")
    for given in ([str(folder / name)], [str(folder / "contain.yaml"), str(folder / name)]):
        status, text = outcome(capsys, folder, *given)
        assert (status, text.splitlines()[-1]) == (0, "1 policy, 3 cases, 0 untested steps")
