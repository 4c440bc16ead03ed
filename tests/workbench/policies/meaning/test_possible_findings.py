"""Which findings a `when` can meet: those of the catalogue, and those that no row describes."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.finding import Surface
from scc_responder.intake.threats import UNKNOWN, catalogue
from scc_responder.policy.match import Match
from scc_responder.workbench.policies.meaning.possible_findings import (
    OF_CLUSTERS,
    finding_kinds,
    fitting_kinds,
    never_excepts,
    never_met,
    unknown_category,
)
from scc_responder.workbench.policy_files.mistakes import written


def threats(**when: Any) -> set[str]:
    return {kind.values["threat"][0] for kind in fitting_kinds(Match(**when))}


def test_every_threat_is_a_kind() -> None:
    """And so is what the catalogue does not know, of each surface."""
    known = [kind for kind in finding_kinds() if not kind.open]
    assert len(known) == len(catalogue())
    assert {kind.surface for kind in finding_kinds() if kind.open} == {*Surface} - {"rbac"}


@pytest.mark.parametrize("field", ["threat", "category", "detector", "kind", "confidence", "surface", "namespace"])
def test_an_empty_list_is_told_by_the_reader(field: str) -> None:
    """It keeps the policy from loading: nothing is said of what it could meet."""
    empty = Match(**{field: ()})
    assert [*never_met(empty), *unknown_category(empty)] == []


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"threat": "reverse_shell"}, {"reverse_shell"}),
        ({"category": "reverse  SHELL", "detector": "container_*"}, {"reverse_shell", UNKNOWN}),
        ({"category": "Something New"}, {UNKNOWN}),
        ({"threat": "unknown", "surface": "rbac"}, set()),
        ({"threat": "cloud_run_reverse_shell", "namespace": "shop"}, set()),
        ({"threat": "reverse_shell", "service": "checkout"}, set()),
        ({"threat": "reverse_shell", "confidence": "confirmed"}, {"reverse_shell"}),
        ({"threat": "reverse_shell", "confidence": "possible"}, set()),
    ],
)
def test_what_when_can_meet(when: dict[str, Any], expected: set[str]) -> None:
    """All of its conditions together."""
    assert threats(**when) == expected


@pytest.mark.parametrize("field", OF_CLUSTERS)
def test_nothing_on_cloud_run_is_in_a_cluster(field: str) -> None:
    """What a service has, a pod has not, and the other way round."""
    (mistake,) = never_met(Match(service="checkout", **{field: {"a": "b"} if field == "labels" else "x"}))
    assert mistake.path == ("when", "service")


@pytest.mark.parametrize(
    ("when", "field", "told"),
    [
        ({"threat": "reverse_shell", "surface": "node"}, "surface", "surface is pod"),
        ({"threat": "reverse_shell", "category": "Added Binary Executed"}, "category", "category is reverse shell"),
        ({"threat": "!x"}, "threat", "no threat can match: threat is another"),
        ({"threat": "unknown", "kind": "ioc"}, "kind", "kind is behavioral"),
    ],
)
def test_what_can_never_be_met_together(when: dict[str, Any], field: str, told: str) -> None:
    """The condition that leaves nothing is named, with what it could be."""
    (mistake,) = never_met(Match(**when))
    assert mistake.path == ("when", field)
    assert told in mistake.text


def test_a_category_that_nobody_knows() -> None:
    """It may be a new one, and is likelier misspelt: told, unless unknown threats are asked for."""
    (mistake,) = unknown_category(Match(category="Reverse Shel"))
    assert "did you mean 'reverse shell'?" in mistake.text
    assert list(unknown_category(Match(category="Reverse Shell"))) == []
    assert list(unknown_category(Match(category="Reverse Shel", threat="unknown"))) == []
    assert list(never_met(Match(category="Reverse Shel"))) == []


@pytest.mark.parametrize(
    ("when", "unless", "told"),
    [
        ({"threat": "reverse_shell"}, {"surface": "node"}, "surface is pod"),
        ({"threat": "reverse_shell"}, {"threat": ("vm_rootkit", "vm_*")}, "threat is reverse_shell"),
        ({"threat": "reverse_shell"}, {"category": "Reverse Shel"}, "did you mean 'reverse shell'?"),
        ({"kind": "ioc"}, {"confidence": "possible"}, "confidence is confirmed"),
        ({"threat": "reverse_shell"}, {"threat": "reverse_*"}, ""),
        ({"threat": "reverse_shell"}, {"threat": "no_such_threat"}, ""),
        ({"threat": "*"}, {"category": "Something New"}, ""),
        ({"threat": "reverse_shell"}, {"namespace": "shop", "confidence": "confirmed"}, ""),
        ({"threat": "reverse_shell", "surface": "node"}, {"surface": "pod"}, ""),
        ({"threat": "reverse_shell"}, {"surface": ()}, ""),
    ],
)
def test_an_exception_of_what_is_not_met_anyway_is_told(
    when: dict[str, Any], unless: dict[str, Any], told: str
) -> None:
    """With what `when` meets instead; what is wrong otherwise, or not known, is told elsewhere."""
    found = list(never_excepts(Match(**when), Match(**unless)))
    assert [written(mistake.path) for mistake in found] == ([f"unless.{next(iter(unless))}"] if told else [])
    assert all(told in mistake.text for mistake in found)


def test_a_category_that_nobody_knows_in_an_exemption() -> None:
    """It is named at its own place."""
    (mistake,) = unknown_category(Match(category="Reverse Shel"), ("exemptions", 0, "when"))
    assert written(mistake.path) == "exemptions[0].when.category"
