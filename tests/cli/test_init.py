"""`init`: a repository of one's own policies."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import called


def test_every_file_is_named(tmp_path: Path) -> None:
    """What was written, and what was there and stays; then where to read on."""
    first = called("init", tmp_path / "ours")
    assert first.returncode == 0
    assert f"wrote {tmp_path}/ours/policies/shipped.yaml\n" in first.stdout
    assert first.stdout.endswith(f"{tmp_path}/ours/README.md says what to do next\n")
    (tmp_path / "ours" / "policies" / "shipped.yaml").unlink()
    told = json.loads(called("init", tmp_path / "ours", "--format", "json").stdout)
    assert told["written"] == ["policies/shipped.yaml"]
    assert "README.md" in told["kept"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """Nothing is written, and what is there is named."""
    (tmp_path / "ours").write_text("mine")
    done = called("init", tmp_path / "ours")
    assert done.returncode == 1
    assert str(tmp_path / "ours") in done.stderr
    assert (tmp_path / "ours").read_text() == "mine"
