"""The settings of a file in place of the environment's."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.cli.terminal.settings_file import settings_environment, text_of
from scc_responder.domain.errors import SettingsError


def test_a_file_stands_in_for_the_settings_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other variables stay; of ours only those of the file count."""
    monkeypatch.setenv("SCC_RESPONDER_STORE", "sqlite:///a.db")
    monkeypatch.setenv("OTHER", "x")
    file = tmp_path / "responder.env"
    file.write_text("SCC_RESPONDER_SOURCES=1\n")
    found = settings_environment(str(file))
    assert (found["SCC_RESPONDER_SOURCES"], found["OTHER"], "SCC_RESPONDER_STORE" in found) == ("1", "x", False)
    assert settings_environment(None)["SCC_RESPONDER_STORE"] == "sqlite:///a.db"


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    """With what is wrong with it."""
    file = tmp_path / "responder.env"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"responder.env: {said}"):
        text_of(str(file))
    with pytest.raises(SettingsError, match=r"terraform output -raw settings > .*responder\.env makes it"):
        settings_environment(str(file))
