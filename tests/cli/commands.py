"""Run `scc-responder` as a process of its own, on a stream or on a pseudo-terminal, or here in the test's process."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from scc_responder.cli.main import main

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "scc_responder.cli.main")
PLAIN = {"TERM": "xterm-256color", "NO_COLOR": "", "PYTHONPATH": str(ROOT / "functions")}


def environment(**given: str) -> dict[str, str]:
    """Our environment without settings of the product's or a terminal's size, and with what is given."""
    left_out = ("SCC_RESPONDER_", "COLUMNS", "LINES")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**ours, **PLAIN, **given}


def run(
    *arguments: str | Path, cwd: Path | None = None, seconds: float = 60, stdin: str = "", **given: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, its output being no terminal."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**given),
        capture_output=True,
        text=True,
        input=stdin,
        timeout=seconds,
        check=False,
    )


def called(*arguments: str | Path, cwd: Path | None = None, **given: str) -> subprocess.CompletedProcess[str]:
    """What `run` gives, from this process: most of a command's time is the start of Python and its imports."""
    words = [*map(str, arguments)]
    with (
        _environ(environment(**given)),
        chdir(cwd or Path.cwd()),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        try:
            code = main(words)
        except SystemExit as ended:  # wrong use, as argparse tells it
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextmanager
def _environ(given: Mapping[str, str]) -> Iterator[None]:
    """This process's environment, meanwhile."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(given)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def started(*arguments: str | Path, cwd: Path, **given: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is running; whatever the test does, it is ended by its pid."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, Ctrl-C is ignored, and what is started would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Terminal:
    """A command on a pseudo-terminal. `shown` is everything that it has written so far."""

    def __init__(self, *arguments: str, cwd: Path | None = None, **given: str) -> None:
        self.shown = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            # A test run in the background of a shell ignores Ctrl-C, and would hand that on.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(cwd or Path.cwd())
            os.execvpe(COMMAND[0], [*COMMAND, *arguments], environment(**given))

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Read until the text is shown. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while text not in self.shown:
            if time.monotonic() > until or not self._read():
                raise TimeoutError(f"{text!r} is not in: {self.shown[-2000:]}")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._terminal, b"\x03")

    def press_enter(self) -> None:
        """Press Enter."""
        os.write(self._terminal, b"\n")

    def ended(self, seconds: float = 30) -> int:
        """Read to the end, and return the exit status. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self._read():
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(self.shown[-2000:])
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        """Read what there is; False at the end."""
        if not select.select([self._terminal], [], [], 1.0)[0]:
            return True
        try:
            content = os.read(self._terminal, 65536)
        except OSError:
            return False
        self.shown += content.decode(errors="replace")
        return bool(content)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def listening_addresses(port: int) -> set[str]:
    """The local IPv4 and IPv6 addresses, in hex as the kernel tells them, on which the port is open."""
    lines: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines += Path(table).read_text().splitlines()[1:] if Path(table).exists() else []
    fields = (line.split() for line in lines)
    return {item[1].rpartition(":")[0] for item in fields if item[1].endswith(f":{port:04X}") and item[3] == "0A"}


def settings_given(folder: Path) -> Mapping[str, str]:
    """Options of `serve` that are enough for it to start in an empty folder."""
    (folder / "policies").mkdir()
    (folder / "findings").mkdir()
    return {
        "--policies": str(folder / "policies"),
        "--findings": str(folder / "findings"),
        "--store": str(folder / "journal.db"),
        "--evidence": str(folder / "evidence"),
        "--cluster-patterns": "projects/example-project/locations/*/clusters/*",
        "--sources": "1111111111111111111",
    }
