"""What the history of an image says of a file or a package in a container. Pure.

Nobody in a container can change it: it has the digest that the kubelet names. Whoever built the image wrote it, so it
proves what was meant to be in the image, not what is in the container now. It may hold anything, at any length.
Source: OCI image specification 1.1, "Image Configuration", `history`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scc_responder.domain.value import Value

_MOST_LINES = 1000
_LONGEST_PATH = 4096
_NO_TIME = datetime(1990, 1, 1, tzinfo=UTC)
"""Builders that make the same bytes each time write a time before this one, which says nothing."""

_VERBS = {
    **dict.fromkeys(("apt-get", "apt", "aptitude", "yum", "dnf", "microdnf", "tdnf", "zypper"), "install"),
    "apk": "add",
}
"""The word of each package manager that installs what follows it."""

_COMPILERS = frozenset({"build-essential", "build-base", "alpine-sdk"})
"""What brings the compilers of GNU with it."""


class ImageHistory(Value, frozen=True, kw_only=True):
    """`lines` are how each layer was made, and when, the first first; `made_at` is when the last one was made."""

    lines: tuple[tuple[datetime | None, str], ...] = ()
    made_at: datetime | None = None

    def has_file(self, path: str) -> bool:
        """Whether a line copies something to exactly this path."""
        folder = "/"
        for _, line in self.lines:
            name, words = _instruction(line)
            if name == "WORKDIR" and words:
                folder = posixpath.join(folder, words[0])[:_LONGEST_PATH]
            elif name in {"COPY", "ADD"} and _comes_to(path, words, folder):
                return True
        return False

    def installed_at(self, package: str) -> tuple[bool, datetime | None]:
        """Whether a line installs a package by its name, and when that was, where known."""
        names = {package, re.sub(r"-[0-9][0-9.]*$", "", package)}
        names |= _COMPILERS if names & {"gcc", "g++", "cpp", "binutils"} else set()
        for made_at, line in self.lines if package else ():
            if any(name in names for name in _installed(line)):
                return True, made_at
        return False, None


def history_of(image: Mapping[str, Any]) -> ImageHistory:
    """What an image's configuration says of how it was made; nothing where it says nothing that can be read."""
    config = image.get("config")
    fields = config if isinstance(config, dict) else {}
    history = fields.get("history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    lines = tuple((_made(entry.get("created")), str(entry.get("created_by", ""))) for entry in entries[:_MOST_LINES])
    times = [made for made in (_made(fields.get("created")), *(made for made, _ in lines)) if made]
    return ImageHistory(lines=lines, made_at=max(times, default=None))


def _instruction(line: str) -> tuple[str, list[str]]:
    """The instruction of a build and its words, as both builders write them; empty for a shell's command."""
    text = line.strip()
    if text.startswith("/bin/sh -c"):
        shell, _, text = text.partition("#(nop)")
        text = "" if shell.removeprefix("/bin/sh -c").strip() else text
    name, *words = text.strip().removesuffix("# buildkit").split() or [""]
    return name, words


def _comes_to(path: str, words: Sequence[str], folder: str) -> bool:
    """Whether what is copied comes to this path. `file:HASH in PATH` is how the older builder says it."""
    named = [word for word in words if word != "in" and not word.startswith("--")]
    if len(named) < 2:
        return False
    *sources, target = named
    place = posixpath.normpath(posixpath.join(folder, target))
    if place == path and not target.endswith("/"):
        return True
    parent, base = posixpath.split(path)
    copied = {posixpath.basename(name) for name in sources if not name.startswith(("dir:", "file:", "multi:"))}
    return place == parent and base in copied


def _installed(line: str) -> Iterator[str]:
    """The names that package managers are told to install, without versions."""
    for command in re.split(r"[;&|]", line):
        words = iter(command.split())
        verb = next((_VERBS[name] for name in map(posixpath.basename, words) if name in _VERBS), "")
        if verb and verb in words:
            yield from (re.split(r"[=:~<>]", word.strip("\"'\\"))[0] for word in words)


def _made(text: object) -> datetime | None:
    time = time_of(text)
    return time if time and time > _NO_TIME else None


def time_of(text: object) -> datetime | None:
    """A time as RFC 3339 has it; None for any other text."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None
