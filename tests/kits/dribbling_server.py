"""A server on this machine that answers byte by byte, or takes a request byte by byte, for ever."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster.certificates import write_certificates


@contextmanager
def dribbling(
    *parts: bytes, then: bytes = b"", every: float = 0.05, takes: int = 65536, certificates: Path | None = None
) -> Iterator[str]:
    """The address of a server that answers everybody with these parts at once, then with `then` again and again.

    `takes`: how many bytes of the request it reads, as many again each time. With a folder of `certificates`, where
    it writes `ca.pem`, it speaks TLS: each byte of its records comes by itself.
    """
    over = threading.Event()
    trust = _certified(certificates) if certificates else None

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            speaker = _Speaker(connection, trust)
            speaker.take(takes)
            speaker.say(b"".join(parts), over, 0.0)
            while not over.is_set():
                if then:
                    speaker.say(then, over, every)
                elif over.wait(every) or takes < 65536:
                    speaker.take(takes)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, serve), daemon=True)
        thread.start()
        try:
            yield f"{'https' if trust else 'http'}://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join(2)


def _accept(server: socket.socket, serve: object) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()  # type: ignore[arg-type]


class _Speaker:
    """One side of a connection, of which each byte can be sent by itself, TLS or not."""

    def __init__(self, connection: socket.socket, trust: ssl.SSLContext | None) -> None:
        self._connection = connection
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trust.wrap_bio(self._came, self._goes, server_side=True) if trust else None
        if self._tls:
            self._until_done(self._tls.do_handshake)

    def take(self, count: int) -> None:
        """Read some of what came."""
        if self._tls:
            self._until_done(lambda: self._tls.read(count))  # type: ignore[union-attr]
        else:
            self._connection.recv(count)

    def say(self, data: bytes, over: threading.Event, every: float) -> None:
        """Send it, with a pause after each byte on the wire if there is one."""
        if self._tls:
            self._tls.write(data)
            data = self._goes.read()
        for piece in (data,) if not every else (data[at : at + 1] for at in range(len(data))):
            self._connection.sendall(piece)
            if over.wait(every):
                return

    def _until_done(self, step: object) -> None:
        while True:
            try:
                step()  # type: ignore[operator]
            except ssl.SSLWantReadError:
                self._connection.sendall(self._goes.read())
                came = self._connection.recv(4096)
                if not came:
                    raise OSError("closed") from None
                self._came.write(came)
            else:
                self._connection.sendall(self._goes.read())
                return


def _certified(folder: Path) -> ssl.SSLContext:
    write_certificates(folder, names=("localhost",), addresses=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
