"""Conditions on a finding: how each is asked, and which could never hold."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import CloudRunTarget, ClusterRef, FindingContainer
from scc_responder.policy.match import FIELDS, Match, Severity, as_tuple
from tests.kits.decision_contexts import THREAT, context

RUN = CloudRunTarget(kind="service", project="run-project", location="l", name="s")

ZONAL = ClusterRef(project="p", location="europe-west1-b", name="c")


def _on_run(**changes: str) -> dict[str, Any]:
    return {"finding": {"cluster": None, "cloud_run": replace(RUN, **changes)}}


ON_RUN = _on_run()
ANSWERS: list[Any] = [
    ("threat", "reverse_*", {}, True),
    ("threat", ("a", "b"), {}, False),
    ("category", "reverse  shell", {}, True),
    ("severity", Severity.HIGH, {}, True),
    ("severity", Severity.HIGH, {"threat": replace(THREAT, severity="LOW")}, False),
    ("severity", Severity.LOW, {"threat": replace(THREAT, severity="")}, None),
    ("confidence", "likely", {}, True),
    ("confidence", "likely", {"related": None}, None),
    ("confidence", ("likely", "confirmed"), {"related": None}, True),
    ("namespace", "shop", {"pod": False}, True),
    ("namespace", "shop", {"pod": False, "finding": {"pods": ()}}, None),
    ("workload", "Deployment/web", {}, True),
    ("workload", "Deployment/web", {"missing": {"owner": "timeout"}}, None),
    ("labels", {"app": "w*"}, {}, True),
    ("labels", {"app": "w*", "tier": "x"}, {}, False),
    ("labels", {"app": "w*"}, {"pod": False}, None),
    ("image", "*/*/*/web:*", {}, True),
    ("image", "other", {"finding": {"containers": (FindingContainer(name="a"),)}}, None),
    ("image", "other", {"finding": {"containers": ()}}, None),
    ("project", "run-*", {"finding": {"cluster": None, "cloud_run": RUN}}, True),
    ("project", "run-*", {"finding": {"cluster": None}}, None),
    *(("location", wanted, ON_RUN, wanted != "us-*") for wanted in ("l", "?", "us-*")),
    ("location", "europe-west1", {"finding": {"cluster": ZONAL}}, True),
    ("location", "europe-west1-b", {"finding": {"cluster": ZONAL}}, True),
    ("location", "europe-west1-c", {"finding": {"cluster": ZONAL}}, False),
    ("location", "l", {"finding": {"cluster": None}}, None),
    ("service", "s", ON_RUN, True),
    ("service", ("t", "?"), ON_RUN, True),
    ("service", "projects/run-project/locations/l/services/s", ON_RUN, True),
    ("service", "projects/*/locations/*/jobs/*", ON_RUN, False),
    ("service", "s", _on_run(kind="revision", name="s-00001-abc", service="s"), True),
    ("service", "s", _on_run(kind="revision", name="by-hand"), None),
    ("service", "projects/*/locations/*/jobs/s", _on_run(kind="job"), True),
    ("service", "s", _on_run(kind="worker_pool"), None),
    ("service", "s", {}, None),
    ("node_pool", "pool-1", {"node": None}, None),
    ("principal", "ann@example.com", {"finding": {"principal": "ann@example.com"}}, True),
]


@pytest.mark.parametrize(("name", "wanted", "changes", "answer"), ANSWERS)
def test_a_condition_answers_yes_no_or_unknown(name: str, wanted: Any, changes: dict[str, Any], answer: Any) -> None:
    """Missing data is None, and neither yes nor no."""
    assert dict(Match(**{name: wanted}).answers(context(**changes))) == {name: answer}


def test_only_written_conditions_are_asked() -> None:
    """In the order of the fields; each is made once."""
    match = Match(namespace="shop", threat="*")
    assert match.given() == {"threat": "*", "namespace": "shop"}
    assert [name for name, _ in match.conditions] == ["threat", "namespace"]
    assert match.conditions is match.conditions
    assert as_tuple("a") == as_tuple(("a",)) == ("a",)


def test_every_field_has_a_condition() -> None:
    """A field that is never read would never hold."""
    assert set(FIELDS) == set(Match.__struct_fields__)
