"""`scc-responder policy prove`, as a person and as a pipeline uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from tests.kits.responder import SHIPPED
from tests.workbench.proof.small_pack import written

AT = ["--at", "2026-03-02T09:45:00Z"]


def test_the_shipped_policies_are_proved(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing protected is reached, nothing is done for good without evidence, and no two policies fight."""
    assert main(["policy", "prove", "--policies", str(SHIPPED), *AT]) == 0
    assert capsys.readouterr().out.endswith(" situations, 0 shown that must be looked at\n")


def test_a_change_that_widens_ends_with_1_and_has_files_that_show_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And `explain` says of them what the proof said."""
    former = written(tmp_path / "former")
    edited = written(tmp_path / "edited", ("mark-privileged.yaml", "mode: dry_run", "mode: enforce"))
    command = ["policy", "prove", "--policies", str(edited), *AT]
    assert main([*command, "--against", str(edited)]) == 0
    capsys.readouterr()
    assert main([*command, "--against", str(former), "--counterexamples", str(tmp_path / "found")]) == 1
    assert capsys.readouterr().out.startswith("mark-privileged: mode_raised: goes further than before\n")
    (finding,) = [path for path in (tmp_path / "found").iterdir() if ".context" not in path.name]
    context = finding.with_suffix(".context.json")
    assert main(["explain", str(finding), "--context", str(context), "--policies", str(edited), *AT]) == 0
    assert "mark-privileged (enforce): matched" in capsys.readouterr().out


def test_json_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the sum told beside it."""
    output = tmp_path / "proof.json"
    arguments = ["--policies", str(written(tmp_path / "small")), *AT, "--format", "json", "--output", str(output)]
    assert main(["policy", "prove", *arguments]) == 0
    assert json.loads(output.read_text())["fails"] is False
    assert "0 shown that must be looked at" in capsys.readouterr().err


def test_a_folder_without_policies_proves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as the policies nor as the former ones; and it is said which of the two."""
    small = written(tmp_path / "small")
    (tmp_path / "empty").mkdir()
    assert main(["policy", "prove", "--policies", str(tmp_path / "empty")]) == 2
    assert main(["policy", "prove", "--policies", str(small), "--against", str(tmp_path / "empty")]) == 2
    assert main(["policy", "prove", "--policies", str(small), "--against", str(tmp_path / "none")]) == 2
    assert "--against" in capsys.readouterr().err
