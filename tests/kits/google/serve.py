"""Security Command Center and GKE in a process of their own, for benchmarks and for the served function.

`python -m tests.kits.google.serve --scc-findings FILE --clusters FILE` prints
`{"scc": "127.0.0.1:N", "gke": "127.0.0.1:N"}` and serves until SIGTERM, or until the process that started it is gone.
The findings file is a JSON list of notifications; the clusters file maps `projects/P/locations/L/clusters/C` to a
cluster in the GKE API's JSON. Both are read again whenever they change.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer, cluster, item


def main(arguments: list[str] | None = None) -> int:
    """Serve both."""
    options = _options(arguments)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    parent = os.getppid()
    scc, gke = SecurityCenterServer(port=options.scc_port), ClusterManagerServer(port=options.gke_port)
    files = [Followed(options.scc_findings, lambda held: _set_findings(scc, held))]
    files.append(Followed(options.clusters, lambda held: _set_clusters(gke, held)))
    with scc, gke:
        for file in files:
            file.read_if_changed()
        print(json.dumps({"scc": scc.endpoint, "gke": gke.endpoint}), flush=True)
        while not stopping.wait(0.05) and os.getppid() == parent:
            for file in files:
                file.read_if_changed()
    return 0


class Followed:
    """A JSON file that is read whenever it has changed."""

    def __init__(self, path: Path | None, take: Callable[[Any], None]) -> None:
        self._path = path
        self._take = take
        self._seen = (0, 0)

    def read_if_changed(self) -> None:
        """Read it, unless it is as it was. A file that is being written is read when it is whole."""
        if self._path is None:
            return
        status = self._path.stat()
        if (status.st_mtime_ns, status.st_size) == self._seen:
            return
        try:
            self._take(json.loads(self._path.read_bytes()))
        except json.JSONDecodeError:
            return
        self._seen = (status.st_mtime_ns, status.st_size)


def _set_findings(server: SecurityCenterServer, held: list[dict[str, Any]]) -> None:
    server.items = [item(notification) for notification in held]


def _set_clusters(server: ClusterManagerServer, held: dict[str, dict[str, Any]]) -> None:
    server.clusters = {path: cluster(document) for path, document in held.items()}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kits.google.serve")
    parser.add_argument("--scc-findings", type=Path)
    parser.add_argument("--clusters", type=Path)
    parser.add_argument("--scc-port", type=int, default=0)
    parser.add_argument("--gke-port", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
