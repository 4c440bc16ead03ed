"""`policy schema`: one schema printed, or all of them written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema_text


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_each_kind_of_file_has_its_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is the schema that the code makes."""
    assert main(["policy", "schema", kind]) == 0
    assert capsys.readouterr().out == schema_text(kind)


def test_all_schemas_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a folder that is made; nothing is printed then."""
    assert main(["policy", "schema", "--write", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out == ""
    assert sorted(path.stem for path in (tmp_path / "new").glob("*.json")) == sorted(FILE_KINDS)
    assert json.loads((tmp_path / "new" / "policy.json").read_text())["$schema"]
