"""A request is one write: nothing of it is sent where it cannot be sent whole."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.adapters.kubernetes.one_write import OneWriteConnection, OneWritePool


class Recorded(OneWriteConnection):
    """A connection whose socket keeps what is written."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.writes: list[bytes] = []
        self.sock: Any = self

    def sendall(self, data: Any) -> None:
        """Keep it."""
        self.writes.append(bytes(data))

    def settimeout(self, seconds: float | None) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


def test_head_and_body_are_one_write() -> None:
    """However many parts they have."""
    connection = Recorded()
    connection.request("PATCH", "/a", body=b"{}", headers={"Accept": "x"})
    (whole,) = connection.writes
    assert whole.startswith(b"PATCH /a HTTP/1.1\r\n")
    assert whole.endswith(b"\r\n\r\n{}")


def test_a_request_that_fails_sends_nothing() -> None:
    """A header that cannot be sent stops it before its first byte."""
    connection = Recorded()
    with pytest.raises(ValueError, match="header"):
        connection.request("PATCH", "/a", headers={"A": "b\nc"})
    assert connection.writes == []


def test_the_pool_makes_such_connections() -> None:
    """Each of its connections writes once."""
    assert OneWritePool.ConnectionCls is OneWriteConnection
