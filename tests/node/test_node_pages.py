"""What `make node` prints of a situation, and what of it fails the run."""

from __future__ import annotations

import pytest

from tests.node.__main__ import MOST_REQUESTS, WRONG, figure, page
from tests.node.trial import Said, Trial, Truth

NAME = "severed, frozen, inspected"
TRUE = Truth(last_new=90, last_beat=300, dead=None, terminated=None, gone=None, until=6000, frozen=400)


def trial(reason: str = "inspected", *, kept: bool = True, requests: int = MOST_REQUESTS) -> Trial:
    """One that ended so."""
    said = Said(at=1500, state="done", reasons=(reason,), contained_seconds=None)
    return Trial(said=said, true=TRUE, kept=kept, requests=requests)


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (trial(), 0),
        (trial("isolated"), 1),
        (trial(kept=False), 1),
        (trial(requests=MOST_REQUESTS + 1), 1),
    ],
    ids=["as it should", "another end", "a false word", "too many requests"],
)
def test_what_is_wrong_fails_the_run(made: Trial, wrong: int) -> None:
    """Each kind has a line of its own, which begins with its word."""
    lines = page(NAME, [trial(), made]).splitlines()
    assert sum(line.strip().startswith(WRONG) for line in lines) == wrong


def test_a_figure_says_how_often_it_was_there() -> None:
    """Median and 90th percentile are of those that are known."""
    assert figure([10, 20, 30, None]).split() == ["20", "28", "3/4"]
    assert figure([None]).split() == ["never", "0/1"]
