"""What is stored of a case: objects of any kind, JSON or text, and manifests of their hashes. Pure.

Names hold hashes and declared words only; what the things were called stands inside the manifest. A name holds the hash
of its content, so that a second capture adds to the first and never takes its place. `sealing.py` signs a manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from scc_responder.domain.context import Context
from scc_responder.domain.finding import case_id
from scc_responder.domain.value import Value
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.dsse import in_toto_statement
from scc_responder.execute.evidence.log_text import redact_log
from scc_responder.execute.evidence.reading import Reading
from scc_responder.execute.evidence.redaction import Redaction, redact
from scc_responder.journal.account.manifest_names import ManifestName

MANIFEST_SCHEMA = 2
"""Of what a manifest says. That of schema 1 stood by itself, without a signature."""
_MAX_LISTED = 1000


class Part(Value, frozen=True, kw_only=True):
    """The place of an object in something larger that is stored in parts.

    `of` is the SHA-256 of the whole in hex, `size` its length in bytes. `number` counts from 0.
    """

    of: str
    size: int
    number: int
    count: int


class StoredObject(Value, frozen=True, kw_only=True):
    """What a manifest says of one stored object, without its content: that may be large, and gone from memory.

    `source` names what it was read by, `redacted` the places of what was left out. `size` is in bytes. `captured_at` is
    when it was read, where that is not the manifest's own time. `about` is what else its source says of it.
    """

    name: str
    sha256: str
    size: int
    kind: str
    title: str = ""
    source: str = ""
    redacted: tuple[Redaction, ...] = ()
    part: Part | None = None
    captured_at: datetime | None = None
    about: dict[str, Any] = {}


class EvidenceObject(Value, frozen=True, kw_only=True):
    """One object to store. `source` names what it was read by, `redacted` the places of what was left out."""

    name: str
    content: bytes
    kind: str
    title: str = ""
    source: str = ""
    redacted: tuple[Redaction, ...] = ()

    @property
    def sha256(self) -> str:
        """The content's hash, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def stored(self) -> StoredObject:
        """What a manifest says of it."""
        return StoredObject(
            name=self.name,
            sha256=self.sha256,
            size=len(self.content),
            kind=self.kind,
            title=self.title,
            source=self.source,
            redacted=self.redacted,
        )


def evidence_objects(finding_key: str, readings: Iterable[Reading]) -> tuple[EvidenceObject, ...]:
    """Everything that was read, as objects to store, without secret values."""
    return tuple(_kept(finding_key, reading, item) for reading in readings for item in reading.items)


def _kept(finding_key: str, reading: Reading, item: EvidenceItem) -> EvidenceObject:
    kept = redact_log(item.content) if item.is_text else redact(item.content)
    content = kept.content.encode() if item.is_text else canonical_json(kept.content)
    return EvidenceObject(
        name=object_name(case_id(finding_key), reading.source.prefix, content, "txt" if item.is_text else "json"),
        content=content,
        kind=item.kind,
        title=item.title,
        source=reading.source.name,
        redacted=kept.redactions,
    )


def evidence_statement(
    context: Context,
    readings: Sequence[Reading],
    objects: Sequence[StoredObject],
    captured_at: datetime,
    earlier: Sequence[ManifestName] = (),
    *,
    chain: Mapping[str, Any] | None = None,
) -> bytes:
    """The in-toto Statement over one capture's objects; its predicate is the manifest.

    `missing` says what could not be read, `sources` what each source gave. Store it last: an object that a manifest
    names is complete. `redacted` of an object lists the JSON path and the rule of each value that was left out, the
    first 1,000; `redacted_count` counts all. `earlier` are the case's manifests before this one, `chain` what its hash
    chain said then (`chain_statement`).
    """
    failed = {each.source.name: each.detail for each in readings if each.is_failed or each.is_withheld}
    predicate = {
        "schema": MANIFEST_SCHEMA,
        "case": case_id(context.finding.key),
        "finding": context.finding.name,
        "captured_at": captured_at,
        "missing": {**failed, **context.missing},
        "sources": [_source(reading) for reading in readings],
        "objects": [_object(item, captured_at) for item in objects],
        "earlier": earlier,
        **({"chain": chain} if chain else {}),
    }
    return in_toto_statement({item.name: item.sha256 for item in objects}, predicate)


def _source(reading: Reading) -> dict[str, Any]:
    told = {"name": reading.source.name, "moment": reading.source.moment, "required": reading.source.required}
    why = {"permission": reading.permission, "why": reading.why}
    return {**told, "outcome": reading.outcome, **{name: word for name, word in why.items() if word}}


def _object(item: StoredObject, captured_at: datetime) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "title": item.title,
        "source": item.source,
        "sha256": item.sha256,
        "size": item.size,
        "captured_at": item.captured_at or captured_at,
        "redacted": item.redacted[:_MAX_LISTED],
        "redacted_count": len(item.redacted),
        **({"part": item.part} if item.part else {}),
        **({"about": item.about} if item.about else {}),
    }


def object_name(case: str, prefix: str, content: bytes, suffix: str = "json") -> str:
    """The name of an object of the case (its id): a declared word, and the hash of the content."""
    return f"cases/{case}/{prefix}-{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
