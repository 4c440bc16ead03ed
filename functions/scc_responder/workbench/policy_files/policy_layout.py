"""Which files of a folder of policies are read, and which stand there unread: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scc_responder.policy.guardrails import GUARDRAILS_FILE
from scc_responder.policy.policy_set import ROUTES_FILE, SCOPE_FILE, SHIPPED_FILE, TEST_SUFFIX, policy_paths
from scc_responder.workbench.policy_files.mistakes import Fault
from scc_responder.workbench.policy_files.policy_scope import load_scopes

GUARDRAILS_TESTS = f"{GUARDRAILS_FILE.removesuffix('.yaml')}{TEST_SUFFIX}"
_READ_BY_PEOPLE = frozenset({"CODEOWNERS", "OWNERS", "LICENSE"})
_AT_THE_TOP = frozenset({GUARDRAILS_FILE, GUARDRAILS_TESTS, ROUTES_FILE, SHIPPED_FILE})
HOLDS_FOR_ALL = _AT_THE_TOP | {SCOPE_FILE}
"""Files that are about no policy of their name, but about several."""


def told_name(path: Path, folder: Path) -> str:
    """How a file is named to people: its path in the folder of policies."""
    return path.relative_to(folder).as_posix()


def case_paths(folder: Path) -> list[Path]:
    """The files of cases in a folder and its subfolders, in the order of their names."""
    found = (path for path in _files(folder) if path.name.endswith(TEST_SUFFIX))
    return sorted(found, key=lambda path: (path.name, path))


def layout_faults(folder: Path) -> Iterator[Fault]:
    """What keeps a folder from being loaded: files that would not be read, and policies that nothing bounds."""
    for path in _files(folder):
        name = told_name(path, folder)
        if path.suffix != ".yaml" and path.suffix.casefold() in {".yaml", ".yml"}:
            yield Fault(file=name, text=f"rename it to {path.stem}.yaml, or it is not read", reason="not_read")
        elif path.name in _AT_THE_TOP and path.parent != folder:
            text = f"not read: it holds for every folder; write it into {path.name} at the top"
            yield Fault(file=name, text=text, reason="not_read")
    for path in _links(folder):
        text = "a link to a folder is not followed; move the folder itself here"
        yield Fault(file=told_name(path, folder), text=text, reason="not_read")
    if (folder / SCOPE_FILE).exists():
        text = f"bounds the policies of a subfolder; at the top {GUARDRAILS_FILE} does: move it into one, or remove it"
        yield Fault(file=SCOPE_FILE, text=text)
    yield from _unbounded(folder)
    yield from _twins(folder)


def unread_warnings(folder: Path) -> Iterator[Fault]:
    """What stands in the folder without any use: files of other kinds, and folders without a policy."""
    for path in _files(folder):
        of_yaml = path.suffix.casefold() in {".yaml", ".yml"}
        if not of_yaml and not path.name.startswith(".") and not _for_people(path):
            text = "it is not read: policies end in .yaml; rename it, or keep it elsewhere"
            yield Fault(file=told_name(path, folder), text=text, reason="not_read")
    for path in _folders(folder):
        if not policy_paths(path):
            text = "no policy is in this folder; remove it, or move one here"
            yield Fault(file=told_name(path, folder), text=text, reason="empty_folder")


def _for_people(path: Path) -> bool:
    return path.suffix == ".md" or path.name in _READ_BY_PEOPLE


def _unbounded(folder: Path) -> Iterator[Fault]:
    """Policies in subfolders that no `scope.yaml` bounds."""
    scopes = load_scopes(folder)
    for path in policy_paths(folder):
        top = path.relative_to(folder).parts[0]
        if path.parent != folder and folder / top not in scopes:
            text = f"no {SCOPE_FILE} in {top} says how far its policies may go; write one, such as max_mode: approve"
            yield Fault(file=told_name(path, folder), text=text, reason="no_scope")


def _twins(folder: Path) -> Iterator[Fault]:
    """Policies of one name in two folders."""
    seen: dict[str, Path] = {}
    for path in policy_paths(folder):
        first = seen.setdefault(path.name, path)
        if first != path:
            text = f"{path.stem!r} is the name of {told_name(first, folder)} too; records name policies: choose another"
            yield Fault(file=told_name(path, folder), line=1, path="name", text=text)


def _files(folder: Path) -> Iterator[Path]:
    """Every file below the folder, but what lies in hidden folders."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
    for below in _folders(folder, deep=False):
        yield from _files(below)


def _folders(folder: Path, *, deep: bool = True) -> Iterator[Path]:
    """The folders below that are no links and not hidden."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield path
            yield from _folders(path) if deep else ()


def _links(folder: Path) -> Iterator[Path]:
    """Links to folders, which are not hidden."""
    for within in (folder, *_folders(folder)):
        for path in sorted(within.iterdir()):
            if path.is_symlink() and path.is_dir() and not path.name.startswith("."):
                yield path
