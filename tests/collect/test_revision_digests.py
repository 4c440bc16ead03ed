"""What tags stood for is asked of the revisions that matter, and nothing that is known is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from scc_responder.collect.revision_digests import MOST_ASKED, with_digests
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunRevision
from tests.kits.run_values import BAD, GOOD, before, run_revision, run_service

TAGGED = (RunContainer(name="c0", image="shop/web:latest"),)


class Asked:
    """`CloudRunApi.image_digests` and the reads of a finding, at once."""

    def __init__(self, **answers: Mapping[str, str] | None) -> None:
        self.answers = {name.replace("_", "-"): digests for name, digests in answers.items()}
        self.names: list[str] = []

    def image_digests(self, _name: RunName, revision: str) -> Mapping[str, str] | None:
        """What a test says."""
        self.names.append(revision)
        return self.answers.get(revision)

    def start(self, read: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do it."""
        done: Future[Any] = Future()
        done.set_result(read(*arguments))
        return done

    def result(self, _fact: str, future: Future[Any]) -> Any:
        """What was read."""
        return future.result()


def found(asked: Any, *revisions: RunRevision, first: str = "checkout-2") -> list[tuple[str, ...]]:
    """The digests of each revision's containers then."""
    known, told = with_digests(run_service(), revisions, frozenset({first}), asked, asked)
    assert told == {name: digests for name, digests in asked.answers.items() if digests and name in asked.names}
    return [tuple(item.digest for item in revision.containers) for revision in known]


def test_a_tag_is_what_it_stood_for() -> None:
    """By the container's name, or of the only container."""
    asked = Asked(checkout_2={"c0": BAD}, checkout_1={"": GOOD})
    tagged = (run_revision(2, containers=TAGGED), run_revision(1, containers=TAGGED))
    assert found(asked, *tagged) == [(BAD,), (GOOD,)]


def test_one_digest_is_not_that_of_two_containers() -> None:
    """Where names are missing, the first digest might be anybody's."""
    two = (RunContainer(image="a:1"), RunContainer(image="b:1"))
    assert found(Asked(checkout_2={"": BAD}), run_revision(2, containers=two)) == [("", "")]


def test_what_the_image_says_is_not_replaced() -> None:
    """A revision whose images are all pinned is not asked about; a sidecar by a tag is."""
    pinned, mixed = run_revision(2, BAD), run_revision(1, containers=(RunContainer(name="c0", digest=GOOD), *TAGGED))
    asked = Asked(checkout_1={"c0": BAD})
    assert found(asked, pinned, mixed) == [(BAD,), (GOOD, BAD)]
    assert asked.names == ["checkout-1"]


def test_the_meant_one_comes_first_and_others_are_few() -> None:
    """Then the newest that are ready; what is being deleted, or never was ready, is no choice."""
    many = [run_revision(number, containers=TAGGED) for number in range(9, -1, -1)]
    asked = Asked()
    assert found(asked, *many, first="checkout-0") == [("",)] * len(many)
    assert asked.names == ["checkout-0", *(f"checkout-{number}" for number in (9, 8, 7, 6))]
    assert len(asked.names) == MOST_ASKED
    gone = (
        run_revision(1, containers=TAGGED, delete_time=before(hours=1)),
        run_revision(0, containers=TAGGED, ready=False),
    )
    asked = Asked()
    found(asked, *gone)
    assert asked.names == []


def test_what_could_not_be_read_stays_unknown() -> None:
    """The reads say why; a revision of an unknown image is never safe."""
    assert found(Asked(checkout_2=None), run_revision(2, containers=TAGGED)) == [("",)]
