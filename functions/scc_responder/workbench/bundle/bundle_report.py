"""What a bundle of evidence holds, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from scc_responder.domain.value import Value
from scc_responder.execute.evidence.manifest import Part
from scc_responder.journal.account.manifest_names import ManifestName
from scc_responder.journal.chain.chain_check import SaidStep


class BundleFault(StrEnum):
    """What is wrong with a bundle, in one word."""

    NO_MANIFEST = "no_manifest"
    """There is no manifest at all."""
    MANIFEST_UNREADABLE = "manifest_unreadable"
    """It is no DSSE envelope of this project's Statement."""
    MANIFEST_CHANGED = "manifest_changed"
    """Its name does not hold the hash of its content, or a later manifest names it with another."""
    MANIFEST_MISSING = "manifest_missing"
    """A later manifest names it."""
    MANIFEST_OF_ANOTHER_CASE = "manifest_of_another_case"
    """It may be well signed, and says nothing about this case."""
    MANIFESTS_UNRELATED = "manifests_unrelated"
    """There are two, and the later names none before it."""
    NOT_SIGNED = "not_signed"
    """It has no signature, nor does a signed one name it."""
    SIGNATURE_WRONG = "signature_wrong"
    """Made with another key, or over another content."""
    SIGNATURE_NOT_CHECKED = "signature_not_checked"
    """No public key was given."""
    SUBJECTS_DIFFER = "subjects_differ"
    """The Statement is about other objects than the manifest lists."""
    OBJECT_MISSING = "object_missing"
    """A manifest names it."""
    OBJECT_LENGTH_DIFFERS = "object_length_differs"
    """It is longer or shorter than its manifest says."""
    OBJECT_CHANGED = "object_changed"
    """It has another SHA-256."""
    OBJECT_ADDED = "object_added"
    """No manifest that counts names it."""
    PART_MISSING = "part_missing"
    """Something that is stored in parts lacks one."""
    PARTS_DIFFER = "parts_differ"
    """The parts put together are not the whole that they are parts of."""


class BundleFinding(Value, frozen=True, kw_only=True):
    """One thing that is wrong: with which file, and why. Of something stored in parts, `file` is its SHA-256."""

    fault: BundleFault
    file: str
    why: str


class ListedObject(Value, frozen=True, kw_only=True):
    """One object as a manifest lists it."""

    name: str
    sha256: str
    size: int
    kind: str = ""
    title: str = ""
    part: Part | None = None


class ListedSource(Value, frozen=True, kw_only=True):
    """One source as a manifest lists it: what it gave, or why not."""

    name: str
    outcome: str
    why: str = ""
    permission: str = ""


class ListedChain(Value, frozen=True, kw_only=True):
    """What a manifest says of the case's hash chain as it was then."""

    head: str
    write: int = 0
    steps: tuple[SaidStep, ...] = ()


class ListedManifest(Value, frozen=True, kw_only=True):
    """What a manifest says."""

    schema: int
    case: str
    finding: str
    captured_at: Annotated[datetime, msgspec.Meta(tz=True)]
    objects: tuple[ListedObject, ...]
    sources: tuple[ListedSource, ...] = ()
    missing: dict[str, Any] = {}
    earlier: tuple[ManifestName, ...] = ()
    chain: ListedChain | None = None


class CheckedManifest(Value, frozen=True, kw_only=True):
    """One manifest of a bundle.

    `signed` says by which key, in its own words, or which other manifest vouches for it; empty where nothing does.
    `faults` are what is wrong with it.
    """

    file: str
    sha256: str
    signed: str
    faults: tuple[BundleFault, ...]
    says: ListedManifest


class BundleReport(Value, frozen=True, kw_only=True):
    """What a bundle holds, and all that is wrong with it. `objects` counts those that are as they should be."""

    case: str
    manifests: tuple[CheckedManifest, ...]
    objects: int
    findings: tuple[BundleFinding, ...]

    @property
    def is_verified(self) -> bool:
        """Whether everything is as the responder signed it."""
        return not self.findings
