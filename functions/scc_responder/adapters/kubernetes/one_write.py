"""Connections that send a request in one write, and read its answer within one time.

urllib3 writes head and body apart. Over TLS that is two records and two packets, and an API server on a busy machine
wakes up twice: measured, a third of the time that a small PATCH takes. And it bounds each read, not the answer: a
server that sends a byte now and then, in a header or in a chunk's length, would be waited for without an end. Nor does
it bound how much comes before the body: a server may say `100 Continue` for ever.
"""

from __future__ import annotations

import socket
import ssl
import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    _Socket = socket.socket
    _Connection = HTTPConnection
else:
    _Socket = _Connection = object

MOST_HEAD_BYTES = 1024 * 1024
"""Of an answer, before its body begins: status lines and headers."""

_ENDLESS = float("inf")


class TimedReads(_Socket):
    """A socket whose reads all end by one moment: `read_until`, on the monotonic clock.

    `head_left`: how many bytes are read at most, until the head of an answer has come.
    """

    read_until = _ENDLESS
    head_left = _ENDLESS

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read. Raises TimeoutError once the time is over, HTTPException where the head is too long."""
        left = self.read_until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if self.head_left <= 0:
            raise HTTPException("the head of the answer is too long")
        if left != _ENDLESS:
            self.settimeout(left)
        count = super().recv_into(buffer, nbytes or 0, flags)
        self.head_left -= count
        return count


class TimedSocket(TimedReads, socket.socket):
    """Such a socket without TLS."""


class TimedTlsSocket(TimedReads, ssl.SSLSocket):
    """Such a socket with TLS."""


class _OneWrite(_Connection):
    """A connection whose `request` writes once, and whose answer comes within its timeout or not at all."""

    _kept: list[bytes] | None = None

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request. Nothing of it is sent where it cannot be sent whole."""
        self._kept = []
        try:
            super().request(*arguments, **options)
            whole = b"".join(self._kept)
        finally:
            self._kept = None
        self.send(whole)

    def send(self, data: Any) -> None:
        """Write, or keep for the one write that ends the request."""
        if self._kept is None or not isinstance(data, bytes):
            super().send(data)
        else:
            self._kept.append(data)

    def getresponse(self) -> Any:
        """The answer's head. From now on all of it must come within the connection's timeout."""
        opened = self.sock  # which the connection forgets with an answer that ends it
        if not isinstance(opened, TimedReads):
            return super().getresponse()
        opened.read_until = time.monotonic() + self.timeout if self.timeout else _ENDLESS
        opened.head_left = MOST_HEAD_BYTES
        answer = super().getresponse()
        opened.head_left = _ENDLESS
        return answer


class OneWriteConnection(_OneWrite, HTTPSConnection):
    """Such a connection over TLS."""


class PlainConnection(_OneWrite, HTTPConnection):
    """Such a connection on this machine, without TLS."""

    def connect(self) -> None:
        """Connect, by a socket whose reads end."""
        super().connect()
        plain = self.sock
        self.sock = TimedSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())


class OneWritePool(HTTPSConnectionPool):
    """A pool of such connections over TLS."""

    ConnectionCls = OneWriteConnection


class PlainPool(HTTPConnectionPool):
    """A pool of such connections on this machine."""

    ConnectionCls = PlainConnection
