"""A headless Chromium for tests of pages, spoken to over pipes. `python -m tests.browser` installs it where CI may.

Source: Chrome DevTools Protocol; `--remote-debugging-pipe` reads from descriptor 3 and writes to 4.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.requirements import in_ci, missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"))
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)

_ON_THREE_AND_FOUR = """
import fcntl, os, sys
there, back = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(there, 3)
os.dup2(back, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page. `requests` and `errors` are what it asked the network for, and what went wrong in it."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands, self._events = commands, events
        self._received = b""
        self._number = 0
        self._session = ""
        self._loaded = 0
        self.requests: list[str] = []
        self.errors: list[str] = []

    def open(self, place: Path | str) -> None:
        """Show a file or an address, and wait until it is loaded."""
        if not self._session:
            target = self.send("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.send(f"{domain}.enable")
        self._loaded = 0
        self.send("Page.navigate", url=place if isinstance(place, str) else place.as_uri())
        self._wait()

    def click(self, selector: str) -> None:
        """Click on what the selector finds, as a person does, and wait until the next page is loaded."""
        place = f"document.querySelector({json.dumps(selector)})"
        shape = f"(() => {{ const e = {place}; e.scrollIntoView(); const r = e.getBoundingClientRect();"
        x, y = self.value(f"{shape} return [r.x + r.width / 2, r.y + r.height / 2]; }})()")
        self._loaded = 0
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self._wait()

    def write(self, selector: str, text: str) -> None:
        """Type text into a field."""
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.send("Input.insertText", text=text)

    def press(self, key: str, *, leads_on: bool = False) -> None:
        """Press Tab or Enter; where that leads to another page, wait until it is loaded."""
        self._loaded = 0
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)
        if leads_on:
            self._wait()

    def picture(self, width: int, height: int) -> bytes:
        """The page as a PNG of this size."""
        self.sized(width, height)
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def sized(self, width: int, height: int = 740) -> None:
        """Show it on a screen of this size; a narrow one is a phone's."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def faults(self) -> list[str]:
        """What axe finds at fault in the page, serious or worse: rule and element. Source: axe-core, `axe.run`."""
        script = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
        self.value(f"{script}; null")
        found = self.value("axe.run().then(found => found.violations)")
        grave = [rule for rule in found if rule["impact"] in {"serious", "critical"}]
        return [f"{rule['id']}: {node['html']}" for rule in grave for node in rule["nodes"]]

    def _wait(self) -> None:
        while not self._loaded:
            self._read()

    def value(self, expression: str) -> Any:
        """What the expression is in the page, or what it promises."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        command = {"id": self._number, "method": method, "params": parameters, **session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            part = os.read(self._events, 1 << 16)
            assert part, "the browser ended"
            self._received += part
        text, _, self._received = self._received.partition(b"\0")
        message = dict(json.loads(text))
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        self._loaded += message.get("method") == "Page.loadEventFired"
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["text"])
        if message.get("method") == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.errors.append(told["entry"]["text"])


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """A page in a browser of its own, with a new profile. Skips the test loudly where there is no browser."""
    chromium = program()
    if chromium is None:
        missing("Chromium", "no chromium on the PATH", " && ".join(" ".join(words) for words in INSTALL))
    (their_in, commands), (events, their_out) = os.pipe(), os.pipe()
    arguments = [sys.executable, "-c", _ON_THREE_AND_FOUR, str(their_in), str(their_out), chromium]
    arguments += [*OPTIONS, f"--user-data-dir={profile}"]
    browser = subprocess.Popen(
        arguments, pass_fds=(their_in, their_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(their_in)
    os.close(their_out)
    try:
        yield Page(commands, events)
    finally:
        os.close(commands)
        os.close(events)
        browser.kill()
        browser.wait()


def main() -> int:
    """Install the browser where CI may. Elsewhere people decide on system packages, and tests say what is missing."""
    if program() or not in_ci() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return 0
    for words in INSTALL:
        if subprocess.run(words, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False).returncode:
            print(f"could not install Chromium: {' '.join(words)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
