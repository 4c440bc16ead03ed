"""Which test files belong to which module of the package.

- `guard/ledger.py` has `tests/guard/test_ledger.py`.
- Where the package has the name twice, the folder stands before it: `cli/control.py` may have
  `tests/cli/test_cli_control.py`, since no two test files bear one name.
- A folder's `__init__.py` counts as a module of the folder's name in it: `cli/case/__init__.py` has
  `tests/cli/case/test_case.py` or `tests/cli/case/test_cli_case.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "functions" / "scc_responder"
TESTS = ROOT / "tests"

EXCEPTIONS: Mapping[str, str] = {
    "entrypoint/console/persons_answer.py": "protocols alone: nothing runs",
    "domain/ports.py": "protocols alone: nothing runs",
    "domain/kubernetes/paged_api.py": "a protocol alone: nothing runs",
}
"""Modules that need no test file of their own, and why."""

_FUNCTION = re.compile(r"^ *(?:async )?def ", re.MULTILINE)


def functions(path: Path) -> list[str]:
    """The names of all functions and methods of a file."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


def modules() -> list[str]:
    """The modules that have a function, as paths in the package."""
    return [
        str(path.relative_to(PACKAGE)) for path in sorted(PACKAGE.rglob("*.py")) if _FUNCTION.search(path.read_text())
    ]


def candidates(module: str) -> list[Path]:
    """Where the test file of a module may lie."""
    path = Path(module)
    named = path.parent if path.stem == "__init__" else path.with_suffix("")
    return [
        TESTS / path.parent / f"test_{named.name}.py",
        TESTS / path.parent / f"test_{named.parent.name}_{named.name}.py",
    ]


def own_test_file(module: str) -> Path | None:
    """The test file of a module."""
    return next((path for path in candidates(module) if path.exists()), None)
