"""Carry out `CaptureEvidence`: read every source, store what they gave, then the manifest that names it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from scc_responder.domain.changes import Change, StepRun
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.ports import Evidence
from scc_responder.domain.status import Result, StepStatus, done, failed, refused
from scc_responder.execute.evidence import SourceInput, evidence_sources
from scc_responder.execute.evidence.manifest import EvidenceObject, evidence_manifest, evidence_objects
from scc_responder.execute.evidence.reading import RENEW_SECONDS, Reading, read_sources
from scc_responder.execute.execution import World


def capture(change: Change, step: StepRun, context: Context, world: World) -> Result:
    """Read all sources and store what they gave. Only a required source that could not be read fails the step.

    Raises RetryableError, or what a required source did, where a later delivery may succeed; what was read is stored
    before.
    """
    if world.evidence is None:
        return failed("no_evidence_store", "set SCC_RESPONDER_EVIDENCE to gs://BUCKET/PREFIX or file:///FOLDER")
    given = SourceInput(context=context, change=change, api=world.api, errors=world.unread)
    readings = read_sources(evidence_sources().values(), given, world.pool, step.renew)
    objects = evidence_objects(context.finding.key, readings)
    manifest = evidence_manifest(context, readings, objects, world.clock())
    lacking = [reading for reading in readings if reading.source.required and reading.is_failed]
    if step.dry_run:
        _come_again(lacking)
        return Result(status=StepStatus.DRY_RUN, reason="would_capture", detail=f"{len(objects)} objects")
    step.intend()
    try:
        store_side_by_side(objects, world.evidence, world.pool, step)
        # Last: what a manifest names is complete.
        world.evidence.put(manifest.name, manifest.content)
    except ApiError as error:
        return refused(error)
    _come_again(lacking)
    return _result(lacking, f"{manifest.name} sha256 {manifest.sha256}")


def _come_again(lacking: Iterable[Reading]) -> None:
    for reading in lacking:
        if isinstance(reading.passing, ApiError):
            raise RetryableError(reading.why, reading.detail) from reading.passing
        if reading.passing:
            raise reading.passing


def _result(lacking: Sequence[Reading], stored: str) -> Result:
    if not lacking:
        return done("captured", stored)
    return failed(lacking[0].source.incomplete, "; ".join([*(reading.detail for reading in lacking), stored]))


def store_side_by_side(
    objects: Iterable[EvidenceObject],
    store: Evidence,
    pool: ThreadPoolExecutor,
    step: StepRun,
    renew_seconds: float = RENEW_SECONDS,
) -> None:
    """Store all objects, and keep the case meanwhile. Raises the first ApiError, or LostLease."""
    waiting = {pool.submit(store.put, item.name, item.content) for item in objects}
    while waiting:
        stored, waiting = wait(waiting, renew_seconds, FIRST_EXCEPTION)
        for future in stored:
            future.result()
        if waiting:
            step.renew()
