"""Random notifications: each comes to a threat or a named reason, and none leaves anything behind in memory.

`make test` tries 10,000 structured notifications and 6 seconds of fuzzing by coverage, `make soak` 100,000 and 10
minutes.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from scc_responder.intake.threats import catalogue
from tests.counts import Count
from tests.findings import data, push_body
from tests.fuzz.mutate import corpus, notifications
from tests.fuzz.property import delivered, examined
from tests.fuzz.run import REMEDY, Unavailable, fuzz
from tests.requirements import missing
from tests.strategies import NOTIFICATIONS, mutated_goldens

RANDOM = Count("structured random notifications", 3_000, 100_000)
WARM_UP = RANDOM.number // 5
EXAMPLES = Count("notifications made field by field, and as many goldens with junk", 50, 5_000)
SECONDS = Count("seconds of fuzzing by coverage", 4, 600)
GROWTH_MEGABYTES = 8
SEED = 20_260_302

CRASHES = Path(__file__).parents[2] / "fuzz-crashes"
"""Not a temporary folder: what took minutes to find is to be found again."""

FAILING = """
import atheris, sys
def target(content):
    assert b"Reverse Shell" not in content, "the target has failed"
atheris.Setup(sys.argv, target)
atheris.Fuzz()
"""


def resident_megabytes() -> float:
    """What this process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def examined_all(contents: Iterator[bytes]) -> Counter[str]:
    """What each comes to, counted."""
    return Counter(map(examined, contents))


@cache
def tried() -> tuple[Counter[str], float]:
    """What all the random notifications come to, and by how much memory grew once it was warm."""
    warm = examined_all(notifications(SEED, WARM_UP))
    before = resident_megabytes()
    found = examined_all(notifications(SEED + 1, RANDOM.number - WARM_UP))
    return warm + found, resident_megabytes() - before


def test_structured_random_notifications() -> None:
    """However many arrive, there is no unhandled error, and memory stays flat."""
    found, growth = tried()
    assert found.total() == RANDOM.number
    assert growth < GROWTH_MEGABYTES


def test_the_random_notifications_are_worth_it() -> None:
    """They reach every threat, and every reason that a notification is refused or settled for."""
    found, _growth = tried()
    reasons = {
        *("not_json", "not_a_finding", "several_findings", "malformed_finding_name", "no_event_time", "log_entry"),
        *("not_a_threat", "inactive", "muted", "unknown"),
    }
    assert reasons - set(found) == set()
    assert len({row.name for row in catalogue()} & set(found)) > 130
    refused = sum(found[reason] for reason in ("not_json", "not_a_finding"))
    assert refused < found.total() / 3


def test_the_same_seed_gives_the_same_notifications() -> None:
    """What was found once can be found again."""
    assert list(notifications(7, 50)) == list(notifications(7, 50))
    assert list(notifications(7, 50)) != list(notifications(8, 50))


@settings(max_examples=EXAMPLES.number, deadline=None)
@given(NOTIFICATIONS)
def test_notifications_made_field_by_field(document: object) -> None:
    """Any combination of fields is decided upon, or refused by name."""
    assert examined(data(document))  # type: ignore[arg-type]  # any JSON, on purpose


@settings(max_examples=EXAMPLES.number, deadline=None)
@given(mutated_goldens())
def test_goldens_with_junk_in_them(document: object) -> None:
    """Any change to a golden is decided upon, or refused by name."""
    assert examined(data(document))  # type: ignore[arg-type]  # any JSON, on purpose


@pytest.mark.parametrize("cut", [1, 2, 3, 100, 1000])
def test_bodies_that_are_cut_off(cut: int) -> None:
    """A push body that lacks its end is refused by name."""
    random = Random(SEED)
    for content in random.sample(corpus(), 50):
        assert delivered(push_body(content)[:-cut]) in {"not_json", "foreign_json", "no_data", "bad_base64"}


def test_fuzzing_by_coverage() -> None:
    """Minutes of fuzzing by coverage, from the goldens on, find no unhandled error and no growth of memory."""
    figures = fuzzed(SECONDS.number, CRASHES)
    assert figures["failed"] == "", f"the input is kept in {CRASHES}"
    assert figures["coverage"] >= figures["coverage_before"] > 300
    assert figures["executions"] > 50 * SECONDS.number
    assert figures["resident_megabytes"] - figures["resident_megabytes_before"] < 100


def test_fuzzing_finds_what_fails(tmp_path: Path) -> None:
    """A target that fails is told, and the input that made it fail is kept."""
    figures = fuzzed(20, tmp_path / "crashes", ("-c", FAILING))
    assert "the target has failed" in figures["failed"]
    kept = list((tmp_path / "crashes").iterdir())
    assert [b"Reverse Shell" in path.read_bytes() for path in kept] == [True]


def fuzzed(seconds: int, crashes: Path, *target: tuple[str, ...]) -> dict[str, object]:
    """The figures; where fuzzing by coverage is not possible, that is said loudly."""
    try:
        return fuzz(seconds, crashes, *target)
    except Unavailable as error:
        missing("atheris", str(error), REMEDY)
