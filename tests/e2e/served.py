"""The deployment zip, served by the real functions-framework in a process of its own on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from zipfile import ZipFile

from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.cluster.polling import wait_until

ROOT = Path(__file__).parents[2]
LOCAL_STORE_MAIN = Path("tests") / "e2e" / "local_store_main.py"
"""The entry point of a zip whose store is a file of this machine, which main.py refuses."""
FAILING_MAIN = ROOT / "tests" / "e2e" / "failing_main.py"
"""An entry point whose ports have failpoints: see `tests.kits.failpoints`."""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bundled(zip_: Path, repository: Path = ROOT, policies: Path = PACK) -> Path:
    """The deployment zip of this repository and these policies, as `make bundle` makes it."""
    make = [sys.executable, "-m", "scc_responder.cli.main", "bundle", "--policies", str(policies), "--out", str(zip_)]
    functions = repository / "functions"
    if (functions / "bundle.py").exists():  # an earlier version, to compare with
        make = [sys.executable, str(functions / "bundle.py"), str(zip_)]
    subprocess.run(make, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(functions)})
    return zip_


def unzip(target: Path, repository: Path = ROOT, policies: Path = PACK) -> Path:
    """Make the deployment zip as `make bundle` does, and lay it out as Cloud Functions does: the folder."""
    bundle = bundled(target / "bundle.zip", repository, policies)
    with ZipFile(bundle) as archive:
        archive.extractall(target / "function")
    # Cloud Functions compiles the tree when it builds the image.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(target / "function")], check=True)
    return target / "function"


class ServedFunction:
    """functions-framework on one source folder, from `with` until its end."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        log: Path,
        target: str = "respond",
        port: int = 0,
        main: Path | None = None,
        repository: Path = ROOT,
    ) -> None:
        self.port = port or free_port()
        self.log = log
        self.source = folder
        self._target = target
        is_kept_here = environment.get("SCC_RESPONDER_STORE", "").startswith("sqlite:")
        has_store = (folder / "scc_responder" / "adapters" / "local").exists()  # an earlier version, to compare with
        main = main or (repository / LOCAL_STORE_MAIN if is_kept_here and not has_store else None)
        self._main = main or folder / "main.py"
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SCC_RESPONDER_", "PYTHON"))},
            "THREADS": "4",
            **({"PYTHONPATH": str(repository)} if main else {}),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is pushed to."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running framework."""
        assert self._process is not None
        return self._process

    def start(self) -> Self:
        """Start it, without waiting for it to listen."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "functions_framework", "--target", self._target),
                    *("--source", str(self._main), "--host", "127.0.0.1", "--port", str(self.port)),
                ],
                env=self._environment,
                cwd=self.source,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self

    def wait_listening(self, seconds: float = 60.0) -> None:
        """Wait until it accepts connections. Raises TimeoutError."""

        def listening() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return self._listening()

        wait_until(listening, what="functions-framework to listen", seconds=seconds)

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, timeout: float = 60.0
    ) -> tuple[int, bytes]:
        """Push one body: status and answer."""
        request = urllib.request.Request(
            self.url, body, {"Content-Type": "application/json", **(headers or {})}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def resident_megabytes(self) -> float:
        """Resident memory of the largest of its processes, in MB: the worker that answers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return max(_resident(int(pid)) for pid in [self.process.pid, *children])

    def kill(self) -> None:
        """SIGKILL it and its workers, and wait until they are gone. `start` brings it back on the same port."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # The worker holds the port until it is gone as well, and it is no child of ours to wait for.
        wait_until(lambda: not self._listening(), what="the killed function to be gone")

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        self.start().wait_listening()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
