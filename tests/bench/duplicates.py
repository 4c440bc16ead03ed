"""How many duplicates one function settles per second."""

from __future__ import annotations

import http.client
import threading
import time

from tests.e2e.served import ServedFunction

CONNECTIONS = 8


def duplicates_per_second(function: ServedFunction, body: bytes, seconds: float) -> float:
    """Push copies of a settled finding over several connections for some seconds: those settled per second."""
    settled = [0] * CONNECTIONS
    until = time.monotonic() + seconds

    def push(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", function.port)
        while time.monotonic() < until:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204
            settled[number] += 1
        connection.close()

    threads = [threading.Thread(target=push, args=(number,)) for number in range(CONNECTIONS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(settled) / (time.monotonic() - start), 1)
