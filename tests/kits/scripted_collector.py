"""A cluster whose collector's containers answer as a test says, sealed to the key that they were put in with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scc_responder.domain.kubernetes.ephemeral_containers import ephemeral_of
from scc_responder.domain.ports import ApiObject
from tests.kits.collector_logs import document, ended, pieces, sealed

Answer = Callable[[ApiObject], bytes]
"""The log of a container, as it stands in the pod's spec."""

AT = "2026-03-02T09:37:05.120Z"


def says(*told: bytes) -> Answer:
    """A whole answer of these documents."""
    return lambda container: sealed(ended(b"".join(told)), key_of(container))


def breaks_off(*told: bytes) -> Answer:
    """An answer whose last line is missing."""
    return lambda container: sealed(ended(b"".join(told)), key_of(container)).rpartition(b"\n")[0].rpartition(b"\n")[0]


def key_of(container: ApiObject) -> str:
    """The key that its answer is for."""
    return next(str(word).removeprefix("-key=") for word in container["args"] if word.startswith("-key="))


def cut(**fields: Any) -> bytes:
    """That every connection was ended, or what else `fields` say."""
    return document(
        "cut", **{"found": 2, "destroyed": 2, "complete": True, "severed_at": AT, "watched_ms": 2000, **fields}
    )


def matches(*pids: int, **fields: Any) -> bytes:
    """That these processes are the finding's, of twelve."""
    found = [{"pid": pid, "start_ticks": 8000 + pid, "by": ["sha256"]} for pid in pids]
    return document("matches", **{"seen": 12, "unread": 0, "complete": True, "matches": found, **fields})


def freeze(**outcomes: str) -> bytes:
    """What came of stopping them: `p43="frozen"`."""
    told = [
        {"pid": int(name[1:]), "start_ticks": 8000 + int(name[1:]), "outcome": outcome, "state": "T"}
        for name, outcome in outcomes.items()
    ]
    frozen = sum(outcome == "frozen" for outcome in outcomes.values())
    complete = frozen > 0 and set(outcomes.values()) <= {"frozen", "gone"}
    return document("freeze", asked=True, frozen=frozen, complete=complete, frozen_at=AT, processes=told)


class ScriptedApi:
    """An adapter's API whose logs of our containers are what `answers` say, each by the word in a container's name."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.answers: dict[str, Answer] = {}
        self.logs: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def read_log(self, path: str, *, container: str, **options: Any) -> Iterable[bytes]:
        """The log of a container."""
        if not container.startswith("scc-responder-"):
            log: Iterable[bytes] = self._api.read_log(path, container=container, **options)
            return log
        self.logs.append(container)
        there = ephemeral_of(self._api.get(path.removesuffix("/log")), container)
        return pieces(self.answers[container.split("-")[2]](there or {}), 4096)


def thaw(**outcomes: str) -> bytes:
    """What came of letting these go on: `p43="thawed"`."""
    processes = [{"pid": int(name[1:]), "start_ticks": 1, "outcome": outcome} for name, outcome in outcomes.items()]
    thawed = sum(outcome == "thawed" for outcome in outcomes.values())
    complete = set(outcomes.values()) <= {"thawed", "gone"}
    return document("thaw", thawed=thawed, complete=complete, processes=processes)


def obedient(api: Any) -> ScriptedApi:
    """An API whose collector cuts, freezes and thaws whatever it is asked to."""
    scripted = ScriptedApi(api)
    frozen = says(matches(43), freeze(p43="frozen"))
    scripted.answers |= {"cut": says(cut()), "look": frozen, "freeze": frozen, "thaw": says(thaw(p43="thawed"))}
    return scripted
