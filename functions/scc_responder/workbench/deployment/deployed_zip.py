"""The zip that is deployed: main.py, every module that it can reach, policies with their compiled form, requirements.

The same content makes the same bytes, from a wheel and from a clone, so that the digest in its name changes only with
it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from scc_responder.policy.compiled import COMPILED_FILE
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.deployment.catalogue_check import read_catalogue
from scc_responder.workbench.policies.meaning.meaning import require_meaning
from scc_responder.workbench.policy_files.policy_file import compile_policies
from scc_responder.workbench.policy_files.shipped_pack import policy_sources

_ROOT = Path(__file__).parents[3]
_PACKAGE = "scc_responder"
# Compression differs between zlib versions; stored bytes do not.
_DATA = ("*.json", "*.html", "*.css")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def deployed_files(policies: Path) -> Mapping[str, bytes]:
    """Every file of the zip, by its name inside. Raises PolicyError where the policies cannot be used.

    Raises SettingsError where the catalogue of threats makes no sense.
    """
    modules = reachable_modules(carried(Carried.MAIN), _ROOT)
    folders = {module.parent for module in modules}
    data = {path for folder in folders for kind in _DATA for path in folder.glob(kind)}
    files = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in modules | data}
    alone = {str(what): carried(what).read_bytes() for what in (Carried.MAIN, Carried.REQUIREMENTS)}
    read_catalogue(files["scc_responder/intake/threats.json"])
    compiled = compile_policies(policies)
    require_meaning(policies)
    sources = {f"policies/{name}": path.read_bytes() for name, path in policy_sources(policies).items()}
    return {**files, **alone, **sources, f"policies/{COMPILED_FILE}": compiled}


def reachable_modules(start: Path, root: Path) -> set[Path]:
    """Every module of the package below `root` that a file can come to import, within functions and by name, too."""
    found: set[Path] = set()
    waiting = [*_imported(start, root)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, root)
    return found


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """What one file names that is a module of the package, and the packages around it."""
    for name in _names(ast.parse(path.read_bytes())):
        if name == "iter_modules":
            yield from path.parent.rglob("*.py")  # a package that lists modules of its own imports all of them
        elif name.partition(".")[0] == _PACKAGE:
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
        case ast.Constant(value=str(text)) if text.startswith(f"{_PACKAGE}."):
            yield text
        case ast.Name(id="iter_modules" as name):
            yield name
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def write_zip(files: Mapping[str, bytes], target: Path) -> str:
    """Write the files as a zip, in the order of their names, and return its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w", ZIP_STORED) as made:
        for name, content in sorted(files.items()):
            entry = ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            made.writestr(entry, content)
    return hashlib.sha256(target.read_bytes()).hexdigest()
