"""What a case knows of its target: the questions from what ran to who else runs it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.kubernetes.container_facts import Origin
from scc_responder.domain.reasons import Reason
from scc_responder.journal.account.answers import AccountLine, Answer, Knowledge, Question, answer_of
from scc_responder.journal.account.case_facts import CaseFacts, NamedFile, facts_in
from scc_responder.journal.account.manifest_names import manifests_named
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.watch.watch import LookNote

_LOOK, _LOGS = "inspect_container", "capture_cloud_logs"
_ORIGINS = {
    Origin.IN_IMAGE: "yes: it is in the image",
    Origin.ADDED: "no: it was added after the container started",
    Origin.ADDED_BY_PACKAGE_MANAGER: "no: a package manager added it after the container started",
    Origin.CHANGED: "no: the image has a file at this path, and it was changed since",
    Origin.ON_VOLUME: "no: it is on a volume",
}
_LEVELS = {
    IdentityLevel.PROVED: "yes: every check held",
    IdentityLevel.LIKELY: "likely: nothing contradicts, and some fields are absent",
    IdentityLevel.REFUTED: "no: a check contradicts",
}


def about_target(record: CaseRecord) -> Iterator[Answer]:
    """The first eight answers."""
    facts, lacking = facts_of(record)
    yield answer_of(Question.WHAT_RAN, _ran(record, facts), lacking or "the finding names no process and no file")
    yield answer_of(Question.WHERE, _where(record, facts), lacking or "the finding names no place that was read")
    owner = "no label, annotation or contact of the finding, its namespace or its cluster names one"
    yield answer_of(Question.OWNER, _owner(record, facts), lacking or owner)
    yield _same_target(record)
    yield _in_image(record)
    talked = lacking or "the finding names no address"
    yield _with_evidence(
        answer_of(Question.TALKED_TO, _talked_to(facts), talked), _kept_by(record, _LOOK, "its sockets and processes")
    )
    yield _identity(record, facts, lacking)
    yield _same_digest(record, facts)


def facts_of(record: CaseRecord) -> tuple[CaseFacts, str]:
    """What the case keeps of its finding and target, and why it is nothing; the reason is empty where it keeps it."""
    if facts := facts_in(record.decision):
        return facts, ""
    if "left_out" in record.decision:
        return CaseFacts(), "the record was too large to keep it"
    if record.decision:
        return CaseFacts(), "an earlier version kept the case, without it"
    return CaseFacts(), f"nothing was decided: {record.reason}" if record.reason else "nothing is decided yet"


def digests_of(record: CaseRecord, facts: CaseFacts) -> tuple[str, ...]:
    """The digests of the images that the finding names."""
    named = (*record.decision.get("images", ()), *(item.digest for item in facts.containers))
    return tuple(dict.fromkeys(filter(None, named)))


def file_hash(file: NamedFile) -> str:
    """The file's SHA-256, and of how much of it that is: of a part, it identifies no file."""
    if not file.sha256:
        return "no hash of it"
    if file.whole_file:
        return f"SHA-256 {file.sha256}, of the whole file"
    size = "a part of it" if file.hashed_size is None else f"its first {file.hashed_size} bytes"
    return f"SHA-256 {file.sha256}, of {size}: it identifies no file"


def _ran(record: CaseRecord, facts: CaseFacts) -> Iterator[AccountLine]:
    for program in facts.programs:
        for file in program.files:
            yield AccountLine(name=file.role, text=f"{file.path}; {file_hash(file)}")
        if program.command:
            user = "" if program.user_id is None else f"; as user {program.user_id}"
            yield AccountLine(name="command line", text=f"{program.command}{user}")
    yield from (AccountLine(name=file.role, text=f"{file.path}; {file_hash(file)}") for file in facts.files)
    read = record.inspection.artefact if record.inspection else None
    if read:
        whole = f", SHA-256 {read.sha256} of the whole file" if read.sha256 else ""
        kept = "; kept as evidence" if read.kept else ""
        yield AccountLine(name="as read", text=f"{read.path}: hash {read.hash}{whole}{kept}")
    for near in facts.related:
        text = f"{near.category}, {near.severity or 'without severity'}, {near.event_time:%Y-%m-%d %H:%M:%S} UTC"
        yield AccountLine(name="seen near it", text=text)
    for name in facts.cut:
        yield AccountLine(name="left out", text=f"the finding has more {name} than are kept here")


def _where(record: CaseRecord, facts: CaseFacts) -> Iterator[AccountLine]:
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    if record.cluster:
        yield AccountLine(name="cluster" if "/clusters/" in record.cluster else "project", text=record.cluster)
    if pod:
        yield AccountLine(name="pod", text=f"{pod.get('namespace')}/{pod.get('name')}, UID {pod.get('uid')}")
    elif facts.pods:
        why = record.decision.get("missing", {}).get("pod", "not read")
        yield from (AccountLine(name="pod", text=f"{name}, as the finding names it: {why}") for name in facts.pods)
    if node := pod.get("node") or facts.node:
        instance = f", instance {pod['instance_id']}" if pod.get("instance_id") else ", instance not known"
        yield AccountLine(name="node", text=f"{node}{instance}")
    if run:
        meant = f", {run['meant']}" if run.get("meant") else ""
        yield AccountLine(name=str(run.get("kind")), text=f"{run.get('name')}{meant}, UID {run.get('uid')}")
    for item in facts.containers:
        image = f"{item.image or 'image not named'}; {item.digest or 'its digest is not known'}"
        yield AccountLine(name="container", text=f"{item.name}: {image}")


def _owner(record: CaseRecord, facts: CaseFacts) -> Iterator[AccountLine]:
    if workload := (record.decision.get("pod") or {}).get("workload"):
        yield AccountLine(name="workload", text=str(workload))
    yield from (AccountLine(name="label", text=text) for text in facts.labels)
    named = [("contact", text) for text in facts.contacts]
    named += [("contact of the project", text) for text in facts.project_contacts]
    for name, text in [*named, *([("last deployer", facts.deployer)] if facts.deployer else [])]:
        actor = "; it did what the finding is about, and is not told" if text in facts.untold else ""
        yield AccountLine(name=name, text=f"{text}{actor}")


def _same_target(record: CaseRecord) -> Answer:
    identity = record.decision.get("identity") or {}
    level = str(identity.get("level", IdentityLevel.UNKNOWN))
    results = {str(name): str(said) for name, said in identity.get("checks", {}).items()}
    checks = [AccountLine(name=name, text=said) for name, said in results.items() if said != "held"]
    if held := [name for name, said in results.items() if said == "held"]:
        checks.append(AccountLine(name="held", text=", ".join(held)))
    if level not in set(_LEVELS):
        why = meaning_of(str(identity.get("reason") or record.reason)) or "none was read"
        return Answer(question=Question.SAME_TARGET, knowledge=Knowledge.UNKNOWN, why=why, lines=tuple(checks))
    said = AccountLine(name="answer", text=_LEVELS[IdentityLevel(level)])
    return Answer(question=Question.SAME_TARGET, lines=(said, *checks))


def _in_image(record: CaseRecord) -> Answer:
    question, told = Question.IN_IMAGE, record.inspection
    kept = tuple(_kept_by(record, _LOOK, "what a look into the container read"))
    lines = []
    if told and told.artefact and told.artefact.origin is not Origin.UNKNOWN:
        lines.append(
            AccountLine(name=told.artefact.role, text=f"{_ORIGINS[told.artefact.origin]}; {told.artefact.path}")
        )
    if told and told.compiler and told.compiler.present is not None:
        compiler = told.compiler
        there = f"{compiler.path} {compiler.package} {compiler.version}; {compiler.origin}"
        lines.append(AccountLine(name="compiler", text=there if compiler.present else "none in the container"))
    if lines:
        return Answer(question=question, lines=(*lines, *kept))
    looks = [step for step in record.current_steps if step.action == _LOOK]
    if looks:
        why = f"{looks[-1].status}, {meaning_of(looks[-1].reason)}" if not kept else "the look could not tell"
        return Answer(question=question, knowledge=Knowledge.UNKNOWN, why=why, lines=kept)
    why = "nobody can look into a container of Cloud Run" if record.decision.get("cloud_run") else ""
    why = why or "no policy asked for a look into the container"
    return Answer(question=question, knowledge=Knowledge.NOT_ASKED, why=why)


def _talked_to(facts: CaseFacts) -> Iterator[AccountLine]:
    yield from (AccountLine(name="connection", text=text) for text in facts.connections)
    yield from (AccountLine(name="indicator", text=text) for text in facts.indicators)


def _identity(record: CaseRecord, facts: CaseFacts, lacking: str) -> Answer:
    lines = [AccountLine(name="runs as", text=facts.account)] if facts.account else []
    if facts.principal:
        what, origin = facts.method or "what the finding names", facts.caller or "an address that is not named"
        lines.append(AccountLine(name="principal", text=f"{facts.principal}: {what} from {origin}"))
    asked = [step for step in record.current_steps if step.action == _LOGS]
    did = [AccountLine(name="did", text=f"{meaning_of(step.reason)}: {step.detail}") for step in asked]
    did = did or [AccountLine(name="did", text="not asked: no policy asked for its calls in the audit logs")]
    answer = answer_of(Question.IDENTITY, lines, lacking or "neither the finding nor the target names one")
    return msgspec.structs.replace(answer, lines=(*answer.lines, *did))


def _same_digest(record: CaseRecord, facts: CaseFacts) -> Answer:
    running = (record.decision.get("cloud_run") or {}).get("running", ())
    lines = tuple(AccountLine(name="runs too", text=f"execution {name}") for name in running)
    known = bool(digests_of(record, facts))
    why = "only the cases of the store could tell: scc-responder case report looks there"
    return Answer(
        question=Question.SAME_DIGEST,
        knowledge=Knowledge.NOT_ASKED if known else Knowledge.UNKNOWN,
        why=why if known else "no digest of an image is known",
        lines=lines,
    )


def _kept_by(record: CaseRecord, action: str, what: str) -> Iterator[AccountLine]:
    """The objects of evidence in which an action kept more."""
    for step in record.current_steps:
        if step.action == action:
            for manifest in manifests_named(step.detail):
                yield AccountLine(name="evidence", text=f"{what}: listed in {manifest.name}")


def _with_evidence(answer: Answer, lines: Iterable[AccountLine]) -> Answer:
    return msgspec.structs.replace(answer, lines=(*answer.lines, *lines))


def meaning_of(reason: str) -> str:
    """A stored reason, and what it means where this version knows it."""
    known = Reason.read(reason)
    return f"{reason} ({known.meaning})" if known else reason


def note_in_words(note: LookNote) -> str:
    """What a look could not see, and why."""
    return f"{note.about}: {meaning_of(note.reason)}{f'; {note.detail}' if note.detail else ''}"
