"""The result of one delivery by the audit log, the case and the log, and whether it is as expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from scc_responder.domain.changes import kind_of_stored
from scc_responder.domain.labels import ACTION_ID
from scc_responder.domain.permissions import Tier
from scc_responder.domain.value import Value
from scc_responder.journal.account.manifest_names import manifests_named
from scc_responder.journal.step import Step
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.server.request import AuditEvent
from scc_responder.workbench.simulated_cluster.server.resources import ON_REQUEST
from scc_responder.workbench.simulated_cluster.story.scenario import Delivery

MAX_REQUESTS = 40
"""About objects, and what looks into the pod. Besides, the list of API groups is asked for once in ten minutes, and
each kind of policy there is."""
_OF_OTHER_KINDS = frozenset({"", *(resource.plural for resource in ON_REQUEST)} - {"networkpolicies"})
WRITES = frozenset({"create", "patch", "update", "delete"})


class Expectation(Value, frozen=True, kw_only=True):
    """One expectation, and whether it held."""

    name: str
    held: bool


class Observation(Value, frozen=True, kw_only=True):
    """One delivery as it was seen from outside. `line` is what the function logged, `status` what it answered."""

    number: int
    delivery: Delivery
    status: int
    line: dict[str, Any]
    steps: tuple[Step, ...]
    decision: dict[str, Any]
    events: tuple[AuditEvent, ...]
    seconds: float

    @property
    def reason(self) -> str:
        """How the delivery ended, in the function's own word."""
        return str(self.line.get("logging.googleapis.com/labels", {}).get("reason", "not_logged"))

    @property
    def writes(self) -> tuple[AuditEvent, ...]:
        """The requests that changed the cluster, or would have; not those that ask whether a container is let in.

        A second container is put in while the steps go on: it stands right after the first, wherever it came.
        """
        made = [event for event in self.events if event.verb in WRITES and not (event.dry_run and _inserts(event))]
        first, *later = [number for number, event in enumerate(made) if _inserts(event)] or [0]
        for number in later:
            made.insert(first + 1, made.pop(number))
        return tuple(made)


def delivery_expectations(seen: Observation, evidence: Path) -> Iterator[Expectation]:
    """The expectations of one delivery."""
    expected, title = seen.delivery, f"{seen.number}. {seen.delivery.title}"
    outcomes = tuple(f"{step.action}: {step.reason}" for step in seen.steps)
    writes = tuple(f"{event.verb} {event.rbac_resource}" for event in seen.writes)
    count = sum(event.resource not in _OF_OTHER_KINDS for event in seen.events)
    yield Expectation(name=f"{title}: answered 204, not {seen.status}", held=seen.status == 204)
    yield Expectation(name=f"{title}: ended {expected.reason}, not {seen.reason}", held=seen.reason == expected.reason)
    yield Expectation(
        name=f"{title}: steps{list_difference(expected.steps, outcomes)}", held=outcomes == expected.steps
    )
    yield Expectation(name=f"{title}: writes{list_difference(expected.writes, writes)}", held=writes == expected.writes)
    rehearsed = {event.dry_run for event in seen.writes} <= {expected.reason == "dry_run"}
    yield Expectation(name=f"{title}: nothing but a rehearsal is rehearsed, and that is in full", held=rehearsed)
    yield Expectation(name=f"{title}: at most {MAX_REQUESTS} requests, not {count}", held=count <= MAX_REQUESTS)
    for step in seen.steps:
        if step.status == "done":
            name = f"{title}: {step.action} ({step.reason}) was read back"
            yield Expectation(name=name, held=bool(proof(step, seen.events, evidence)))
    for event in seen.writes:
        if event.verb == "delete" or event.subresource == "eviction":
            bound = _preconditions(event)
            yield Expectation(
                name=f"{title}: deleted by UID and version", held=bound.keys() >= {"uid", "resourceVersion"}
            )


def list_difference(expected: Sequence[str], found: Sequence[str]) -> str:
    """The expected items that are missing, and the unexpected ones; duplicates count."""
    missing, more = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    parts = (("without", missing), ("besides", more))
    told = [f" {word} {', '.join(items.elements())}" for word, items in parts if items]
    return ";".join(told) or ("" if list(expected) == list(found) else " in another order")


def proof(step: Step, events: Sequence[AuditEvent], evidence: Path) -> str:
    """How a finished step is known to hold: `verified`, `already` where nothing had to be done, else empty.

    A change is verified by a read of its object that the audit log shows after the write, evidence by its hashes.
    """
    if step.status != "done":
        return ""
    if manifests_named(step.detail):
        return "verified" if captured(evidence, step.detail) else ""
    written = next((n for n, event in enumerate(events) if _is_write_of(event, step)), None)
    if written is None:
        return "already" if step.reason in {"already", "already_labeled", "done_before"} else ""
    read = any(_reads(event, events[written]) for event in events[written + 1 :])
    return "verified" if read else ""


def _inserts(event: AuditEvent) -> bool:
    return event.subresource == "ephemeralcontainers"


def _is_write_of(event: AuditEvent, step: Step) -> bool:
    """Whether the request is the step's: by the action's mark in it, its labels, or the UID it is bound to."""
    kind = kind_of_stored(step.change)
    tier = Tier.FORENSIC if _inserts(event) else Tier.ACT
    verbs = {permission.verb for permission in kind.permissions if permission.tier is tier} if kind else set()
    if event.verb not in verbs or not isinstance(event.request, dict):
        return False
    bound = _preconditions(event).get("uid")
    meta = event.request.get("metadata", {})
    if _inserts(event):
        return not event.dry_run and meta.get("uid") == step.expected_uid
    labels = meta.get("labels", {})
    if bound:
        return bound == step.expected_uid
    if {**labels, **meta.get("annotations", {})}.get(step.change.get("marker", ACTION_ID)) == step.action_id:
        return True
    return bool(labels) and meta.get("uid") == step.expected_uid and labels == step.change.get("labels")


def _preconditions(event: AuditEvent) -> dict[str, str]:
    """The UID and version that a deletion is bound to, as DeleteOptions or as the options of an Eviction."""
    body = event.request if isinstance(event.request, dict) else {}
    return body.get("deleteOptions", body).get("preconditions", {})  # type: ignore[no-any-return]


def _reads(event: AuditEvent, write: AuditEvent) -> bool:
    """Whether it reads what was written: of a container that was put in, what that tells."""
    same = event.resource == write.resource and event.namespace == write.namespace
    if _inserts(write) and event.subresource != "log":
        return False
    return same and (event.verb == "list" or (event.verb == "get" and event.name == write.name))


def captured(evidence: Path, detail: str) -> int:
    """How many objects a capture stored whose content has the hash in the manifest; 0 if any has another."""
    named = manifests_named(detail)
    try:
        manifest = (evidence / named[-1].name).read_bytes()
        objects = manifest_content(manifest)["objects"]
        stored = [(item["sha256"], (evidence / item["name"]).read_bytes()) for item in objects]
    except (OSError, ValueError, LookupError):
        return 0
    agrees = all(sha256(content).hexdigest() == wanted for wanted, content in [(named[-1].sha256, manifest), *stored])
    return len(stored) if agrees else 0
