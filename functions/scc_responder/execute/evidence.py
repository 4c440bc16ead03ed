"""What is kept of a case: each thing that was read, as one JSON object, and a manifest of their hashes. Pure.

Names hold hashes and fixed words only; what the things were called stands inside the manifest. A name holds the hash
of its content, so that a second capture adds to the first and never takes its place.

Values of environment variables are often secrets, and replaced by `redacted` wherever a container's `env` stands, and
with them the copy of the object that `kubectl apply` leaves in an annotation. Names and sources (`valueFrom`) stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from scc_responder.domain.context import Context
from scc_responder.domain.finding import case_id
from scc_responder.domain.value import Value

REDACTED = "redacted"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FIXED_WORDS = frozenset({"pod", "owner", "namespace", "node"})
_MAX_DEPTH = 100


class EvidenceObject(Value, frozen=True, kw_only=True):
    """One object to store. `kind` and `title` are what it is a copy of, in that thing's own words."""

    name: str
    content: bytes
    kind: str
    title: str = ""

    @property
    def sha256(self) -> str:
        """The content's hash, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def evidence(context: Context, events: Sequence[Mapping[str, Any]] | None = None) -> tuple[EvidenceObject, ...]:
    """All that was read for a case: the finding, related findings, Kubernetes objects, and the pod's events."""
    return tuple(
        _stored(context.finding.key, word, kind, title, content)
        for word, kind, title, content in _things(context, events)
    )


def manifest(context: Context, objects: Sequence[EvidenceObject], captured_at: datetime) -> EvidenceObject:
    """The list of one capture's objects with their hashes and sizes, itself named by its hash.

    `missing` says what could not be read. Store it last: an object that a manifest names is complete.
    """
    content = {
        "schema": 1,
        "case": case_id(context.finding.key),
        "finding": context.finding.name,
        "captured_at": captured_at,
        "missing": context.missing,
        "objects": [_listed(item, captured_at) for item in objects],
    }
    return _stored(context.finding.key, "manifest", "manifest", "", content)


def _listed(item: EvidenceObject, captured_at: datetime) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "title": item.title,
        "sha256": item.sha256,
        "size": len(item.content),
        "captured_at": captured_at,
    }


def _things(context: Context, events: Sequence[Mapping[str, Any]] | None) -> Iterator[tuple[str, str, str, Any]]:
    """Each as (word for its name, kind, title, content)."""
    yield "finding", "finding", context.finding.name, context.finding
    if context.related is not None:
        yield "related-findings", "related findings", "", context.related
    for word, item in sorted(context.objects.items()):
        yield word if word in _FIXED_WORDS else "object", str(item.get("kind", word)), _title(item), _redacted(item)
    if events is not None:
        yield "events", "events", "", {"items": _redacted(list(events))}


def _title(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata")
    fields = metadata if isinstance(metadata, Mapping) else {}
    return "/".join(str(fields[name]) for name in ("namespace", "name") if fields.get(name))


def _stored(finding_key: str, word: str, kind: str, title: str, content: Any) -> EvidenceObject:
    encoded = canonical_json(content)
    short = hashlib.sha256(encoded).hexdigest()[:16]
    return EvidenceObject(
        name=f"cases/{case_id(finding_key)}/{word}-{short}.json", content=encoded, kind=kind, title=title
    )


def canonical_json(content: Any) -> bytes:
    """One spelling for one content: keys sorted, ASCII alone, so that no terminal or page acts on what is inside."""
    plain = msgspec.to_builtins(content)
    return json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def _redacted(item: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return "left_out_too_deep"
    if isinstance(item, Mapping):
        return {key: _redacted_field(key, value, depth) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_redacted(value, depth + 1) for value in item]
    return item


def _redacted_field(key: str, value: Any, depth: int) -> Any:
    if key == _LAST_APPLIED:
        return REDACTED
    if key == "env" and isinstance(value, list):
        return [_redacted_variable(variable, depth) for variable in value]
    return _redacted(value, depth + 1)


def _redacted_variable(variable: Any, depth: int) -> Any:
    if isinstance(variable, Mapping) and "value" in variable:
        return {**_redacted(variable, depth + 1), "value": REDACTED}
    return _redacted(variable, depth + 1)
