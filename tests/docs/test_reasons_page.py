"""docs/reasons.md: every reason of the package, made from the one module that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.reasons import Reason
from tests.docs import reasons


def test_the_page_is_what_the_module_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has drifted since it was written."""
    assert reasons.main([]) == 0, capsys.readouterr().err


def test_a_page_that_lacks_a_reason_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with the command that writes it anew."""
    page = tmp_path / "reasons.md"
    page.write_text(reasons.PAGE.read_text().replace("`pod_static`", "`pod_statik`"))
    monkeypatch.setattr(reasons, "PAGE", page)
    assert reasons.main([]) == 1
    assert reasons.COMMAND in capsys.readouterr().err
    assert reasons.main(["--write"]) == 0


def test_every_reason_is_on_the_page() -> None:
    """Each in a row of its own."""
    rows = [line for line in reasons.PAGE.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == len(Reason)
