"""How Google's emulators of the gcloud SDK are found and run: each is a Java program that keeps nothing on disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.polling import wait_until

START_SECONDS = 60.0
ATTEMPTS = 3


class EmulatorUnavailable(Exception):  # noqa: N818 - names what is the case
    """This machine has no such emulator, or it does not start. The message says why."""


@dataclass(frozen=True)
class Component:
    """One emulator among the gcloud SDK's components: its jar below the SDK, and what Java is told before the port."""

    name: str
    jar: str
    main: str = ""
    options: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What a person does who does not have it."""
        return f"install Java and the gcloud SDK, then: gcloud components install {self.name}"

    def command(self, search_path: str | None = None) -> list[str]:
        """What starts it, but for host and port. `search_path`: PATH. Raises EmulatorUnavailable."""
        gcloud = shutil.which("gcloud", path=search_path)
        if gcloud is None:
            raise EmulatorUnavailable("gcloud is not installed")
        java = shutil.which("java", path=search_path)
        if java is None:
            raise EmulatorUnavailable("java is not installed")
        root = Path(gcloud).resolve().parent.parent
        jars = self._jars(root) or self._jars(_reported_root(gcloud))
        if not jars:
            raise EmulatorUnavailable(f"the gcloud SDK in {root} lacks the component {self.name}")
        program = ["-cp", str(jars[-1]), self.main] if self.main else ["-jar", str(jars[-1])]
        return [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *self.options, *program]

    def _jars(self, root: Path) -> list[Path]:
        return sorted(root.glob(self.jar))

    @contextmanager
    def running(self) -> Iterator[tuple[str, int]]:
        """An emulator of one's own, until the block ends: its host:port and process id. Raises EmulatorUnavailable."""
        arguments = self.command()
        with tempfile.TemporaryDirectory(prefix=f"{self.name}-") as folder:
            process, port = _started(arguments, Path(folder) / "emulator.log")
            try:
                yield f"127.0.0.1:{port}", process.pid
            finally:
                process.kill()  # it keeps nothing, so there is nothing to end in order
                process.wait()


def _reported_root(gcloud: str) -> Path:
    """Where gcloud itself says that it is installed: wrappers such as snap's are no links into the SDK."""
    asked = [gcloud, "info", "--format=value(installation.sdk_root)"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    return Path(answer.stdout.strip() or os.devnull)


def _started(arguments: Sequence[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The process, accepting connections. Another may take the port first: then again, with another port."""
    for _ in range(ATTEMPTS):
        port = _free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*arguments, "--host=127.0.0.1", f"--port={port}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,
            )
        if _came_up(process, port):
            return process, port
    raise EmulatorUnavailable(f"the emulator does not start: {log.read_text(errors='replace')[-500:]}")


def _came_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it accepts connections; False if it ended instead."""
    wait_until(lambda: process.poll() is not None or _accepts(port), what="the emulator", seconds=START_SECONDS)
    return process.poll() is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
