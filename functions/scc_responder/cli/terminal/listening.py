"""The port that a command lets something listen on: said on the command line, and free."""

from __future__ import annotations

import argparse
import socket

MAX_PORT = 65535


class PortError(OSError):
    """Nothing can listen there. The message says why, and what to do."""


def port(given: str) -> int:
    """A port to listen on, of the command line. Raises ArgumentTypeError."""
    return _number(given, 1)


def port_or_any(given: str) -> int:
    """A port to listen on, or 0 for any that is free. Raises ArgumentTypeError."""
    return _number(given, 0)


def _number(given: str, least: int) -> int:
    if not (given.isascii() and given.isdecimal() and least <= int(given[:6]) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"{given!r} is no port; give a number from {least} to {MAX_PORT}")
    return int(given)


def free(host: str, number: int) -> int:
    """The port, or of 0 one that is free. Raises PortError where something else listens there, or nothing can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        why = error.strerror or str(error)
        raise PortError(f"--port {number}: cannot listen on {host}: {why}; name another") from error
