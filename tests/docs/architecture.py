"""The folders and layers of the package, for docs/architecture.md.

`python -m tests.docs.architecture` writes the page's tables again.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator

from scc_responder.cli.terminal.markdown import markdown_table
from tests.docs.examples import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "functions" / "scc_responder"
COMMAND = "python -m tests.docs.architecture"


def entries() -> list[str]:
    """Each folder (`guard/`) and module (`settings.py`) of the package, by layer, the highest first."""
    present = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    present = [path for path in present if not path.name.startswith("_")]
    names = {path.stem: f"{path.name}/" if path.is_dir() else path.name for path in present}
    ranked = [name for row in layers() for name in row]
    return [names[name] for name in sorted(names, key=lambda name: (ranked.index(name), name))]


def layers() -> list[list[str]]:
    """The rows of the layers contract, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layered,) = (contract for contract in contracts if contract.get("containers") == ["scc_responder"])
    return [[name.strip() for name in row.split("|")] for row in layered["layers"]]


def face(entry: str) -> str:
    """The docstring of an entry: a folder's face, or what a module says of itself."""
    path = PACKAGE / entry
    source = path / "__init__.py" if path.is_dir() else path
    return ast.get_docstring(ast.parse(source.read_text())) or ""


def _first_sentences(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def _read_first(text: str) -> str:
    named = re.search(r"[Rr]ead\s+`([\w/.]+\.py)`", text)
    return f"`{named[1]}`" if named else ""


def folders_table() -> str:
    """Each entry of the package: what it is, and which file to read first."""
    rows = ((f"`{entry}`", _first_sentences(face(entry)), _read_first(face(entry))) for entry in entries())
    return markdown_table(("entry", "what it is", "read first"), rows)


def layers_table() -> str:
    """The layers, the highest first."""
    rows = ((str(number), ", ".join(f"`{name}`" for name in row)) for number, row in enumerate(layers(), start=1))
    return markdown_table(("row", "folders and modules"), rows)


def marked(page: str) -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Each generated part of the page: its name, where it stands, and what it should be."""
    for name, text in (("folders", folders_table()), ("layers", layers_table())):
        yield name, re.compile(rf"(<!-- {name}: {COMMAND} -->\n).*?(<!-- end -->)", re.DOTALL), text


def written(page: str) -> str:
    """The page with its tables as they should be."""
    for _, place, text in marked(page):
        page = place.sub(lambda match, text=text: f"{match[1]}\n{text.strip()}\n\n{match[2]}", page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE}\n")
