"""Writes whose client died before the answer: the API server may have made one that its audit log calls a 504."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.cluster.audit import AuditEvent

WRITES = frozenset({"patch", "create", "update", "delete", "deletecollection"})
CUT_OFF = 504
"""What the audit log says of a request whose client is gone, whether or not its write reached etcd."""


def made(events: Sequence[AuditEvent]) -> list[AuditEvent]:
    """The writes that took effect: those accepted, and those cut off whose effect the next read of the object shows."""
    writes = [event for event in events if event.verb in WRITES and not event.dry_run]
    return [write for write in writes if write.code < 300 or (write.code == CUT_OFF and _is_seen(write, events))]


def named(event: AuditEvent) -> str:
    """The object's name; a creation has it in its body alone."""
    return event.name or str((event.request or {}).get("metadata", {}).get("name", ""))


def _is_seen(write: AuditEvent, events: Sequence[AuditEvent]) -> bool:
    later = (event for event in events if event.received > write.received and _target(event) == _target(write))
    read = next(iter(sorted(later, key=lambda event: event.received)), None)
    if read is None or read.verb != "get":
        return False
    if write.verb == "delete":
        return read.code == 404
    wanted = {} if write.verb == "create" else _without_conditions(write.request or {})
    return read.code == 200 and _holds(read.response or {}, wanted)


def _target(event: AuditEvent) -> tuple[str, str, str]:
    return event.resource, event.namespace, named(event)


def _without_conditions(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a patch asks for, without the version that it is conditional on."""
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key != "resourceVersion"}
    return {**body, "metadata": metadata}


def _holds(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether everything wanted is found, at any depth."""
    return all(
        _holds(found.get(key, {}), value) if isinstance(value, Mapping) else found.get(key) == value
        for key, value in wanted.items()
    )
