"""What is kept of a case is complete, named by hashes, and holds no secret values."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.context import Context, RelatedFinding
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.manifest import (
    EvidenceObject,
    Part,
    StoredObject,
    evidence_statement,
)
from scc_responder.execute.evidence.sealing import seal
from scc_responder.journal.account.manifest_names import ManifestName, manifests_named
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.bundle.stored_envelope import opened
from tests.kits.captures import evidence, given, read
from tests.kits.journal_worlds import START, finding

THREAT = Threat(name="reverse_shell", surface="pod", kind="ioc", confidence="likely")
RELATED = RelatedFinding(name="other", category="Added Binary Executed", event_time=START)
CASE = "cases/0a0a0a0a0a0a/"


def pod(**metadata: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"namespace": "shop", "name": "web-1", **metadata}, "spec": {}}


def context(**objects: dict[str, Any]) -> Context:
    return Context(finding=finding(), threat=THREAT, objects=objects)


def one(kind: str, item: dict[str, Any]) -> EvidenceObject:
    return next(each for each in evidence(context(**{kind: item})) if f"/{kind}-" in each.name)


def manifest_of(facts: Context, kept: tuple[EvidenceObject, ...], at: datetime = START) -> EvidenceObject:
    statement = evidence_statement(facts, read(given(facts)), [item.stored for item in kept], at)
    return seal("0a0a0a0a0a0a", statement, None).manifest


def test_everything_that_was_read_is_kept() -> None:
    """One object for each thing, in an order that does not change."""
    facts = Context(
        finding=finding(), threat=THREAT, related=(RELATED,), objects={"pod": pod(), "node": {}, "namespace": {}}
    )
    kept = evidence(facts, [{"reason": "Started"}])
    words = [item.name.removeprefix(CASE).rpartition("-")[0] for item in kept]
    assert words == ["finding", "namespace", "node", "pod", "related-findings", "events"]
    assert json.loads(kept[-1].content) == {"items": [{"reason": "Started"}]}
    assert json.loads(kept[4].content)[0]["category"] == "Added Binary Executed"


def test_what_could_not_be_read_is_left_out_but_nothing_found_is_kept() -> None:
    """No answer and an empty answer are two facts."""
    assert [item.kind for item in evidence(Context(finding=finding(), threat=THREAT))] == ["finding"]
    kept = evidence(Context(finding=finding(), threat=THREAT, related=()), [])
    assert [json.loads(item.content) for item in kept[1:]] == [[], {"items": []}]


def test_the_same_content_has_the_same_name_and_another_one_another() -> None:
    """A second capture of the same adds nothing, of something new adds to the first."""
    assert one("pod", pod()) == one("pod", dict(reversed(pod().items())))
    assert one("pod", pod()).name != one("pod", pod(labels={"a": "b"})).name


def test_a_name_holds_the_hash_of_the_content() -> None:
    """Whoever has the object can check it."""
    kept = one("pod", pod())
    assert kept.name == f"{CASE}pod-{hashlib.sha256(kept.content).hexdigest()[:16]}.json"


HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "x" * 4096,
    "CON",
    "é",
    "e\u0301",
    "a\nb",
    "\ud800",
    "<script>",
    "%2e",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_hostile_word_gets_into_a_name(name: str) -> None:
    """Names and kinds stand in the manifest, as data."""
    owner = {"kind": name, "metadata": {"namespace": name, "name": name}}
    kept = evidence(context(owner=owner, **{name: owner}), [{"reason": name}])
    listed = manifest_of(context(), kept)
    names = [item.name for item in (*kept, listed)]
    assert [re.fullmatch(r"[a-z0-9/_.-]{1,200}", each) is not None for each in names] == [True] * len(names)
    words = {each.removeprefix(CASE).rpartition("-")[0] for each in names}
    assert words == {"finding", "object", "events", "manifest"}
    assert manifest_content(listed.content)["objects"][1]["kind"] == name


def test_the_manifest_lists_each_object_with_its_hash() -> None:
    """It proves that nothing was changed or taken away since."""
    facts = Context(finding=finding(), threat=THREAT, objects={"pod": pod()}, missing={"node": "not_found"})
    kept = evidence(facts)
    listed = manifest_content(manifest_of(facts, kept).content)
    assert listed["objects"][1] == {
        "name": kept[1].name,
        "kind": "Pod",
        "title": "shop/web-1",
        "source": "pod",
        "sha256": hashlib.sha256(kept[1].content).hexdigest(),
        "size": len(kept[1].content),
        "captured_at": "2026-03-01T12:00:00Z",
        "redacted": [],
        "redacted_count": 0,
    }
    assert {name: listed[name] for name in ("schema", "case", "finding", "missing")} == {
        "schema": 2,
        "case": "0a0a0a0a0a0a",
        "finding": finding().name,
        "missing": {"node": "not_found"},
    }


def test_the_manifest_lists_what_was_left_out() -> None:
    """By place and rule; a list without end is cut, and counted."""
    kept = evidence(context(pod=pod(annotations={f"a{number}": "x" for number in range(1200)})))
    listed = manifest_content(manifest_of(context(), kept).content)["objects"][1]
    assert listed["redacted"][0] == {"path": "$.metadata.annotations.a0", "rule": "annotation"}
    assert (len(listed["redacted"]), listed["redacted_count"]) == (1000, 1200)


def test_a_second_capture_has_a_manifest_of_its_own() -> None:
    """Also of the same objects: it was another moment."""
    kept = evidence(context(pod=pod()))
    later = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)
    assert manifest_of(context(), kept).name != manifest_of(context(), kept, later).name


def test_the_statement_is_about_each_object_by_name() -> None:
    """Any tool for in-toto finds what it attests to, whatever it makes of the predicate."""
    facts = context(pod=pod())
    kept = evidence(facts)
    statement = opened(manifest_of(facts, kept).content).statement()
    assert statement["subject"] == [{"name": item.name, "digest": {"sha256": item.sha256}} for item in kept]
    assert [item["sha256"] for item in statement["predicate"]["objects"]] == [item.sha256 for item in kept]


def test_a_part_says_what_it_is_a_part_of() -> None:
    """What is too large for one object is put together again, and its whole content checked."""
    part = Part(of="ab" * 32, size=7, number=1, count=2)
    item = StoredObject(name=f"{CASE}artefact-1.bin", sha256="cd" * 32, size=3, kind="artefact", part=part)
    statement = evidence_statement(context(), (), [item], START)
    (listed,) = manifest_content(seal("0a0a0a0a0a0a", statement, None).manifest.content)["objects"]
    assert listed["part"] == {"of": "ab" * 32, "size": 7, "number": 1, "count": 2}
    assert (listed["size"], listed["sha256"]) == (3, "cd" * 32)


def test_a_manifest_names_those_before_it() -> None:
    """One that is taken away is missed; the names are those that a step's detail holds."""
    before = ManifestName(name=f"{CASE}manifest-{'0' * 16}.json", sha256="0" * 64)
    assert manifests_named(f"lacks events; {before}; not signed yet: kms_unavailable") == (before,)
    assert manifests_named("") == manifests_named(f"{CASE}pod-{'0' * 16}.json sha256 {'0' * 64}") == ()
    statement = evidence_statement(context(), (), [], START, [before])
    said = manifest_content(seal("0a0a0a0a0a0a", statement, None).manifest.content)
    assert said["earlier"] == [{"name": before.name, "sha256": before.sha256}]


OLD = {"schema": 1, "case": "0a0a0a0a0a0a", "objects": []}


def test_a_manifest_of_an_earlier_version_is_read() -> None:
    """It is no envelope, and says the same."""
    assert manifest_content(canonical_json(OLD)) == OLD


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schema": 2}', b"null"], ids=repr)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    """Nothing is read out of it."""
    with pytest.raises(ValueError, match=r"."):
        manifest_content(content)
