"""A running control plane, as tests see it: where it is, who may call it, and what it saw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp

from tests.cluster.audit import AuditEvent, AuditLog
from tests.cluster.client import ClusterClient
from tests.cluster.polling import wait_until
from tests.cluster.state import Identity, read_state

REPOSITORY = Path(__file__).parent.parent.parent
START_SECONDS = 300.0
STOP_SECONDS = 15.0


class NoAuditLog(Exception):  # noqa: N818 - a fact about the cluster in use
    """The cluster in use is someone else's, and its audit log cannot be read."""


class ControlPlane:
    """One API server. `url`, `ca_file` and `kubeconfig` (contexts `admin`, `responder`, `reader`, `powerless`)."""

    def __init__(
        self, *, url: str, ca_file: Path, kubeconfig: Path, identities: Mapping[str, Identity], audit_log: Path | None
    ) -> None:
        self.url = url
        self.ca_file = ca_file
        self.kubeconfig = kubeconfig
        self._identities = identities
        self._audit_log = audit_log
        self.clients: dict[str, ClusterClient] = {}

    @classmethod
    def attach(cls, folder: Path) -> ControlPlane:
        """The control plane that a supervisor runs in `folder`."""
        state = read_state(folder)
        return cls(
            url=state.url,
            ca_file=folder / "ca.pem",
            kubeconfig=folder / "kubeconfig",
            identities=state.identities,
            audit_log=folder / "audit.log",
        )

    @property
    def ca_pem(self) -> str:
        """The certificate authority that signed the server's certificate, as PEM."""
        return self.ca_file.read_text()

    def token(self, identity: str) -> str:
        """The bearer token of `admin`, `responder`, `reader` or `powerless`."""
        return self._identities[identity].token

    def user(self, identity: str) -> str:
        """The user name of an identity, as the audit log has it."""
        return self._identities[identity].user

    def client(self, identity: str) -> ClusterClient:
        """A plain client that acts as this identity; the same one at each call."""
        if identity not in self.clients:
            self.clients[identity] = ClusterClient(self.url, self.ca_file, self.token(identity))
        return self.clients[identity]

    @property
    def admin(self) -> ClusterClient:
        """The client of the fixtures, which may do everything."""
        return self.client("admin")

    def audit(
        self, *, user: str = "responder", since: datetime | None = None, namespace: str | None = None
    ) -> Sequence[AuditEvent]:
        """What `user` (an identity, or any user name) asked of the server, in the order of completion.

        `since` leaves out what arrived before; `namespace` what names another one (nodes and the like stay). Raises
        NoAuditLog.
        """
        name = self._identities[user].user if user in self._identities else user
        return [
            event
            for event in self._audit_reader.events()
            if event.user == name
            and (since is None or event.received >= since)
            and (namespace is None or event.namespace in {namespace, ""})
        ]

    @cached_property
    def _audit_reader(self) -> AuditLog:
        if self._audit_log is None:
            raise NoAuditLog("the cluster of SCC_RESPONDER_TEST_KUBECONFIG keeps no audit log that tests can read")
        return AuditLog(
            self._audit_log, lambda agent: self.admin.send("GET", "/version", headers={"User-Agent": agent})
        )


def start(
    folder: Path, programs: Mapping[str, Path], owner: int, supervisor: str = "tests.cluster.supervisor"
) -> ControlPlane:
    """Start a control plane in `folder`, which ends with the process `owner`. Raises RuntimeError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = json.dumps({name: str(path) for name, path in programs.items()})
    command = [sys.executable, "-m", supervisor, str(folder), str(owner), paths]
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "functions")])
    with TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": search_path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        wait_until(
            lambda: (folder / "state.json").exists() or process.poll() is not None,
            what="the control plane",
            seconds=START_SECONDS,
        )
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the control plane did not start:\n{log.read().decode(errors='replace')}")
    # The process outlives this object on purpose; `stop` ends it by its number, from whichever process.
    process.returncode = 0
    return ControlPlane.attach(folder)


def stop(folder: Path) -> None:
    """End the control plane in `folder`, if one runs, and wait until it is gone."""
    if (folder / "state.json").exists():
        os.kill(read_state(folder).supervisor, signal.SIGTERM)
        wait_until(lambda: not folder.exists(), what="the control plane to end", seconds=STOP_SECONDS)


@contextmanager
def running(programs: Mapping[str, Path]) -> Iterator[ControlPlane]:
    """A control plane of one's own, for the time of a `with` block."""
    folder = Path(mkdtemp(prefix="scc-control-plane-"))
    plane = start(folder, programs, os.getpid())
    try:
        yield plane
    finally:
        stop(folder)
