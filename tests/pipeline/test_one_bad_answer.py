"""No answer to any one request of a delivery keeps evidence from being kept, or an independent step from being done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Cases
from tests.kits.fault_proxy import Forward
from tests.kits.one_request import (
    BAD_ANSWERS,
    CHANGES,
    NEEDED_BY,
    Delivered,
    Once,
    delivered,
    each,
    made_twice,
    patience,
)
from tests.kits.responder import ALL

Object = dict[str, Any]
SHORT = 0.4
"""Seconds that a silence lasts here."""


def test_the_table_names_each_request_of_the_ladder(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Without a fault everything is done, by the requests that the table names, and no other."""
    result = delivered(tmp_path, cluster, pod, lambda _: Forward())
    assert result == Delivered(requests=frozenset(NEEDED_BY), done=frozenset(ALL), is_kept=True)


FEW = ("403", "422", "500", "stall-before", "another-uid", "another-object", "another-form", "half-an-answer")
LASTING = Cases(
    "requests times lasting faults",
    [(kind, fault) for kind in NEEDED_BY for fault in FEW],
    [(kind, fault) for kind in NEEDED_BY for fault in BAD_ANSWERS],
)


@pytest.mark.parametrize(("kind", "fault"), LASTING.chosen)
def test_a_lasting_bad_answer_stops_what_needs_it_alone(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, kind: str, fault: str
) -> None:
    """Whatever one request is answered each time, evidence is kept and what does not need the answer is done."""
    result = delivered(tmp_path, cluster, pod, each(kind, BAD_ANSWERS[fault]), patience(fault, SHORT))

    assert result.is_kept
    assert result.done >= CHANGES - NEEDED_BY[kind]
    assert not made_twice(cluster.audit)


NUMBERS = range(1, 23)
ONCE = Cases(
    "requests times faults of one answer",
    [(number, fault) for number in NUMBERS for fault in FEW[::2]],
    [(number, fault) for number in NUMBERS for fault in BAD_ANSWERS],
)


@pytest.mark.parametrize(("number", "fault"), ONCE.chosen)
def test_one_bad_answer_stops_what_needs_it_alone(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, number: int, fault: str
) -> None:
    """Whichever one request is answered so once, evidence is kept and what does not need the answer is done."""
    once = Once(lambda call: call.number == number, BAD_ANSWERS[fault])

    result = delivered(tmp_path, cluster, pod, once, patience(fault, SHORT))

    assert result.is_kept
    assert result.done >= CHANGES - NEEDED_BY[once.kind]
    assert not made_twice(cluster.audit)
