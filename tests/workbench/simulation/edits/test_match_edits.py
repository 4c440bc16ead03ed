"""Edits of `when` and `unless`: what is met by more of the one, or by less of the other, widens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from scc_responder.policy.match import Match
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.match_edits import unless_edits, when_edits

NARROWER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"namespace": "shop"}),
    ({"namespace": "*"}, {"namespace": "shop"}),
    ({"namespace": ["shop-*", "bank"]}, {"namespace": ["shop-1", "bank"]}),
    ({"cluster": "projects/*/locations/*/clusters/*"}, {"cluster": "projects/p/locations/*/clusters/c"}),
    ({"image": "example.com/**"}, {"image": "example.com/shop/*"}),
    ({"severity": "MEDIUM"}, {"severity": "HIGH"}),
    ({"confidence": ["likely", "confirmed"]}, {"confidence": "confirmed"}),
    ({"confidence": "*"}, {"confidence": ["possible", "likely", "confirmed"]}),
    ({"threat": "*_shell"}, {"threat": "reverse_shell"}),
    ({"category": "Reverse *"}, {"category": "reverse shell"}),
    ({"labels": {"tier": ["web", "api"]}}, {"labels": {"tier": "web", "team": "a"}}),
    ({"workload": "*/*"}, {"workload": "Deployment/*"}),
]
"""Pairs of conditions: the second is met by no more than the first."""
OTHERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"namespace": "shop"}, {"namespace": "bank"}),
    ({"labels": {"tier": "web"}}, {"labels": {"team": "web"}}),
    ({"threat": "reverse_shell"}, {"threat": "unexpected_child_shell"}),
]


def told(edits: Callable[[Match, Match], Iterator[Edit]], before: dict[str, Any], after: dict[str, Any]) -> list[bool]:
    """Whether each edit widens."""
    former, now = (msgspec.convert(document, Match) for document in (before, after))
    return [edit.widens for edit in edits(former, now)]


@pytest.mark.parametrize(("wide", "narrow"), NARROWER)
def test_less_of_when_and_more_of_unless(wide: dict[str, Any], narrow: dict[str, Any]) -> None:
    """Less of `when` does not widen, more does, unless both are met by the same; of `unless` it is the other way."""
    same = narrow == {"confidence": ["possible", "likely", "confirmed"]}
    assert told(when_edits, wide, narrow) == [False]
    assert told(when_edits, narrow, wide) == [not same]
    assert told(unless_edits, narrow, wide) == [not wide]
    assert told(unless_edits, wide, narrow) == [bool(wide) and not same]


@pytest.mark.parametrize(("before", "after"), OTHERS)
def test_what_meets_others_than_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What is met by others than before widens, in `when` and in `unless`."""
    assert told(when_edits, before, after) == told(unless_edits, before, after) == [True]


def test_one_pattern_is_a_list_of_one() -> None:
    """To write it as a list is no edit."""
    assert told(when_edits, {"threat": "a", "labels": {"b": "c"}}, {"threat": ["a"], "labels": {"b": ["c"]}}) == []


def test_each_condition_is_told_by_its_name() -> None:
    """In the order of the fields, with what stood there and what stands there."""
    before, after = Match(namespace="shop", severity=None), Match(threat="reverse_shell", namespace=("bank",))
    assert list(when_edits(before, after)) == [
        Edit(field="when.threat", after="reverse_shell", widens=False),
        Edit(field="when.namespace", before="shop", after=["bank"], widens=True),
    ]
    assert next(unless_edits(after, Match())) == Edit(field="unless.threat", before="reverse_shell", widens=True)
