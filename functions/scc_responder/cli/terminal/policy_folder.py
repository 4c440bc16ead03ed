"""Which folder of policies a command is about, and which files of it: by `--policies`, or as plain arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.value import Value
from scc_responder.policy.guardrails import GUARDRAILS_FILE

USUAL_FOLDER = Path("policies")


class AskedPolicies(Value, frozen=True, kw_only=True):
    """A folder of policies, and the files and folders in it that were asked for, by their paths in it; all if none."""

    folder: Path
    chosen: tuple[str, ...] = ()

    def concerns(self, file: str) -> bool:
        """Whether the file, or folder, is one of those asked for, lies in one, or holds one."""
        return not self.chosen or not file or any(_lies_in(file, one) or _lies_in(one, file) for one in self.chosen)


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder of policies, and the plain arguments that name files of it."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only these files and folders; else all of --policies")
    parser.add_argument("--policies", type=Path, default=USUAL_FOLDER, metavar="DIR", help="folder of policies")


def asked_policies(paths: Sequence[str], folder: Path) -> AskedPolicies:
    """What the arguments name. Raises SettingsError where there is no such file, or they are of several folders."""
    given = [Path(path) for path in paths]
    for path in given:
        if not path.exists():
            raise SettingsError("no_such_file", f"{path}: there is no such file or folder")
    roots = {root: path for path in reversed(given) if (root := _root_of(path, folder))}
    if len(roots) > 1:
        first, second, *_ = reversed(roots.values())
        raise SettingsError("wrong_use", f"{first} and {second} are in different folders of policies; name one of them")
    root = next(iter(roots), folder)
    chosen = tuple(path.resolve().relative_to(root.resolve()).as_posix() for path in given)
    return AskedPolicies(folder=root, chosen=() if "." in chosen else chosen)


def require_policies(count: int, folder: Path) -> None:
    """Raises SettingsError `no_policies` for a folder without any: "nothing is wrong" would mislead."""
    if not count:
        raise SettingsError("no_policies", f"no policies in {folder}; name their folder with --policies")


def _root_of(path: Path, folder: Path) -> Path:
    """The folder of policies that a file or folder belongs to: the given one, or the nearest that has guardrails."""
    if path.resolve().is_relative_to(folder.resolve()):
        return folder
    if folder != USUAL_FOLDER:
        raise SettingsError("wrong_use", f"{path} is not in {folder}; leave out --policies, or name its folder")
    own = path if path.is_dir() else path.parent
    return _nearest((own, *own.parents)) or own


def _nearest(folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if (folder / GUARDRAILS_FILE).exists()), None)


def _lies_in(file: str, folder: str) -> bool:
    return file == folder or file.startswith(f"{folder}/")
