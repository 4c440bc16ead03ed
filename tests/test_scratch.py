"""Tests write in memory where there is room, and nothing of it is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scratch import ASKED, NAMED, ScratchFolder, folder_in_memory


def test_a_folder_is_made_where_there_is_room(tmp_path: Path) -> None:
    """For this process alone; it is none where the room does not suffice, or there is no such place."""
    made = folder_in_memory(tmp_path, room=1)
    assert made == tmp_path / f"{NAMED}{os.getpid()}"
    assert made.stat().st_mode & 0o777 == 0o700
    made.rmdir()
    assert folder_in_memory(tmp_path, room=2**60) is None
    assert folder_in_memory(tmp_path / "missing", room=1) is None


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """What belongs to a process that runs stays, and so does everything else."""
    for name in (f"{NAMED}999999999", f"{NAMED}{os.getppid()}", "other"):
        (tmp_path / name / "inner").mkdir(parents=True)
    folder_in_memory(tmp_path, room=2**60)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{NAMED}{os.getppid()}", "other"])


def test_a_run_ends_without_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone with all that was written; a folder that somebody has asked for is left as it is."""
    monkeypatch.setattr("tests.scratch.folder_in_memory", lambda: tmp_path / "made")
    (tmp_path / "made" / "inner").mkdir(parents=True)
    asked = ScratchFolder()
    monkeypatch.setenv(ASKED, "/elsewhere")
    asked.pytest_configure()
    asked.pytest_unconfigure()
    assert (tmp_path / "made").exists()
    assert os.environ[ASKED] == "/elsewhere"

    monkeypatch.delenv(ASKED)
    made = ScratchFolder()
    made.pytest_configure()
    assert os.environ[ASKED] == str(tmp_path / "made")
    made.pytest_unconfigure()
    assert ASKED not in os.environ
    assert not (tmp_path / "made").exists()
