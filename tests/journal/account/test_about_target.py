"""What a case knows of its target: each answer from the record, or why there is none and where evidence has it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Compiler, Inspection, Origin
from scc_responder.domain.status import StepStatus
from scc_responder.journal.account.about_target import about_target, file_hash
from scc_responder.journal.account.answers import Answer, Knowledge, Question
from scc_responder.journal.account.case_facts import CaseFacts, NamedContainer, NamedFile, RanProgram
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START

DIGEST = f"sha256:{'c' * 64}"
MANIFEST = f"cases/0a0a0a0a0a0a/manifest-{'1' * 16}.json"


def record(facts: CaseFacts | None = None, **decision: Any) -> CaseRecord:
    kept = {"facts": to_builtins(facts)} if facts else {}
    return CaseRecord(
        finding_key="0a" * 32,
        finding_name="f",
        event_time=START,
        digest="d",
        decision={"policy_digest": "p", **kept, **decision},
    )


def answer(question: Question, made: CaseRecord) -> Answer:
    return next(each for each in about_target(made) if each.question is question)


def texts(made: Answer) -> list[str]:
    return [f"{line.name}: {line.text}" for line in made.lines]


def step(action: str, status: StepStatus = StepStatus.DONE, reason: str = "", detail: str = "") -> Step:
    return Step(action_id=action, action=action, status=status, reason=reason, detail=detail, epoch=1)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"sha256": "ab", "whole_file": True}, "SHA-256 ab, of the whole file"),
        ({"sha256": "ab", "hashed_size": 8192}, "SHA-256 ab, of its first 8192 bytes: it identifies no file"),
        ({"sha256": "ab"}, "SHA-256 ab, of a part of it: it identifies no file"),
        ({}, "no hash of it"),
    ],
)
def test_a_hash_says_of_how_much_it_is(file: dict[str, Any], said: str) -> None:
    """Only that of a whole file identifies one."""
    assert file_hash(NamedFile(role="program", path="/tmp/x", **file)) == said


def test_what_ran_is_said_with_what_was_read_of_it() -> None:
    """Program, command line and user; the file as it was read; what else was found about the same pod, and what not."""
    near = RelatedFinding(name="n", category="Reverse Shell", severity="CRITICAL", event_time=START)
    program = RanProgram(command="/tmp/x -q", user_id=0, files=(NamedFile(role="program", path="/tmp/x"),))
    read = Artefact(
        role="binary", path="/tmp/x", hash=ArtefactHash.MATCHES, origin=Origin.ADDED, sha256="ef", kept=True
    )
    made = record(CaseFacts(programs=(program,), related=(near,), cut=("files",)))
    made = replace(made, inspection=Inspection(artefact=read))
    assert texts(answer(Question.WHAT_RAN, made)) == [
        "program: /tmp/x; no hash of it",
        "command line: /tmp/x -q; as user 0",
        "as read: /tmp/x: hash matches, SHA-256 ef of the whole file; kept as evidence",
        f"seen near it: Reverse Shell, CRITICAL, {START:%Y-%m-%d %H:%M:%S} UTC",
        "left out: the finding has more files than are kept here",
    ]


def test_a_pod_that_is_not_there_is_named_as_the_finding_does() -> None:
    """With why it was not read."""
    made = record(CaseFacts(pods=("shop/web-1",), node="n-1"), missing={"pod": "target_absent"})
    assert texts(answer(Question.WHERE, made)) == [
        "pod: shop/web-1, as the finding names it: target_absent",
        "node: n-1, instance not known",
    ]


@pytest.mark.parametrize(
    ("identity", "knowledge", "said"),
    [
        ({"level": "proved", "checks": {"image": "held"}}, "known", "yes: every check held"),
        ({"level": "refuted", "checks": {"image": "other"}}, "known", "no: a check contradicts"),
        ({"level": "unknown", "reason": "no_pod"}, "unknown", "no_pod"),
        ({}, "unknown", "none was read"),
    ],
    ids=["proved", "refuted", "unknown", "none"],
)
def test_the_same_pod_is_known_by_its_checks(identity: dict[str, Any], knowledge: str, said: str) -> None:
    """A refuted one is an answer too."""
    made = answer(Question.SAME_TARGET, record(identity=identity))
    assert made.knowledge == knowledge
    assert said in (made.why or made.lines[0].text)


def test_the_origin_of_the_file_is_what_a_look_told() -> None:
    """With the compiler, and the manifest that lists what was read."""
    file = Artefact(role="binary", path="/tmp/x", hash=ArtefactHash.MATCHES, origin=Origin.CHANGED)
    told = Inspection(artefact=file, compiler=Compiler(present=False))
    look = step("inspect_container", detail=f"{MANIFEST} sha256 {'1' * 64}")
    made = answer(Question.IN_IMAGE, replace(record(), inspection=told, steps=(look,)))
    assert texts(made) == [
        "binary: no: the image has a file at this path, and it was changed since; /tmp/x",
        "compiler: none in the container",
        f"evidence: what a look into the container read: listed in {MANIFEST}",
    ]
    talked = answer(Question.TALKED_TO, replace(record(CaseFacts(node="n")), steps=(look,)))
    assert (talked.knowledge, talked.why) == (Knowledge.UNKNOWN, "the finding names no address")
    assert texts(talked) == [f"evidence: its sockets and processes: listed in {MANIFEST}"]


@pytest.mark.parametrize(
    ("steps", "run", "knowledge", "why"),
    [
        ((), {}, "not_asked", "no policy asked for a look into the container"),
        ((), {"name": "s"}, "not_asked", "nobody can look into a container of Cloud Run"),
        ((step("inspect_container", StepStatus.HELD, "cluster_paused"),), {}, "unknown", "held, cluster_paused ("),
        ((step("inspect_container", detail=f"{MANIFEST} sha256 {'1' * 64}"),), {}, "unknown", "could not tell"),
    ],
    ids=["nobody-asked", "cloud-run", "held", "could-not-tell"],
)
def test_an_origin_that_is_not_known_says_why(
    steps: tuple[Step, ...], run: dict[str, Any], knowledge: str, why: str
) -> None:
    """Not asked is another answer than not known."""
    made = answer(Question.IN_IMAGE, replace(record(cloud_run=run), steps=steps))
    assert made.knowledge == knowledge
    assert why in made.why


def test_what_its_identity_did_is_what_the_audit_logs_said() -> None:
    """Nobody asked is said, too; a finding about the control plane names who did what from where."""
    facts = CaseFacts(account="shop/web", principal="a@example.com", method="pods.exec", caller="203.0.113.7")
    asked = replace(record(facts), steps=(step("capture_cloud_logs", reason="captured", detail="2 calls of it"),))
    assert texts(answer(Question.IDENTITY, asked)) == [
        "runs as: shop/web",
        "principal: a@example.com: pods.exec from 203.0.113.7",
        "did: captured (evidence is stored): 2 calls of it",
    ]
    assert "not asked" in texts(answer(Question.IDENTITY, record(facts)))[-1]


def test_who_else_runs_the_image_is_not_asked_here() -> None:
    """Only the store could tell; without a digest nobody can."""
    facts = CaseFacts(containers=(NamedContainer(name="app", digest=DIGEST),))
    assert answer(Question.SAME_DIGEST, record(facts)).knowledge is Knowledge.NOT_ASKED
    assert answer(Question.SAME_DIGEST, record(CaseFacts(node="n"))).knowledge is Knowledge.UNKNOWN


def test_who_did_it_is_shown_among_the_owners_and_not_told() -> None:
    """A last deployer who is the principal of the finding, and a contact as well."""
    facts = CaseFacts(contacts=("a@example.com", "b@example.com"), deployer="a@example.com", untold=("a@example.com",))
    actor = "a@example.com; it did what the finding is about, and is not told"
    made = [text for text in texts(answer(Question.OWNER, record(facts))) if not text.startswith("workload")]
    assert made == [f"contact: {actor}", "contact: b@example.com", f"last deployer: {actor}"]
