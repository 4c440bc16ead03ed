"""What is read of JSON is read as a type whose fields are known, however many threads read at once."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.value import Value, read_json, resolved
from scc_responder.execute.evidence.sealing import UnsignedManifest
from scc_responder.guard.kill_switch import Control
from scc_responder.guard.limits.ledger_document import Ledger
from scc_responder.guard.trust.error_budget import ErrorBudget
from scc_responder.guard.trust.first_shot import FirstShot
from scc_responder.journal.case import CaseRecord, Rejection
from scc_responder.journal.outbox.digest import DigestState, GatheredNotice
from scc_responder.journal.outbox.incident_threads import IncidentSpans
from scc_responder.journal.outbox.outbox import RouteWindow, WaitingNotice
from scc_responder.journal.read_clusters import ReadCluster
from scc_responder.journal.watch.watched_cases import WatchedCase
from scc_responder.pipeline.later.feed_check import FeedState
from scc_responder.pipeline.later.later_counts import LaterCount
from scc_responder.pipeline.later.later_notes import LaterNote

FUNCTIONS = Path(__file__).parents[2] / "functions"
RACE = """
import sys, threading, types
import msgspec
from scc_responder.domain.value import read_json
sys.setswitchinterval(1e-6)
lines = ["from __future__ import annotations", "import msgspec"]
for number in range(30):
    lines += [f"class S{number}(msgspec.Struct):", "    name: str = ''"]
    lines += [f"    n{other}: S{other} | None = None" for other in range(number)]
made = sys.modules["made"] = types.ModuleType("made")
exec("\\n".join(lines), made.__dict__)
start = threading.Barrier(8)
def read():
    start.wait()
    for kind in (made.S29, made.S20, made.S10):
        read_json(b'{"n0":{"name":"x"},"n9":{"n3":{"name":"y"}}}', kind)
threads = [threading.Thread(target=read) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_threads_that_read_a_new_type_at_once_end_well() -> None:
    """Eight threads that read the same types for the first time crash no process, ten times in a row."""
    for _ in range(10):
        done = subprocess.run(
            [sys.executable, "-c", RACE], check=False, env={"PYTHONPATH": str(FUNCTIONS)}, capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")


def read_otherwise(tree: ast.Module) -> Iterator[str]:
    """What is read of JSON otherwise than by `read_json`, and the types that `convert` is given unresolved."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name in {"msgspec.json.decode", "msgspec.json.Decoder"}:
            yield ast.unparse(call)
        if name == "msgspec.convert" and not ast.unparse(call.args[1]).removeprefix("list[").startswith("resolved("):
            yield ast.unparse(call)


LENIENT = {"domain/value.py", "intake/json_text.py", "intake/envelope.py", "adapters/local/findings_export.py"}
"""What reads JSON for the others, and what takes more than strict JSON: findings as they come."""


@pytest.mark.parametrize("path", sorted((FUNCTIONS / "scc_responder").rglob("*.py")), ids=lambda path: path.stem)
def test_json_is_read_in_one_way(path: Path) -> None:
    """Nowhere else does msgspec meet a type first, and what is no UTF-8, or nested without end, is refused as the rest.

    Which finding is the first of an instance nobody knows, and a record, an annotation or an answer may be anything.
    """
    if path.relative_to(FUNCTIONS / "scc_responder").as_posix() not in LENIENT:
        assert list(read_otherwise(ast.parse(path.read_text()))) == []


STORED = [
    *(CaseRecord, Rejection, WatchedCase, ReadCluster, Control, Ledger, FirstShot, ErrorBudget, UnsignedManifest),
    *(DigestState, GatheredNotice, IncidentSpans, WaitingNotice, RouteWindow, Notice, FeedState, LaterNote, LaterCount),
]


def times_in(info: Any, seen: set[Any]) -> Iterator[bool | None]:
    """Whether each time in what msgspec knows of a type has a zone."""
    if isinstance(info, msgspec.inspect.DateTimeType):
        yield info.tz
    if not hasattr(info, "__struct_fields__") or getattr(info, "cls", None) in seen:
        return
    seen |= {info.cls} if hasattr(info, "cls") else set()
    for name in info.__struct_fields__:
        parts = getattr(info, name)
        for part in parts if isinstance(parts, tuple) else [parts]:
            yield from times_in(part, seen)


@pytest.mark.parametrize("kind", STORED)
def test_each_time_that_is_stored_has_a_zone(kind: type[Value]) -> None:
    """One without would be read, and end whoever compares it in the middle of a case."""
    found = [*times_in(msgspec.inspect.type_info(kind), set())]
    assert found
    assert set(found) == {True}


class Read(Value, frozen=True, kw_only=True):
    """A value that is read."""

    name: str


DAMAGES = [
    b"",
    b"{",
    b"[]",
    b'{"name": 1}',
    b"\xff",
    b'{"name": "\xff"}',
    b'{"name": ' + b"[" * 50_000,
    '{"name": "\ud800"}',
]


@pytest.mark.parametrize("wanted", [Read, dict[str, str], Any])
@pytest.mark.parametrize("content", DAMAGES)
def test_what_makes_no_sense_is_one_error(content: bytes | str, wanted: Any) -> None:
    """Whoever reads has one thing to expect."""
    if wanted is Any and content in DAMAGES[2:4]:
        return
    with pytest.raises(msgspec.DecodeError):
        read_json(content, wanted)


@given(content=st.binary() | st.text(st.characters(blacklist_categories=())))
def test_whatever_is_read_is_a_value_or_that_error(content: bytes | str) -> None:
    """Of any bytes, and of any text."""
    with suppress(msgspec.DecodeError):
        assert read_json(content, Any) == json.loads(content)


def test_a_type_is_given_back_as_it_is() -> None:
    """The second time costs a look-up."""
    assert resolved(Value) is resolved(Value) is Value
