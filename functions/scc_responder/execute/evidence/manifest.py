"""What a capture stores: each item as one object of JSON or text, and a manifest of their hashes. Pure.

Names hold hashes and declared words only; what the things were called stands inside the manifest. A name holds the hash
of its content, so that a second capture adds to the first and never takes its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from scc_responder.domain.context import Context
from scc_responder.domain.finding import case_id
from scc_responder.domain.value import Value
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.log_text import redact_log
from scc_responder.execute.evidence.reading import Reading
from scc_responder.execute.evidence.redaction import Redaction, redact

_MAX_LISTED = 1000


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


def evidence_objects(finding_key: str, readings: Iterable[Reading]) -> tuple[EvidenceObject, ...]:
    """Everything that was read, as objects to store, without secret values."""
    return tuple(_kept(finding_key, reading, item) for reading in readings for item in reading.items)


def _kept(finding_key: str, reading: Reading, item: EvidenceItem) -> EvidenceObject:
    kept = redact_log(item.content) if item.is_text else redact(item.content)
    content = kept.content.encode() if item.is_text else canonical_json(kept.content)
    return EvidenceObject(
        name=_name(finding_key, reading.source.prefix, content, "txt" if item.is_text else "json"),
        content=content,
        kind=item.kind,
        title=item.title,
        source=reading.source.name,
        redacted=kept.redactions,
    )


def evidence_manifest(
    context: Context, readings: Sequence[Reading], objects: Sequence[EvidenceObject], captured_at: datetime
) -> EvidenceObject:
    """The list of one capture's objects with their hashes and sizes, itself named by its hash.

    `missing` says what could not be read, `sources` what each source gave. Store it last: an object that a manifest
    names is complete. `redacted` of an object lists the JSON path and the rule of each value that was left out, the
    first 1,000; `redacted_count` counts all.
    """
    failed = {reading.source.name: reading.detail for reading in readings if reading.is_failed}
    key = context.finding.key
    content = canonical_json(
        {
            "schema": 1,
            "case": case_id(key),
            "finding": context.finding.name,
            "captured_at": captured_at,
            "missing": {**failed, **context.missing},
            "sources": [_source(reading) for reading in readings],
            "objects": [_object(item, captured_at) for item in objects],
        }
    )
    return EvidenceObject(name=_name(key, "manifest", content), content=content, kind="manifest")


def _source(reading: Reading) -> dict[str, Any]:
    told = {"name": reading.source.name, "moment": reading.source.moment, "required": reading.source.required}
    why = {"permission": reading.permission, "why": reading.why}
    return {**told, "outcome": reading.outcome, **{name: word for name, word in why.items() if word}}


def _object(item: EvidenceObject, captured_at: datetime) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "title": item.title,
        "source": item.source,
        "sha256": item.sha256,
        "size": len(item.content),
        "captured_at": captured_at,
        "redacted": item.redacted[:_MAX_LISTED],
        "redacted_count": len(item.redacted),
    }


def _name(finding_key: str, prefix: str, content: bytes, ending: str = "json") -> str:
    return f"cases/{case_id(finding_key)}/{prefix}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
