"""What is read of JSON is read as a type whose fields are known, however many threads read at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scc_responder.domain.value import Value, resolved

FUNCTIONS = Path(__file__).parents[2] / "functions"
PLAIN = ("dict[str, Any]", "list[Any]", "dict[str, str]", "dict[str, object]", "str", "tuple[msgspec.Raw]")
"""Types that have no fields."""

RACE = """
import sys, threading, types
import msgspec
from scc_responder.domain.value import resolved
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
        msgspec.json.decode(b'{"n0":{"name":"x"},"n9":{"n3":{"name":"y"}}}', type=resolved(kind))
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


def types_read(tree: ast.Module) -> Iterator[str]:
    """The types that msgspec is asked to read, as they are written."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name in {"msgspec.json.decode", "msgspec.json.Decoder"}:
            yield from (ast.unparse(given.value) for given in call.keywords if given.arg == "type")
            yield from (ast.unparse(given) for given in call.args[:1] if name.endswith("Decoder"))
        if name == "msgspec.convert":
            yield ast.unparse(call.args[1])


@pytest.mark.parametrize("path", sorted((FUNCTIONS / "scc_responder").rglob("*.py")), ids=lambda path: path.stem)
def test_every_type_with_fields_is_resolved(path: Path) -> None:
    """Nowhere else does msgspec meet a type first: which finding is the first of an instance nobody knows."""
    if path == FUNCTIONS / "scc_responder" / "domain" / "value.py":
        return
    read = types_read(ast.parse(path.read_text()))
    unresolved = [kind for kind in read if not kind.removeprefix("list[").startswith("resolved(")]
    assert set(unresolved) <= set(PLAIN)


def test_a_type_is_given_back_as_it_is() -> None:
    """The second time costs a look-up."""
    assert resolved(Value) is resolved(Value) is Value
