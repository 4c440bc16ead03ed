"""What a look into a container means: the facts that policies may ask for. Pure.

What could not be read is `unknown`, never "nothing found". A collector that ran as the target does proves only what
its own bytes prove: a file whose hash is the finding's. The history of the image adds what it can tell: that a file or
a package was there already, or is younger than the image. It never proves that the finding's file is the image's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Compiler, Inspection, Origin
from scc_responder.domain.value import Value
from scc_responder.execute.evidence.inspection.artefacts import KeptFile
from scc_responder.execute.evidence.inspection.image_history import ImageHistory, time_of

Documents = Mapping[str, Mapping[str, Any]]
Fields = Mapping[str, Any]

ROLES = ("library", "script", "binary")
"""What a finding is about, where it names several: the library that was loaded, the script that was run."""

_WITHIN = timedelta(seconds=1)
"""The start of a container is told in whole seconds: what changed within one of it may have changed before or after."""

_BUILD = timedelta(minutes=5)
"""Clocks of builders and nodes may differ by so much."""


class Past(Value, frozen=True, kw_only=True):
    """What is known of the container from elsewhere: when it started, and how its image was made."""

    started_at: datetime | None = None
    image: ImageHistory = ImageHistory()


def inspection_of(documents: Documents, files: Mapping[str, KeptFile], past: Past, *, own_form: bool) -> Inspection:
    """The facts that follow from the documents of a look, by their names, and from the files that it kept."""
    return Inspection(
        artefact=_artefact(documents, files, past, own_form=own_form),
        compiler=None if own_form else _compiler(documents, past),
    )


def named_files(documents: Documents) -> Sequence[Fields]:
    """What was told of each file that the finding names."""
    told = documents.get("files", {}).get("files")
    return [item for item in told if isinstance(item, dict)] if isinstance(told, list) else []


def _artefact(documents: Documents, files: Mapping[str, KeptFile], past: Past, *, own_form: bool) -> Artefact | None:
    told = sorted((item for item in named_files(documents) if item.get("role") in ROLES), key=_rank)
    if not told:
        return None
    file = told[0]
    kept = files.get(str(file.get("artefact", "")))
    said = _word(ArtefactHash, file.get("hash"))
    proved = not own_form or (said is ArtefactHash.MATCHES and kept is not None and kept.whole)
    return Artefact(
        role=str(file["role"]),
        path=str(file.get("path", ""))[:1024],
        hash=said if proved else ArtefactHash.UNKNOWN,
        origin=Origin.UNKNOWN if own_form else _origin(file, past),
        sha256=kept.sha256 if kept and kept.whole else "",
        kept=kept is not None and kept.whole,
    )


def _rank(file: Fields) -> tuple[int, int]:
    index = file.get("index")
    return ROLES.index(str(file["role"])), index if isinstance(index, int) else 0


def _origin(file: Fields, past: Past) -> Origin:
    """By the mount, the time of the last change, which nobody sets at will, and the package that the path is of."""
    on_disk, mount, package = (_fields(file, name) for name in ("on_disk", "mount", "package"))
    if mount.get("volume") is True:
        return Origin.ON_VOLUME
    if on_disk.get("state") != "regular":
        return Origin.UNKNOWN
    origin = _origin_of(on_disk.get("changed_at"), package, past)
    if origin is Origin.UNKNOWN and _is_younger(on_disk, past):
        return Origin.ADDED
    if origin is Origin.ADDED and past.image.has_file(str(file.get("path", ""))):
        return Origin.CHANGED
    return origin


def _is_younger(on_disk: Fields, past: Past) -> bool:
    """Whether it was written after the last layer of its image: nobody makes a file look younger to hide it."""
    written, made = time_of(on_disk.get("modified_at")), past.image.made_at
    return written is not None and made is not None and written > made + _BUILD


def _origin_of(changed: object, package: Fields, past: Past) -> Origin:
    started_at, changed_at, installed_at = past.started_at, time_of(changed), time_of(package.get("installed_at"))
    if started_at is None or changed_at is None or abs(changed_at - started_at) <= _WITHIN:
        return Origin.UNKNOWN
    if changed_at < started_at:
        return Origin.IN_IMAGE
    if not package.get("name"):
        return Origin.ADDED
    if past.image.installed_at(str(package["name"]))[0]:
        return Origin.CHANGED
    if installed_at is None:
        return Origin.UNKNOWN
    return Origin.ADDED_BY_PACKAGE_MANAGER if installed_at > started_at else Origin.CHANGED


def _compiler(documents: Documents, past: Past) -> Compiler | None:
    told = documents.get("compilers")
    if told is None or not isinstance(told.get("compilers"), list):
        return None
    found = [item for item in told["compilers"] if isinstance(item, dict)]
    made = _made(documents.get("changed_files"))
    if not found:
        return Compiler(present=None if told.get("denied") else False, artefacts=made)
    first, package = found[0], _fields(found[0], "package")
    origin = _origin_of(first.get("changed_at"), package, past)
    is_built_in, built_at = past.image.installed_at(str(package.get("name", "")))
    origin = Origin.IN_IMAGE if is_built_in and origin is Origin.UNKNOWN else origin
    built_at = built_at if origin is Origin.IN_IMAGE else None
    return Compiler(
        present=True,
        path=str(first.get("path", ""))[:1024],
        package=str(package.get("name", ""))[:256],
        version=str(package.get("version", ""))[:256],
        origin=origin,
        installed_at=built_at or time_of(package.get("installed_at")) or time_of(first.get("changed_at")),
        artefacts=made,
    )


def _made(changed: Fields | None) -> int | None:
    """How many files a compiler made since the start; None where not all changed files were seen."""
    if changed is None or not isinstance(changed.get("files"), list):
        return None
    files = (item for item in changed["files"] if isinstance(item, dict))
    marked = [item for item in files if isinstance(item.get("marks"), list) and "compiler_output" in item["marks"]]
    is_all = changed.get("complete") is True and not changed.get("left_off") and not changed.get("denied")
    return len(marked) if marked or is_all else None


def _fields(item: Fields, name: str) -> Fields:
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def _word(kind: type[ArtefactHash], text: object) -> ArtefactHash:
    return next((word for word in kind if word == text), ArtefactHash.UNKNOWN)
