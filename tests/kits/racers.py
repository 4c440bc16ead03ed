"""Threads and processes that race for a store, some of which are killed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from threading import Barrier
from typing import Any, TypeVar

from scc_responder.domain.errors import AlreadyExists, Conflict
from scc_responder.domain.store import CasStore

Opener = Callable[[], CasStore]
T = TypeVar("T")
SPAWN = multiprocessing.get_context("spawn")


def create_all(store: CasStore, racer: str, count: int) -> list[str]:
    """Create `race/0` and on; the keys this racer won."""
    won = []
    for number in range(count):
        try:
            store.create(f"race/{number}", racer.encode())
        except AlreadyExists:
            continue
        won.append(f"race/{number}")
    return won


def replace_all(store: CasStore, racer: str, count: int) -> list[str]:
    """Replace `race/0` and on, of those that nobody has replaced yet; the keys this racer won."""
    versions = {entry.key: entry.version if entry.value == b"" else "" for entry in store.scan("race/").entries}
    won = []
    for number in range(count):
        key = f"race/{number}"
        try:
            store.replace(key, racer.encode(), versions[key])
        except Conflict:
            continue
        won.append(key)
    return won


def count_up(store: CasStore, racer: str, count: int) -> list[str]:
    """Add 1 to `counter` `count` times, again after each conflict; the versions that were written."""
    versions: list[str] = []
    while len(versions) < count:
        entry = store.get("counter")
        assert entry is not None
        try:
            versions.append(store.replace("counter", b"%d" % (int(entry.value) + 1), entry.version).version)
        except Conflict:
            continue
    return versions


def in_threads(count: int, call: Callable[[], T]) -> list[T]:
    """What each of `count` threads got from a call that all began together."""
    barrier = Barrier(count)

    def run(_: int) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def in_processes(count: int, race: Callable[[CasStore, str, int], Any], opener: Opener, amount: int) -> list[Any]:
    """What each of `count` processes got, all of which began together."""
    barrier = SPAWN.Barrier(count)
    ends = []
    processes = []
    for racer in range(count):
        mine, theirs = SPAWN.Pipe(duplex=False)
        process = SPAWN.Process(target=_race, args=(theirs, barrier, race, opener, (str(racer), amount)))
        process.start()
        theirs.close()
        ends.append(mine)
        processes.append(process)
    results = [end.recv() for end in ends]
    for process in processes:
        process.join()
    return results


def _race(end: Connection, barrier: Any, race: Any, opener: Opener, arguments: tuple[str, int]) -> None:
    barrier.wait()
    end.send(race(opener(), *arguments))


def kept_by_killed_writers(opener: Opener, *, rounds: int, writers: int) -> list[str]:
    """The keys that writing processes had acknowledged when each was killed in the midst of writing."""
    acknowledged: list[str] = []
    for number in range(rounds):
        started = [_start_writer(opener, f"{number}-{writer}") for writer in range(writers)]
        for index, (process, end) in enumerate(started):
            acknowledged += [end.recv() for _ in range(10 + 7 * index + 3 * number)]
            process.kill()
            acknowledged += _rest(end)
            process.join()
    return acknowledged


def _start_writer(opener: Opener, name: str) -> tuple[Any, Connection]:
    mine, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=_write_forever, args=(theirs, opener, name))
    process.start()
    theirs.close()
    return process, mine


def _write_forever(end: Connection, opener: Opener, name: str) -> None:
    store = opener()
    for number in range(100_000):
        key = f"{name}/{number}"
        store.create(key, key.encode() * 50)
        end.send(key)


def _rest(end: Connection) -> list[str]:
    rest = []
    try:
        while True:
            rest.append(end.recv())
    except (EOFError, OSError):
        return rest
