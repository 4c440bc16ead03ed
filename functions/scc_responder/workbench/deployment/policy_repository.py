"""A repository of a team's own policies, as `init` lays it out: what is there already stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scc_responder import __version__
from scc_responder.domain.value import Value
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema_text
from scc_responder.workbench.policy_files.shipped_pack import PACK

_TEMPLATE = Path(__file__).parent / "template"
_OF_PACK = ("guardrails.yaml", "guardrails.test.yaml")
_VERSION = "VERSION"
"""What stands in the template for the version that is installed."""


class LaidOut(Value, frozen=True, kw_only=True):
    """The files that were written, and those that were there, by their names in the repository."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def repository_files() -> Mapping[str, str]:
    """Every file of a new repository, by its name in it."""
    paths = sorted(path for path in _TEMPLATE.rglob("*") if path.is_file())
    named = {path.relative_to(_TEMPLATE).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    own = {name: text.replace(_VERSION, __version__) for name, text in named.items()}
    rails = {f"policies/{name}": (PACK / name).read_text(encoding="utf-8") for name in _OF_PACK}
    schemas = {f"policies/.schema/{kind}.json": schema_text(kind) for kind in FILE_KINDS}
    pinned = carried(Carried.REQUIREMENTS).read_text(encoding="utf-8")
    return {**own, **rails, **schemas, "requirements.txt": pinned}


def lay_out_repository(folder: Path) -> LaidOut:
    """Write the files that are missing. Raises OSError where one cannot be written."""
    written, kept = [], []
    for name, text in sorted(repository_files().items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Whoever makes the file meanwhile has made it: it is theirs.
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(name)
        except FileExistsError:
            kept.append(name)
    return LaidOut(written=tuple(written), kept=tuple(kept))
