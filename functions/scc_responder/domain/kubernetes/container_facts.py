"""What a look into a container told, as facts that policies may ask for. None, and `unknown`: it could not be read."""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.value import AwareDatetime, Value


class ArtefactHash(StrEnum):
    """Whether a file that the finding names has the finding's hash, by what a look into the container read."""

    MATCHES = "matches"
    DIFFERS = "differs"
    GONE = "gone"
    """Nothing is at its path, and no process runs it."""
    UNKNOWN = "unknown"
    """It could not be read, or the finding has no hash."""


class Origin(StrEnum):
    """How a file came into the container, by the times that its user cannot set, its package and its mount."""

    IN_IMAGE = "in_image"
    ADDED = "added"
    ADDED_BY_PACKAGE_MANAGER = "added_by_package_manager"
    CHANGED = "changed"
    """The image has a file at this path, and it was changed since."""
    ON_VOLUME = "on_volume"
    UNKNOWN = "unknown"


class Artefact(Value, frozen=True, kw_only=True):
    """The file that the finding is about: its first library, else its script, else its binary.

    `sha256` is of the whole file as it was read; `kept`: its bytes are stored as evidence.
    """

    role: str
    path: str
    hash: ArtefactHash
    origin: Origin
    sha256: str = ""
    kept: bool = False


class Compiler(Value, frozen=True, kw_only=True):
    """The compiler in the container, the first of several. `present` is None where that could not be read.

    `artefacts` counts the files that a compiler made since the container started.
    """

    present: bool | None = None
    path: str = ""
    package: str = ""
    version: str = ""
    origin: Origin = Origin.UNKNOWN
    installed_at: AwareDatetime | None = None
    artefacts: int | None = None


class Inspection(Value, frozen=True, kw_only=True):
    """What a look into the container told, as the case keeps it: None is what it did not tell."""

    artefact: Artefact | None = None
    compiler: Compiler | None = None
