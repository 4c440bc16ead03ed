"""The pages on a port of this machine: on loopback alone, for its exact name, and gone when the command ends."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from scc_responder.cli.console.page_server import served_console
from tests.kits.console_pages import KeptAnswers
from tests.kits.no_journal import NO_JOURNAL


def asked(base: str, path: str, host: str = "") -> tuple[int, str]:
    """What is answered to a request, under another name if one is given."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_answers_on_loopback_by_its_own_name_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """Another name for this machine, as DNS rebinding makes one, is refused; no line of a log has the token."""
    told: list[str] = []
    with served_console(NO_JOURNAL, KeptAnswers(), told.append) as base:
        assert base.startswith("http://127.0.0.1:")
        assert told[0].startswith(f"{base}/enter?token=")
        assert asked(base, told[0].removeprefix(base))[0] == 200
        assert asked(base, "/")[0] == 403
        for name in ("evil.example", f"localhost:{urlsplit(base).port}", "127.0.0.1"):
            assert asked(base, "/", name)[0] == 421
        with pytest.raises(OSError, match="refused"):
            asked(
                base.replace("127.0.0.1", "127.0.0.2"), "/"
            )  # bound to this address alone: that one is this machine's, too
    written = capfd.readouterr()
    assert "token" not in written.out + written.err
    with pytest.raises(OSError, match="refused"):
        asked(base, "/")
