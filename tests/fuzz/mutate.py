"""Notifications with the structure of real ones and anything at all in them, many thousands a second, from a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

from tests.findings import FOLDER, every_golden

MAX_DEPTH = 12
WORDS = (
    "", "x", "0", "3.0", "-1", "9223372036854775808", "1e309", "true", "null", "NULL_VALUE", "1970-01-01T00:00:00Z",
    "STATE_UNSPECIFIED", "2026-03-02T09:38:12.458107728Z", "9999-12-31T23:59:59+14:00", "\\u003d",
    '"quoted"', '"\\ud800"', "organizations/1/sources/2/findings/f", "ACTIVE", "MUTED", "THREAT", "CRITICAL",
    "\u202egnp.exe", "\x1b[2J", "a\ud800b", "\U000e0041", "../../etc/passwd", "$(id)", "{{7*7}}", "shop", "kube-system",
    "//k8s.io/core/v1/namespaces/kube-system/pods/container-watcher-abc12", "Added Binary Executed", "reverse  SHELL",
    "//container.googleapis.com/projects/p/zones/europe-west1-b/clusters/c", "a" * 5000, "\x00" * 300, "é" * 3000,
    "//run.googleapis.com/projects/p/locations/l/jobs/j",
)  # fmt: skip
NUMBERS = (0, 1, -1, 3.0, 0.5, 1e309, float("nan"), 2**31, 2**63, -(2**63) - 1, 1772441883, 5.33346e8)


@cache
def corpus() -> tuple[bytes, ...]:
    """Every golden, as it is published."""
    return tuple((FOLDER / f"{name}.json").read_bytes() for name in every_golden())


@cache
def _documents() -> tuple[str, ...]:
    readable = (content for content in corpus() if content.startswith(b"{"))
    return tuple(content.decode() for content in readable)


def notifications(seed: int, count: int) -> Iterator[bytes]:
    """So many random notifications; the same for the same seed."""
    random = Random(seed)
    for _ in range(count):
        yield notification(random)


def notification(random: Random) -> bytes:
    """A golden with some of its values changed, in one of the shapes that carry a finding."""
    document = json.loads(random.choice(_documents()))
    for _ in range(random.randint(1, 8)):
        mutate(document, random)
    return _encoded(_shaped(document, random), random)


def mutate(document: Any, random: Random) -> None:
    """Change one value, somewhere in the document, in place."""
    holder, key = _somewhere(document, random)
    if key is None:
        return
    change = random.choice(_CHANGES)
    holder[key] = change(holder[key], random)
    if isinstance(holder, dict) and random.random() < 0.1:
        holder[random.choice((*WORDS[:6], "eventTime", "name", "event_time", "kubernetes"))] = holder.pop(key)


def _somewhere(value: Any, random: Random) -> tuple[Any, Any]:
    """A container and one of its keys, found by going down at random; no key where there is none."""
    holder, key, stop = value, None, 0.02
    while isinstance(value, dict | list) and value:
        holder, key = value, random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        value = value[key]
        if random.random() < stop:
            break
        stop = 0.3
    return holder, key


def junk(random: Random, depth: int = 0) -> Any:
    """JSON of any kind."""
    kind = random.random()
    if kind < 0.5:
        return random.choice(WORDS)
    if kind < 0.65:
        return random.choice(NUMBERS)
    if kind < 0.75:
        return random.choice((None, True, False))
    if depth > 3:
        return []
    if kind < 0.88:
        return [junk(random, depth + 1) for _ in range(random.randint(0, 4))]
    return {random.choice(WORDS[:20]): junk(random, depth + 1) for _ in range(random.randint(0, 4))}


def _pairs(value: Any, random: Random) -> Any:
    return [{"key": key, "value": item} for key, item in value.items()] if isinstance(value, dict) else value


def _repeat(value: Any, random: Random) -> Any:
    return value * random.randint(2, 3) if isinstance(value, list) and len(value) < 50 else [value, value]


def _respelt(value: Any, random: Random) -> Any:
    """A number as another kind of number, a text with a layer of escapes."""
    if isinstance(value, int | float):
        whole_as_double = float(value) if abs(value) < 2**64 else -1.0
        return random.choice((str(value)[:400], whole_as_double, {"value": value}))
    return json.dumps(value) if isinstance(value, str) else value


def _elsewhere(value: Any, random: Random) -> Any:
    """A value of another golden."""
    holder, key = _somewhere(json.loads(random.choice(_documents())), random)
    return holder if key is None else holder[key]


def _nested(value: Any, random: Random) -> Any:
    for _ in range(random.choice((1, 2, 10, 60))):
        value = [value] if random.random() < 0.5 else {"key": value}
    return value


_CHANGES: tuple[Callable[[Any, Random], Any], ...] = (
    lambda value, random: junk(random),
    lambda value, random: random.choice(WORDS),
    lambda value, random: None,
    _pairs,
    _repeat,
    _respelt,
    _elsewhere,
    _nested,
)


def _shaped(document: Any, random: Random) -> Any:
    finding = document.get("finding") if isinstance(document, dict) else None
    shapes = (
        document,
        document,
        document,
        finding,
        {"listFindingsResults": [document]},
        {"findings": finding},
        [document],
    )
    return random.choice(shapes)


def _encoded(document: Any, random: Random) -> bytes:
    text = json.dumps(document, ensure_ascii=random.random() < 0.7)
    content = text.encode("utf-8", "surrogatepass")
    kind = random.random()
    if kind < 0.02:
        return content[: random.randrange(len(content) + 1)]
    if kind < 0.04:
        position = random.randrange(len(content) + 1)
        return content[:position] + random.randbytes(3) + content[position:]
    return content
