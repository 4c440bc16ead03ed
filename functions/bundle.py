"""Make the zip that is deployed: `python functions/bundle.py [dist/scc-responder.zip]`.

It holds main.py and every module that it can reach, the policies without their tests and with their compiled form, and
the hash-pinned requirements. The same content makes the same bytes, so that the digest in its name changes only with
it.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.compiled import COMPILED_FILE
from scc_responder.policy.policy_set import source_paths
from scc_responder.workbench.policies.meaning.meaning import require_meaning
from scc_responder.workbench.policy_files.policy_file import compile_policies

FUNCTIONS = Path(__file__).parent
POLICIES = FUNCTIONS.parent / "policies"
# Compression differs between zlib versions; stored bytes do not.
EPOCH = (1980, 1, 1, 0, 0, 0)


def contents() -> Iterator[tuple[str, bytes]]:
    """Every file of the zip as (name inside, content), in the order it is written. Raises PolicyError."""
    modules = reachable(FUNCTIONS / "main.py")
    data = {path for folder in {module.parent for module in modules} for path in folder.glob("*.json")}
    found = [FUNCTIONS / "requirements.txt", *modules, *data]
    files = {path.relative_to(FUNCTIONS).as_posix(): path.read_bytes() for path in found}
    compiled = compile_policies(POLICIES)
    require_meaning(POLICIES)
    paths = source_paths(POLICIES)
    policies = {f"policies/{path.relative_to(POLICIES).as_posix()}": path.read_bytes() for path in paths}
    yield from sorted({**files, **policies, f"policies/{COMPILED_FILE}": compiled}.items())


def reachable(start: Path) -> set[Path]:
    """The module and every module beside it that it can come to import: within functions and by a full name, too."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, start.parent)
    return found


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """What one module names that is a module under `root`, and the packages around it."""
    for name in _names(ast.parse(path.read_bytes())):
        if name == "iter_modules":
            yield from path.parent.rglob("*.py")  # a package that lists modules of its own imports all of them
            continue
        place = root.joinpath(*name.split("."))
        around = [folder / "__init__.py" for folder in (place, *place.parents) if folder.is_relative_to(root)]
        yield from (module for module in (place.with_suffix(".py"), *around) if module.is_file())


def _names(node: ast.AST) -> Iterator[str]:
    """Every name in the code that may be a module's. Imports for type checkers alone are passed over."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield from (module, *(f"{module}.{alias.name}" for alias in names))
        case ast.Constant(value=str(text)) if text.startswith("scc_responder."):
            yield text
        case ast.Name(id="iter_modules" as name):
            yield name
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def write(target: Path) -> str:
    """Write the zip and return its SHA-256. Raises PolicyError where the policies cannot be loaded."""
    files = list(contents())
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w", ZIP_STORED) as bundle:
        for name, content in files:
            entry = ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            bundle.writestr(entry, content)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> int:
    """Write the zip that the command line names."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist/scc-responder.zip")
    try:
        digest = write(target)
    except PolicyError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    print(f"{target} sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
