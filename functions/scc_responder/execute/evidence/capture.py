"""Carry out a capture: read the sources of its kind, store what they gave, then the manifest that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from time import monotonic
from typing import Any, Protocol

from msgspec.structs import replace

from scc_responder.domain.changes import Change, ChangedObject, StepRun
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN
from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import case_id
from scc_responder.domain.ports import Clock, Evidence, Signer
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, refused
from scc_responder.domain.store import CasStore
from scc_responder.execute.after_changes import read_again
from scc_responder.execute.evidence import Moment, SourceInput, sources_for
from scc_responder.execute.evidence.manifest import (
    EvidenceObject,
    evidence_objects,
    evidence_statement,
)
from scc_responder.execute.evidence.reading import Reading, read_sources
from scc_responder.execute.evidence.sealing import Sealed, note_unsigned, seal, unsealed
from scc_responder.execute.world import World
from scc_responder.journal.account.manifest_names import ManifestName
from scc_responder.policy.decide import ActionResult, Decision
from scc_responder.policy.order import in_order

STORE_SECONDS = 20.0
"""How long storing may take: a bucket that stalls keeps nothing else from being done, and the step comes again."""

SIGN_SECONDS = 8.0
"""How long a signature is waited for. Later than that, the manifest is stored without it."""


def capture(
    change: Change,
    step: StepRun,
    context: Context,
    world: World,
    earlier: Sequence[ManifestName] = (),
    *,
    chain: Mapping[str, Any] | None = None,
) -> Result:
    """Read all sources of the change's kind and store what they gave.

    Only a required source that could not be read fails the step. The step is skipped, which nothing that needs it takes
    for done, where such a one says itself who does not let it read, or where nothing at all is to be had.

    `earlier` are the case's manifests before this one, `chain` what its hash chain says now.

    Raises RetryableError, or what a required source did, where a later delivery may succeed; what was read is stored
    before.
    """
    if change.declared is CAPTURES_AGAIN:
        context, world = read_again(context, world)
    if world.evidence is None:
        return failed(Reason.NO_EVIDENCE_STORE, "set SCC_RESPONDER_EVIDENCE to gs://BUCKET/PREFIX or file:///FOLDER")
    asked = sources_for(change.declared, of_cloud_run=context.finding.cloud_run is not None)
    early = [reading for reading in world.early.get(change.target, ()) if reading.source in asked]
    known = {reading.source.name for reading in early}
    late = [each for each in asked if each.name not in known]
    readings = (*early, *read_sources(late, _given(change, context, world), world.pool, step.renew))
    objects = evidence_objects(context.finding.key, readings)
    described = [item.stored for item in objects]
    statement = evidence_statement(context, readings, described, world.clock(), earlier, chain=chain)
    lacking = [reading for reading in readings if reading.source.required and reading.is_failed]
    step.intend()
    try:
        sealed = store_sealed(objects, statement, case_id(context.finding.key), world)
    except ApiError as error:
        return refused(error)
    _come_again(lacking)
    unknown = next((item.unknown for reading in readings for item in reading.items if item.unknown), "")
    return replace(_outcome(readings, lacking, sealed), unknown=unknown)


def read_early(
    context: Context, decision: Decision, world: World, renew: Callable[[], None]
) -> dict[ChangedObject | None, tuple[Reading, ...]]:
    """What isolation would change, read before the first step; by the targets of which evidence is to be captured.

    Raises only what `renew` raises (LostLease).
    """
    planned = (item for _, item in in_order(decision) if item.result == ActionResult.PLANNED)
    changes = (change for item in planned for change in item.changes)
    captures = {change.target: change for change in changes if change.declared is CAPTURES_EVIDENCE}
    if world.evidence is None or not captures:
        return {}
    asked = sources_for(CAPTURES_EVIDENCE, of_cloud_run=context.finding.cloud_run is not None)
    early = [each for each in asked if each.moment is Moment.BEFORE_ISOLATION]
    return {
        target: read_sources(early, _given(change, context, world), world.pool, renew)
        for target, change in captures.items()
    }


def _given(change: Change, context: Context, world: World) -> SourceInput:
    logs = world.logs() if change.declared is CAPTURES_CLOUD_LOGS else None
    metrics = world.metrics() if context.service else None
    return SourceInput(
        context=context,
        change=change,
        api=world.api,
        errors=world.unread,
        logs=logs,
        metrics=metrics,
        clock=world.clock,
    )


def _come_again(lacking: Iterable[Reading]) -> None:
    for reading in lacking:
        if isinstance(reading.passing, ApiError):
            raise RetryableError(
                reading.passing.reason, reading.detail, permission=reading.permission
            ) from reading.passing
        if reading.passing:
            raise reading.passing


def _outcome(readings: Sequence[Reading], lacking: Sequence[Reading], sealed: Sealed) -> Result:
    """What the step comes to: `lacking` are required and could not be read."""
    said = [item.summary for reading in readings for item in reading.items if item.summary]
    stored = "; ".join([str(sealed), *said])
    if lacking:
        return failed(lacking[0].source.incomplete, "; ".join([*(reading.detail for reading in lacking), stored]))
    withheld = [each for each in readings if each.is_withheld]
    if withheld:
        return _skipped(withheld[0].source.incomplete, withheld, stored)
    if any(item.still_runs for reading in readings for item in reading.items):
        return done(Reason.INSTANCES_LEFT, stored)
    if any(Reason.LOGS_LATER in {each.why, *said} for each in readings) or all(each.passing for each in readings):
        return done(Reason.LOGS_LATER, stored)
    if not any(each.items or each.source.required for each in readings):
        return _skipped(Reason.read(readings[0].why) or Reason.CAPTURED_IN_PART, readings, stored)
    return done(Reason.CAPTURED_UNSIGNED if sealed.unsigned else Reason.CAPTURED, stored)


def _skipped(reason: Reason, unread: Iterable[Reading], stored: str) -> Result:
    detail = "; ".join(filter(None, [*(each.detail for each in unread), stored]))
    return Result(status=StepStatus.SKIPPED, reason=reason, detail=detail)


class SealingMeans(Protocol):
    """What a manifest is signed and stored with. `store` keeps the note of one that could not be signed."""

    @property
    def evidence(self) -> Evidence | None:
        """Where evidence goes."""

    @property
    def evidence_pool(self) -> Executor:
        """The threads that it is stored on."""

    @property
    def signer(self) -> Signer | None:
        """What signs it."""

    @property
    def store(self) -> CasStore | None:
        """The store of cases."""

    @property
    def clock(self) -> Clock:
        """The time."""


def store_sealed(
    objects: Iterable[EvidenceObject], statement: bytes, case: str, world: SealingMeans, seconds: float = STORE_SECONDS
) -> Sealed:
    """Store all objects and have their manifest signed meanwhile, then store it: what it names is complete.

    A manifest that could not be signed is stored as it is, and left to a sweep. `case` is the case's id. Raises the
    first ApiError, or ApiError `evidence_unavailable` after so many seconds in all; StoreError.
    """
    if world.evidence is None:
        raise ApiError(Reason.NO_EVIDENCE_STORE)
    began, pool = monotonic(), world.evidence_pool
    signing = pool.submit(seal, case, statement, world.signer)
    store_side_by_side(objects, world.evidence, pool, began + seconds)
    wait([signing], max(0.0, began + SIGN_SECONDS - monotonic()))
    late = unsealed(case, statement, f"{Reason.TIMEOUT}: no signature within {SIGN_SECONDS:g} s")
    sealed = signing.result() if signing.done() else late
    store_side_by_side([sealed.manifest], world.evidence, pool, began + seconds)
    if sealed.unsigned and world.store is not None:
        note_unsigned(world.store, case, statement, sealed, world.clock())
    return sealed


def store_side_by_side(objects: Iterable[EvidenceObject], store: Evidence, pool: Executor, until: float) -> None:
    """Store all objects. Raises the first ApiError, or ApiError `evidence_unavailable` at `until`, a monotonic time."""
    began = monotonic()
    started = [pool.submit(store.put, item.name, item.content) for item in objects]
    wait(started, max(0.0, until - monotonic()))
    # What waits for a thread is not begun any more.
    missing = [future for future in started if future.cancel() or not future.done()]
    for future in started:
        if future not in missing:
            future.result()
    if missing:
        raise ApiError(Reason.EVIDENCE_UNAVAILABLE, f"not stored within {until - began:.3g} s")
