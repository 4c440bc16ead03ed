"""`scc-responder policy lint` and `policy schema`, as a person and as a pipeline uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from scc_responder.policy.match import FIELDS
from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema, schema_text
from tests.cli import beginners
from tests.cli.commands import Terminal
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED


def folder(path: Path, text: str = beginners.RIGHT) -> Path:
    """A folder of one policy."""
    (path / "guardrails.yaml").write_text(beginners.GUARDRAILS)
    (path / "contain-reverse-shell.yaml").write_text(text)
    (path / "contain-reverse-shell.test.yaml").write_text(beginners.CASES)
    return path


@pytest.mark.parametrize("name", beginners.MISTAKES)
def test_each_beginners_mistake_has_its_transcript(name: str) -> None:
    """Each beginner's mistake is answered word for word as committed, and the answer names the fix.

    python -m tests.cli.beginners --write
    """
    said = beginners.transcript(beginners.broken(name))
    assert said == (beginners.TRANSCRIPTS / f"{name}.txt").read_text()
    assert beginners.MISTAKES[name][1] in said
    assert "contain-reverse-shell.yaml:" in said
    assert said.endswith("[exit status 1]\n")


SLIPS = {
    **{
        field: (f"{field}: []", f"when.{field}: empty; give a pattern or remove it")
        for field in FIELDS
        if field != "severity"
    },
    "labels": ("labels: []", "when.labels: expected a mapping, got a list"),
    "a threat that is denied": ('threat: "!x"', "'!' denies nothing: what is excepted stands under unless"),
    "a namespace that is denied": ('namespace: "!shop"', "'!' denies nothing: what is excepted stands under unless"),
    "a star without quotes": ("principal: *@example.com", "put a text that begins with * or & in quotes"),
    "a control character": ('threat: "reverse\x01_shell"', "the control character U+0001 is not allowed; remove it"),
}


@pytest.mark.parametrize(("when", "told"), SLIPS.values(), ids=SLIPS)
def test_each_slip_is_told_with_what_to_write(
    tmp_path: Path, when: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file and line stand before it, there is no traceback, and other files are checked all the same."""
    text = beginners.RIGHT.replace("threat: reverse_shell", when)
    written = folder(tmp_path, text)
    (written / "guardrails.yaml").write_text("protected: {}\nmax_mod: enforce\n")
    assert main(["policy", "lint", "--policies", str(written)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("contain-reverse-shell.yaml:") and told in line]
    assert [line for line in lines if line.startswith("guardrails.yaml:2: max_mod: unknown field")]


def test_a_mark_of_byte_order_hides_no_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Editors of Windows write one."""
    written = folder(tmp_path, f"\ufeff{beginners.RIGHT}")
    assert main(["policy", "lint", "--strict", str(written)]) == 0
    assert capsys.readouterr().out == "1 policy, 0 errors, 0 warnings\n"


@pytest.mark.parametrize("name", ["README.md", ".schema", ".drafts/isolate.yaml"])
def test_what_is_never_read_is_not_called_right(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever names a file of another kind, or one in a hidden folder, hears that nothing was checked."""
    written = folder(tmp_path)
    for beside in (".schema", ".drafts"):
        (written / beside).mkdir()
    (written / "README.md").touch()
    (written / ".drafts" / "isolate.yaml").touch()
    assert main(["policy", "lint", str(written / name)]) == 2
    assert f"{name}: not read: policies, cases and guardrails end in .yaml" in capsys.readouterr().err
    assert main(["policy", "lint", str(written / name), str(written / "guardrails.yaml")]) == 0


def test_every_transcript_is_compared() -> None:
    """No transcript is left of a mistake that is no longer tested."""
    assert {path.stem for path in beginners.TRANSCRIPTS.iterdir()} == set(beginners.MISTAKES)
    assert len(beginners.MISTAKES) == 10


def test_a_right_policy() -> None:
    """A right policy is met with its count and nothing else."""
    said = beginners.transcript(beginners.RIGHT)
    assert said == "$ scc-responder policy lint\n1 policy, 0 errors, 0 warnings\n[exit status 0]\n"


def test_the_shipped_policies_lint_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped policies have neither errors nor warnings."""
    assert main(["policy", "lint", "--strict", "--policies", str(SHIPPED)]) == 0
    assert capsys.readouterr().out.endswith(" policies, 0 errors, 0 warnings\n")


def test_warnings_fail_only_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is printed and passes; with --strict it fails."""
    text = beginners.RIGHT.replace("  - action: capture_evidence\n", "")
    arguments = ["policy", "lint", "--policies", str(folder(tmp_path, text))]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("contain-reverse-shell.yaml:20: warning: then[2].action: the pod is deleted before")
    assert out.endswith("1 policy, 0 errors, 1 warning\n")
    assert main([*arguments, "--strict"]) == 1


def test_json_has_every_field_of_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline gets one document with every field of every fault, and the same exit status."""
    where = folder(tmp_path, beginners.broken("misspelt-field"))
    assert main(["policy", "lint", "--policies", str(where), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["policies"], told["warnings"]) == (1, [])
    (error,) = told["errors"]
    assert (error["file"], error["line"], error["path"]) == ("contain-reverse-shell.yaml", 8, "when.thread")
    assert error["reason"] == "invalid_policy"


def test_what_is_found_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As SARIF or JSON, with the sum told beside it, and the same exit status."""
    where, file = folder(tmp_path, beginners.broken("misspelt-field")), tmp_path.parent / "lint.sarif"
    arguments = ["policy", "lint", str(where), "--format", "sarif", "--output", str(file)]
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{file}: 1 policy, 1 error, 0 warnings\n")
    (result,) = json.loads(file.read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{where}/contain-reverse-shell.yaml"
    assert place["region"] == {"startLine": 8}


def test_an_absent_folder_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is wrong use."""
    assert main(["policy", "lint", "--policies", str(tmp_path / "none")]) == 2
    said = capsys.readouterr()
    assert (said.out, "there is no such folder" in said.err) == ("", True)


HOSTILE = "a\x1b]0;owned\x07\u202eb"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(beginners.RIGHT + f'"{HOSTILE}": x\n'.encode("unicode_escape").decode(), id="key"),
        pytest.param(beginners.RIGHT.replace("reverse_shell", f'"{ascii(HOSTILE)[1:-1]}"'), id="word"),
        pytest.param(beginners.RIGHT.replace("then:", f"condition: '{HOSTILE[-2:]} == 1'\nthen:"), id="condition"),
    ],
)
def test_nothing_acts_on_the_terminal(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever stands in a policy that somebody sent, the terminal shows it and does not obey it."""
    assert main(["policy", "lint", "--policies", str(folder(tmp_path, text))]) == 1
    out = capsys.readouterr().out
    assert all(sign not in out for sign in ("\x1b", "\x07", "\u202e"))


def test_only_a_terminal_gets_colour(tmp_path: Path) -> None:
    """On a terminal the place stands out; elsewhere nothing but text is written."""
    where = str(folder(tmp_path, beginners.broken("mode-on")))
    terminal = Terminal("policy", "lint", "--policies", where)
    assert terminal.ended() == 1
    assert "\x1b[1mcontain-reverse-shell.yaml:5: \x1b[0m" in terminal.shown


@pytest.mark.parametrize(
    "command",
    [
        ("policy", "lint"),
        ("policy", "lint", "--format", "json"),
        ("policy", "test"),
        ("policy", "coverage"),
        ("permissions",),
        ("explain", str(FOLDER / "reverse_shell.json")),
        ("simulate", str(FOLDER / "reverse_shell.json")),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_an_empty_folder_is_wrong_use(
    tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without policies is the wrong folder, and not one in which all is well."""
    (tmp_path / "guardrails.yaml").write_text(beginners.GUARDRAILS)
    assert main([*command, "--policies", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert (told.out, f"no policies in {tmp_path}; name their folder with --policies" in told.err) == ("", True)


def test_a_folder_needs_no_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks as other linters are asked is answered: of the folder, or of these files alone."""
    where = folder(tmp_path, beginners.broken("mode-on"))
    (where / "other.yml").touch()
    assert main(["policy", "lint", str(where)]) == 1
    assert capsys.readouterr().out.endswith("1 policy, 2 errors, 0 warnings\n")
    assert main(["policy", "lint", str(where / "other.yml")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "other.yml: rename it to other.yaml, or it is not read",
        "0 policies, 1 error, 0 warnings",
    ]
    assert main(["policy", "lint", str(where / "guardrails.yaml")]) == 0


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_schema_prints_as_one_document(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema is printed as one JSON document."""
    assert main(["policy", "schema", kind]) == 0
    assert json.loads(capsys.readouterr().out) == schema(kind)


def test_schemas_are_written(tmp_path: Path) -> None:
    """All schemas are written where editors look for them."""
    assert main(["policy", "schema", "--write", str(tmp_path / ".schema")]) == 0
    assert {path.stem: path.read_text() for path in (tmp_path / ".schema").iterdir()} == {
        kind: schema_text(kind) for kind in FILE_KINDS
    }
