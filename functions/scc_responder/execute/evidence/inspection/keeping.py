"""Keep what a look into a container tells: documents and files while they come, then the manifest that names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from scc_responder.domain.changes import Inspected
from scc_responder.domain.changes.inspect_container import INSPECTS_CONTAINER
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import case_id
from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind, Truncated
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, refused
from scc_responder.execute.evidence import EvidenceItem, Moment, Source, SourceInput
from scc_responder.execute.evidence.capture import store_sealed
from scc_responder.execute.evidence.inspection.artefacts import SOURCE, Artefacts
from scc_responder.execute.evidence.inspection.facts import Past, inspection_of, named_files
from scc_responder.execute.evidence.inspection.image_history import ImageHistory, history_of
from scc_responder.execute.evidence.manifest import evidence_objects, evidence_statement
from scc_responder.execute.evidence.reading import RENEW_SECONDS, Reading, SourceOutcome, begin_reading
from scc_responder.execute.evidence.sources.image import image
from scc_responder.execute.world import World
from scc_responder.journal.account.manifest_names import ManifestName

_SOURCE = Source(
    name=SOURCE,
    read=lambda _given: (),
    moment=Moment.BEFORE_DELETION,
    permissions=(),
    required=False,
    incomplete=Reason.INSPECTED_IN_PART,
    deadline_seconds=45.0,
    prefix="inspection",
    asked_by=INSPECTS_CONTAINER,
)
MOST_DOCUMENTS = 32


@dataclass(kw_only=True, slots=True)
class _Told:
    """What came of a look. `why` it is not the whole; empty where it is."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)
    why: str = ""


def keep_inspection(
    inspected: Inspected,
    context: Context,
    world: World,
    earlier: Sequence[ManifestName] = (),
    *,
    chain: Mapping[str, Any] | None = None,
) -> tuple[Result, Inspection]:
    """Store everything that is told, and say what follows from it.

    `earlier` are the case's manifests before this one, `chain` what its hash chain says now. Raises RetryableError
    where a later delivery may store it.
    """
    if world.evidence is None:
        return failed(Reason.NO_EVIDENCE_STORE), Inspection()
    files = Artefacts(case_id(context.finding.key), world.evidence, world.evidence_pool)
    image_read = _image_begun(inspected, context, world)
    try:
        told = _told(inspected, files)
        files.finish()
        read = image_read()
        manifest = _sealed([_looked(told, files), read], files, context, world, earlier, chain=chain)
    except ApiError as error:
        return refused(error), Inspection()
    history = history_of(read.items[0].content) if read.items else ImageHistory()
    past = Past(started_at=_started_at(context, inspected.container), image=history)
    facts = inspection_of(told.documents, files.files, past, own_form=inspected.own_form)
    return _result(told, files, context, manifest, own_form=inspected.own_form), facts


def _image_begun(inspected: Inspected, context: Context, world: World) -> Callable[[], Reading]:
    given = SourceInput(context=context, registry=world.registry(), container=inspected.container)
    return begin_reading(image, given, world.pool)


def _told(inspected: Inspected, files: Artefacts) -> _Told:
    told, renewed = _Told(), monotonic()
    try:
        for frame in inspected.frames:
            if frame.kind is FrameKind.DOCUMENT:
                _note(told, frame)
            elif frame.kind is FrameKind.END:
                told.end = frame.json()
            else:
                files.take(frame)
            if monotonic() >= renewed + RENEW_SECONDS:
                inspected.renew()
                renewed = monotonic()
    except Truncated as cut:
        told.why = f"truncated: {cut}"
    return told


def _note(told: _Told, frame: Frame) -> None:
    document = frame.json()
    if len(told.documents) < MOST_DOCUMENTS:
        told.documents.setdefault(str(document.get("name", ""))[:64], document)


def _sealed(
    readings: Sequence[Reading],
    files: Artefacts,
    context: Context,
    world: World,
    earlier: Sequence[ManifestName],
    *,
    chain: Mapping[str, Any] | None,
) -> str:
    """Store what was read and the manifest that names it with the files; the manifest's name and hash."""
    objects = evidence_objects(context.finding.key, readings)
    described = [*(item.stored for item in objects), *files.described()]
    statement = evidence_statement(context, readings, described, world.clock(), earlier, chain=chain)
    return str(store_sealed(objects, statement, case_id(context.finding.key), world))


def _looked(told: _Told, files: Artefacts) -> Reading:
    """The documents and the index of files, as a reading."""
    items = [EvidenceItem(kind="Inspection", title=name, content=item) for name, item in told.documents.items()]
    if files.files:
        items.append(EvidenceItem(kind="Files", title="files as they were read", content={"files": files.index()}))
    outcome = SourceOutcome.KEPT if items else SourceOutcome.EMPTY
    return Reading(
        source=_SOURCE, outcome=outcome, items=tuple(items), why=told.why, detail=told.why, is_failed=bool(told.why)
    )


def _result(told: _Told, files: Artefacts, context: Context, manifest: str, *, own_form: bool) -> Result:
    """Done where every file that the finding names is kept or gone: a deletion that needs the look may follow."""
    named = named_files(told.documents)
    lacking = [*filter(None, [told.why, *_lacking(named, files, own_form=own_form)])]
    if context.finding.names_files and not named:
        lacking.append("nothing was told of the finding's files")
    detail = "; ".join([manifest, *lacking, _counts(told.documents), *(["unproven"] if own_form else [])])
    if lacking:
        return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.INSPECTED_IN_PART, detail=detail)
    is_gone = bool(named) and all(item.get("hash") == "gone" for item in named)
    return done(Reason.INSPECTED_GONE if is_gone else Reason.INSPECTED, detail)


def _lacking(named: Sequence[Mapping[str, Any]], files: Artefacts, *, own_form: bool) -> Iterator[str]:
    """What is neither kept nor gone, by its role: its path is what an attacker wrote."""
    for item in named:
        role, kept = str(item.get("role", ""))[:16], files.files.get(str(item.get("artefact", "")))
        if kept is not None and kept.whole:
            continue
        if item.get("hash") == "gone" and not own_form:
            continue
        yield f"{role} not kept: {(kept.why if kept else 'unread')[:64]}"


def _counts(documents: Mapping[str, Mapping[str, Any]]) -> str:
    matches, processes = (documents.get(name, {}).get(name) for name in ("matches", "processes"))
    counts = {"processes": processes, "matched": matches}
    return ", ".join(f"{name} {len(items)}" for name, items in counts.items() if isinstance(items, list))


def _started_at(context: Context, container: str) -> datetime | None:
    pod = context.pod
    return next((item.started_at for item in pod.containers if item.name == container), None) if pod else None
