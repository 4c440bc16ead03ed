"""Answers that may be unknown."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.certainty import all_of, any_of, certain, matches_labels


def wanted(operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "app", "operator": operator, "values": list(values)}]}


SELECTORS = [
    pytest.param(None, {"app": "web"}, "unknown", id="none"),
    pytest.param({}, {}, "yes", id="empty"),
    pytest.param({"matchLabels": {"app": "web"}}, {"app": "web"}, "yes", id="label"),
    pytest.param({"matchLabels": {"app": "web"}}, {"app": "db"}, "no", id="other-label"),
    pytest.param(wanted("In", "web", "db"), {"app": "db"}, "yes", id="in"),
    pytest.param(wanted("NotIn", "web"), {}, "yes", id="not-in-without-the-label"),
    pytest.param(wanted("NotIn", "web"), {"app": "web"}, "no", id="not-in"),
    pytest.param(wanted("Exists"), {"app": ""}, "yes", id="exists"),
    pytest.param(wanted("DoesNotExist"), {"app": ""}, "no", id="does-not-exist"),
    pytest.param(wanted("Like", "w*"), {"app": "web"}, "unknown", id="newer-operator"),
    pytest.param({**wanted("Like", "w*"), "matchLabels": {"a": "b"}}, {}, "no", id="newer-operator-elsewhere"),
    pytest.param({"matchLabels": {"hidden": "x"}}, {}, "unknown", id="label-that-may-be-there"),
    pytest.param({"matchLabels": {"hidden": "x"}}, {"hidden": "x"}, "yes", id="label-that-is-there"),
]


@pytest.mark.parametrize(("selector", "labels", "answer"), SELECTORS)
def test_a_selector_matches_as_far_as_known(selector: Any, labels: dict[str, str], answer: str) -> None:
    """What may hold and cannot be shown is unknown; one requirement that fails settles it."""
    assert matches_labels(selector, labels, lambda key: key == "hidden") == answer


def test_answers_are_combined_with_care() -> None:
    """Of nothing, all hold and none does."""
    assert (all_of([]), any_of([])) == ("yes", "no")
    assert all_of([certain(True), certain(False)]) == "no"
    assert any_of([certain(True), certain(False)]) == "yes"
