"""Where an image or a file is: told by our own cases, each counted once, and never by the hash of a part."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Inspection, Origin
from scc_responder.entrypoint.console.spread import named_by, spread_words, spreads
from scc_responder.journal.account.case_facts import CaseFacts, NamedFile, RanProgram
from scc_responder.journal.case import CaseRecord
from tests.kits.journal_worlds import START


def made(number: int, place: str, *images: str, files: tuple[NamedFile, ...] = (), **fields: Any) -> CaseRecord:
    facts = CaseFacts(programs=(RanProgram(files=files),), files=files)
    return CaseRecord(
        finding_key=f"{number:064x}",
        finding_name="f",
        event_time=START,
        digest="d",
        cluster=place,
        decision={"policy_digest": "p", "images": [*images], "facts": to_builtins(facts)},
        **fields,
    )


def file(sha256: str, *, whole: bool = True) -> NamedFile:
    return NamedFile(role="program", path="/tmp/x", sha256=sha256, whole_file=whole)


def test_an_image_and_a_file_spread_over_clusters() -> None:
    """The widest first; what is in one place alone, and a case without a place, is not told."""
    records = [
        made(1, "a", "sha256:1", files=(file("f1"),)),
        made(2, "b", "sha256:1", files=(file("f1"),)),
        made(3, "b", "sha256:1", "sha256:2"),
        made(4, "c", files=(file("f1"), file("part", whole=False))),
        made(5, "d", files=(file("part", whole=False),)),
        made(6, "", "sha256:2"),
    ]
    assert [spread_words(each) for each in spreads(records)] == [
        "file f1 in 3 places, by cases: a (1), b (1), c (1)",
        "image sha256:1 in 2 places, by cases: a (1), b (2)",
    ]


def test_a_file_that_a_look_read_whole_counts() -> None:
    """Its SHA-256 is as good as the finding's."""
    read = Artefact(role="program", path="/tmp/x", hash=ArtefactHash.MATCHES, origin=Origin.UNKNOWN, sha256="f9")
    assert named_by(made(1, "a", inspection=Inspection(artefact=read))) == {("file", "f9")}


def test_many_places_are_counted() -> None:
    """Ten are named."""
    (found,) = spreads([made(number, f"c{number:02}", "sha256:1") for number in range(13)])
    assert spread_words(found).startswith("image sha256:1 in 13 places, by cases: c00 (1), ")
    assert spread_words(found).endswith(", c09 (1) and 3 more")


PLACED = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sets(st.sampled_from(["sha256:1", "sha256:2"]))))


@given(PLACED)
def test_counts_add_up(drawn: list[tuple[str, set[str]]]) -> None:
    """Of each image that is told the cases are those that name it and have a place."""
    found = spreads([made(number, place, *images) for number, (place, images) in enumerate(drawn)])
    for each in found:
        assert sum(each.places.values()) == sum(bool(place) and each.value in images for place, images in drawn)
        assert len(each.places) > 1
