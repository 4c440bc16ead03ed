"""`console`: the pages of a store, as a process of its own, and beside the function of `serve`."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from scc_responder.adapters.local.sqlite_store import SqliteStore
from tests.cli.commands import free_port, is_listening, run, settings_given, started
from tests.cluster.polling import wait_until


def flat(folder: Path) -> list[str]:
    """The settings as options."""
    return [word for pair in settings_given(folder).items() for word in pair]


def told_address(process: subprocess.Popen[str]) -> str:
    """The address that lets a browser in, once it is printed."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"open (http://127\.0\.0\.1:\d+/enter\?token=\S+)", line):
            return found[1]
    raise AssertionError(process.wait())


def status_of(address: str) -> int:
    """The status of the page at an address."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", f"{parts.path}?{parts.query}")
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """It prints the address that lets a browser in; Ctrl-C ends it."""
    SqliteStore(tmp_path / "journal.db").close()
    with started("console", *flat(tmp_path), cwd=tmp_path) as process:
        address = told_address(process)
        assert status_of(address) == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert not is_listening(urlsplit(address).port or 0)


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    """It creates none."""
    ended = run("console", "--store", "nowhere.db", cwd=tmp_path)
    assert ended.returncode == 2
    assert "nowhere.db: there is no such file" in ended.stderr
    assert not (tmp_path / "nowhere.db").exists()


def test_without_settings_the_pages_only_show(tmp_path: Path) -> None:
    """It says which setting is missing, and serves all the same."""
    SqliteStore(tmp_path / "journal.db").close()
    with started("console", "--store", "journal.db", cwd=tmp_path) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "the pages only show: SCC_RESPONDER_CLUSTERS is not set" in first
        assert status_of(told_address(process)) == 200


def test_it_is_beside_the_function_where_serve_is_asked(tmp_path: Path) -> None:
    """Both listen, and a signal ends both in order."""
    port = free_port()
    with started("serve", "--console", "--port", str(port), *flat(tmp_path), cwd=tmp_path) as process:
        address = told_address(process)
        wait_until(lambda: is_listening(port), what="the function to listen", seconds=30)
        assert status_of(address) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert not is_listening(port)
    assert not is_listening(urlsplit(address).port or 0)
