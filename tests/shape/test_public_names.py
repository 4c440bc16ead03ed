"""A public name stands in one module, a module's name in one folder, and no folder or list of layers grows too long."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "functions" / "scc_responder"
CONTRACT_NAMES = {
    "add_options": "cli",
    "run": "cli",
    "notifier": "adapters/notifiers",
    "receiver": "adapters/notifiers",
}
"""Names that each module of a kind defines, and the folder of that kind: commands, notifiers, receivers."""

NAMED_BY_CONTRACT = {"cli", "actions", "domain/changes", "execute/evidence/sources", "adapters/notifiers"}
"""Folders whose modules, and what they define, are named like what they add.

That is a command, an action, a kind of change, a source of evidence, a notifier, a receiver.
"""

MAX_TOP_ENTRIES = 14
MAX_MODULES = 16
MAX_MODULES_OF = {"adapters/google": 12, "workbench/simulated_cluster": 12}
MAX_LAYERS = 10


def modules(package: Path) -> list[Path]:
    """Every module of a package but the faces of its folders."""
    return sorted(path for path in package.rglob("*.py") if path.name != "__init__.py")


def public_names(path: Path) -> Iterator[str]:
    """The names without an underscore that a module defines itself."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def is_named_by_contract(place: Path) -> bool:
    """Whether a module, by its path in the package, is named like the command, action or source that it adds."""
    return not NAMED_BY_CONTRACT.isdisjoint(parent.as_posix() for parent in place.parents)


def repeated_names(package: Path) -> dict[str, list[str]]:
    """The public names that stand in several modules, and in which; contract names count outside their folder alone."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package)
        for name in public_names(path):
            in_contract = name in CONTRACT_NAMES and place.is_relative_to(CONTRACT_NAMES[name])
            if not in_contract and not (name == path.stem and is_named_by_contract(place)):
                found[name].append(place.as_posix())
    return {name: places for name, places in found.items() if len(places) > 1}


def repeated_modules(package: Path) -> dict[str, list[str]]:
    """The file names of modules that stand in several folders, and in which."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules(package):
        place = path.relative_to(package)
        if not is_named_by_contract(place):
            found[path.name].append(place.as_posix())
    return {name: places for name, places in found.items() if len(places) > 1}


def crowded_folders(package: Path) -> dict[str, int]:
    """The folders with more modules in them than a reader takes in at once, and how many; at the top folders count."""
    found = {}
    for folder in (package, *sorted(package.rglob("*"))):
        if folder.is_dir() and folder.name != "__pycache__":
            name = folder.relative_to(package).as_posix()
            most = MAX_TOP_ENTRIES if folder == package else MAX_MODULES_OF.get(name, MAX_MODULES)
            beside = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            beside += folder.glob("*/__init__.py") if folder == package else ()
            if len(beside) > most:
                found[name] = len(beside)
    return found


def layer_rows(pyproject: Mapping[str, object]) -> int:
    """The length of the longest list of layers that import-linter is given."""
    contracts = pyproject["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    return max(len(contract.get("layers", ())) for contract in contracts)


def test_a_public_name_stands_in_one_module() -> None:
    """Whoever searches for a name finds one thing."""
    assert repeated_names(PACKAGE) == {}


def test_a_module_name_stands_in_one_folder() -> None:
    """Whoever opens a file by its name opens the right one."""
    assert repeated_modules(PACKAGE) == {}


def test_no_folder_is_crowded() -> None:
    """A folder's listing fits on a screen: the picture of the README is the listing of the package."""
    assert crowded_folders(PACKAGE) == {}


def test_layers_fit_on_one_screen() -> None:
    """The layers are a list of ten rows or fewer."""
    assert layer_rows(tomllib.loads((ROOT / "pyproject.toml").read_text())) <= MAX_LAYERS


REPEATED = [
    pytest.param("class Answer: ...", "class Answer: ...", True, id="class"),
    pytest.param("def judge() -> None: ...", "async def judge() -> None: ...", True, id="function"),
    pytest.param("PREFIX = 'a'", "PREFIX: str = 'b'", True, id="constant"),
    pytest.param("A, B = 1, 2", "B = 3", True, id="one of a tuple"),
    pytest.param("_PREFIX = 'a'", "_PREFIX = 'b'", False, id="private"),
    pytest.param("class Answer: ...", "from one import Answer", False, id="imported"),
    pytest.param("def one() -> None:\n    two = 1", "two = 2", False, id="local"),
]


@pytest.mark.parametrize(("one", "other", "noticed"), REPEATED)
def test_a_repeated_public_name_is_noticed(tmp_path: Path, one: str, other: str, *, noticed: bool) -> None:
    """A name that two modules define is found, however they define it; one that is imported or private is not."""
    made(tmp_path, {"guard/one.py": one, "journal/other.py": other})
    assert list(repeated_names(tmp_path).values()) == ([["guard/one.py", "journal/other.py"]] if noticed else [])


def test_a_contract_name_is_allowed_in_its_folder_alone(tmp_path: Path) -> None:
    """Every command has a `run`; a `run` elsewhere stands alone, and a second one there is found."""
    made(tmp_path, dict.fromkeys(("cli/serve.py", "cli/case/__init__.py", "guard/a.py"), "def run() -> None: ..."))
    assert repeated_names(tmp_path) == {}
    made(tmp_path, {"journal/b.py": "def run() -> None: ..."})
    assert repeated_names(tmp_path) == {"run": ["guard/a.py", "journal/b.py"]}


def test_a_source_may_be_named_like_what_it_reads(tmp_path: Path) -> None:
    """What a module adds has the module's name; any other name in it stands alone."""
    text = "def pod() -> None: ...\ndef node() -> None: ..."
    made(tmp_path, {"domain/paths.py": text, "execute/evidence/sources/pod.py": text})
    assert repeated_names(tmp_path) == {"node": ["domain/paths.py", "execute/evidence/sources/pod.py"]}


def test_a_repeated_module_name_is_noticed(tmp_path: Path) -> None:
    """Two modules of one name are found; faces and commands are named by a contract."""
    made(tmp_path, dict.fromkeys(("cli/threats.py", "intake/threats.py", "cli/__init__.py", "intake/__init__.py"), ""))
    assert repeated_modules(tmp_path) == {}
    made(tmp_path, {"guard/threats.py": ""})
    assert repeated_modules(tmp_path) == {"threats.py": ["guard/threats.py", "intake/threats.py"]}


CROWDED = [
    pytest.param("", 14, id="package"),
    pytest.param("guard", 16, id="folder"),
    pytest.param("adapters/google", 12, id="Google"),
    pytest.param("workbench/simulated_cluster", 12, id="simulated cluster"),
]


@pytest.mark.parametrize(("folder", "most"), CROWDED)
def test_a_crowded_folder_is_noticed(tmp_path: Path, folder: str, most: int) -> None:
    """One module more than a folder may hold is found; its face and its data files do not count."""
    made(tmp_path, {f"{folder or '.'}/m{number}.py": "" for number in range(most)})
    made(tmp_path, dict.fromkeys((f"{folder or '.'}/__init__.py", f"{folder or '.'}/data.json"), ""))
    assert crowded_folders(tmp_path) == {}
    made(tmp_path, {f"{folder or 'guard'}/{'extra' if folder else '__init__'}.py": ""})
    assert crowded_folders(tmp_path) == {folder or ".": most + 1}


def test_a_long_list_of_layers_is_noticed() -> None:
    """The longest list counts."""
    contracts = [{"layers": ["a", "b"]}, {"layers": list("abcdefghijk")}, {"type": "forbidden"}]
    assert layer_rows({"tool": {"importlinter": {"contracts": contracts}}}) == 11


def made(package: Path, files: Mapping[str, str]) -> None:
    """Write these files into a package."""
    for name, content in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
