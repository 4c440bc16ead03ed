"""Carry out the changes that touch no cluster object: evidence is stored, the decision is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.changes import Change, StepRun
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import Evidence, KubernetesApi, Outcomes
from scc_responder.domain.status import Result, StepStatus, done, failed
from scc_responder.execute.evidence import EvidenceObject, evidence, manifest
from scc_responder.execute.execution import World

Event = Mapping[str, Any]

RENEW_SECONDS = 30.0
"""How long a capture goes on before it renews the case's lease, which is four times as long."""


def capture(change: Change, step: StepRun, context: Context, world: World) -> Result:
    """Store everything that was read, and the pod's events, then the manifest that names what is complete."""
    if world.evidence is None:
        return failed("no_evidence_store", "set SCC_RESPONDER_EVIDENCE to gs://BUCKET/PREFIX or file:///FOLDER")
    events, unread = _events(change, world.api)
    if unread:
        context = replace(context, missing={**context.missing, "events": unread})
    objects = evidence(context, events)
    listed = manifest(context, objects, world.clock())
    if step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason="would_capture", detail=f"{len(objects)} objects")
    step.intend()
    try:
        store_side_by_side(objects, world.evidence, world.pool, step)
        # Last: what a manifest names is complete.
        _put(world.evidence, listed)
    except ApiError as error:
        return _refused(error)
    stored = f"{listed.name} sha256 {listed.sha256}"
    return failed("captured_without_events", f"{unread}; {stored}") if unread else done("captured", stored)


def store_side_by_side(
    objects: Iterable[EvidenceObject],
    store: Evidence,
    pool: ThreadPoolExecutor,
    step: StepRun,
    renew_seconds: float = RENEW_SECONDS,
) -> None:
    """Store all objects, and keep the case meanwhile. Raises the first ApiError, or LostLease."""
    waiting = {pool.submit(_put, store, item) for item in objects}
    while waiting:
        stored, waiting = wait(waiting, renew_seconds, FIRST_EXCEPTION)
        for future in stored:
            future.result()
        if waiting:
            step.renew()


def _put(store: Evidence, item: EvidenceObject) -> None:
    store.put(item.name, item.content)


def _events(change: Change, api: KubernetesApi | None) -> tuple[list[Event] | None, str]:
    """The pod's events, or why they may not be read."""
    pod = change.target
    if api is None or pod is None:
        return None, ""
    try:
        return list(api.list(api_paths.events(pod.namespace), api_paths.events_about(pod.uid))), ""
    except ApiError as error:
        return None, _refused(error).detail


def publish(message: bytes, step: StepRun, attributes: Mapping[str, str], topic: Outcomes | None) -> Result:
    """Publish the decision and the outcomes so far, once: a copy can only follow a crash within this step."""
    if topic is None:
        return Result(status=StepStatus.SKIPPED, reason="no_outcome_topic")
    if step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason="would_publish")
    step.intend()
    try:
        message_id = topic.publish(message, attributes)
    except ApiError as error:
        return _refused(error)
    return done("published", message_id)


def _refused(error: ApiError) -> Result:
    """A refusal is an outcome; anything else may pass, so the message must come again."""
    if error.status in {403, 404}:
        return failed(error.reason, f"missing permission: {error.permission}" if error.permission else str(error))
    raise RetryableError(error.reason, str(error)) from error
