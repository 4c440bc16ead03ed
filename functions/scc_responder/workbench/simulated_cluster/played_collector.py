"""What a collector would tell of a simulated pod: there are no processes there, so that its answers are made up.

They follow from the request alone: the first binary that it names runs, and its file is there. The stream is sealed to
the key in the container's arguments, as the real one is. Source: functions/collector/README.md.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.kubernetes.collector_stream import (
    LAST_CHUNK,
    MAGIC,
    MORE_CHUNKS,
    key_bytes,
    new_private_key,
    public_text,
    shared_key,
)
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.objects import kubernetes_time

CHUNK_BYTES = 9000
_PID = 43
_TICKS = 812345
_FILE = b"\x7fELF played by the simulated cluster\n"
_Fields = Mapping[str, Any]


def play(container: ApiObject, moment: datetime) -> bytes:
    """The log of a container of ours that was just put in; empty for any other."""
    words = [*container.get("args", ())]
    options = dict(word.removeprefix("-").partition("=")[::2] for word in words if "=" in word)
    if not words or words[0] not in _MODES or "key" not in options:
        return b""
    plain = b"".join(_MODES[words[0]](words, _request(options.get("request", "")), moment))
    end = {"length": len(plain), "sha256": hashlib.sha256(plain).hexdigest(), "denied": {}, "took_ms": 12}
    plain += _frame("Z", end)
    chunks = (plain[at : at + CHUNK_BYTES] for at in range(0, len(plain), CHUNK_BYTES))
    return b"".join(sealed_lines(chunks, options["key"], new_private_key()))


def sealed_lines(chunks: Iterable[bytes], recipient: str, private: bytes) -> Iterator[bytes]:
    """The lines that a collector writes for these plain chunks: what stands in for one, in tests and demo."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - cold start

    other = key_bytes(recipient)
    public = public_text(private)
    cipher = AESGCM(shared_key(private, other, sender=key_bytes(public), receiver=other))
    yield MAGIC + public.encode() + b"\n"
    held: bytes | None = None
    number = 0
    for chunk in chunks:
        if held is not None:
            yield b64encode(cipher.encrypt(number.to_bytes(12, "big"), held, MORE_CHUNKS)) + b"\n"
            number += 1
        held = chunk
    yield b64encode(cipher.encrypt(number.to_bytes(12, "big"), held or b"", LAST_CHUNK)) + b"\n"


def _request(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)) or b"{}")
    return decoded


def _cut(_words: Sequence[str], _wanted: _Fields, moment: datetime) -> Iterator[bytes]:
    times = {"began_at": kubernetes_time(moment), "ended_at": kubernetes_time(moment)}
    yield _document("run", version=1, mode="cut")
    yield _document(
        "cut",
        **times,
        scope="namespace",
        watched_ms=2000,
        rounds=2,
        found=1,
        destroyed=1,
        internal=0,
        errors={},
        unseen={},
        complete=True,
        severed_at=kubernetes_time(moment),
        cut=[{"protocol": "tcp", "state": "established", "local": "10.0.0.7:41234", "remote": "203.0.113.9:443"}],
        cut_left_off=0,
        left=[],
        left_count=0,
    )


def _look(words: Sequence[str], wanted: _Fields, moment: datetime) -> Iterator[bytes]:
    named = [(role, at, file) for role, key in _ROLES.items() for at, file in enumerate(wanted.get(key, ()))]
    program = next((file["path"] for role, _, file in named if role == "binary"), "/app/server")
    own = not any(role == "binary" for role, _, _ in named)
    match = {"pid": _PID, "start_ticks": _TICKS, "by": ["exe"], "parent_match": 0, "own_program": own, "proved": False}
    yield _document("run", version=1, mode="look", freeze="-freeze" in words, sockets="-sockets" in words)
    yield _document("matches", seen=2, unread=0, complete=True, matches=[match] if named else [])
    if "-freeze" in words:
        yield _freeze(moment, frozen=bool(named))
    process = {"pid": _PID, "parent": 1, "start_ticks": _TICKS, "exe": program, "args": [program], "uid": 0}
    first = {"pid": 1, "parent": 0, "start_ticks": 1, "exe": "/app/server", "args": ["/app/server"], "uid": 0}
    yield _document("processes", left_off=0, denied={}, processes=[first, process])
    yield _document("files", denied={}, files=[_file(number, *item, moment) for number, item in enumerate(named)])
    yield _document("sockets", left_off=0, denied={}, sockets=[])
    yield _document("mounts", left_off=0, denied={}, mounts=[])
    for number, (role, _, file) in enumerate(named):
        yield from _artefact(f"a{number}", role, file["path"])
    yield _document("changed_files", seen=2, changed=len(named), left_off=0, complete=True, denied={}, files=[])
    yield _document("compilers", denied={}, compilers=[])
    yield _document("packages", denied={}, databases=[], recent=[])


def _thaw(_words: Sequence[str], wanted: _Fields, _moment: datetime) -> Iterator[bytes]:
    processes = [{**item, "outcome": "thawed", "state": "S", "why": ""} for item in wanted.get("frozen", ())]
    yield _document("run", version=1, mode="thaw")
    yield _document("thaw", thawed=len(processes), complete=True, processes=processes)


_MODES = {"cut": _cut, "look": _look, "thaw": _thaw}
_ROLES = {"binary": "binaries", "script": "scripts", "library": "libraries"}


def _freeze(moment: datetime, *, frozen: bool) -> bytes:
    process = {"pid": _PID, "start_ticks": _TICKS, "outcome": "frozen", "state": "T", "why": ""}
    told = {"rounds": 1, "frozen": int(frozen), "complete": frozen, "frozen_at": kubernetes_time(moment)}
    return _document("freeze", asked=True, processes=[process] if frozen else [], **told)


def _file(number: int, role: str, index: int, wanted: _Fields, moment: datetime) -> dict[str, Any]:
    """A file that was added after the start of its container, with a hash of its own."""
    sha256 = hashlib.sha256(_FILE).hexdigest()
    matches = wanted.get("sha256") == sha256
    hashed = {"sha256": sha256, "matches": matches, "size": len(_FILE)}
    word = ("matches" if matches else "differs") if wanted.get("sha256") else "unknown"
    return {
        "role": role,
        "index": index,
        "path": wanted["path"],
        "hash": word,
        "running": [{"pid": _PID, **hashed}] if role == "binary" else [],
        "on_disk": {"state": "regular", **hashed, "changed_at": kubernetes_time(moment + timedelta(minutes=1))},
        "mount": {"path": "/", "type": "overlay", "volume": False},
        "package": {"manager": "", "name": "", "version": "", "installed_at": ""},
        "artefact": f"a{number}",
    }


def _artefact(name: str, role: str, path: str) -> Iterator[bytes]:
    begin = {"id": name, "role": role, "path": path, "pid": _PID, "by_path": False, "size": len(_FILE)}
    end = {"id": name, "length": len(_FILE), "sha256": hashlib.sha256(_FILE).hexdigest(), "complete": True, "why": ""}
    yield _frame("A", begin)
    yield b"D" + len(_FILE).to_bytes(4, "big") + _FILE
    yield _frame("E", end)


def _document(name: str, **fields: Any) -> bytes:
    return _frame("J", {"name": name, **fields})


def _frame(kind: str, content: _Fields) -> bytes:
    payload = json.dumps(content).encode()
    return kind.encode() + len(payload).to_bytes(4, "big") + payload
