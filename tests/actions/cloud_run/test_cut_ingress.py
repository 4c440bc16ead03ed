"""Ingress is cut to what is set otherwise, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import Hold, Planned, Skip, actions
from scc_responder.domain.context import Context
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import run_finding, run_service

CUT = actions()["cut_ingress"]
INTERNAL = "INGRESS_TRAFFIC_INTERNAL_ONLY"
LOAD_BALANCED = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"


def planned(*, close: bool = False, **service: Any) -> Planned:
    """The plan for such a service."""
    read = replace(run_service(), **{"ingress": "INGRESS_TRAFFIC_ALL", **service})
    return CUT.plan(Context(finding=run_finding(), threat=THREAT, service=read), CUT.params(close_default_url=close))


@pytest.mark.parametrize(
    ("plan", "wanted", "prior"),
    [
        (planned(), {"ingress": INTERNAL}, {"ingress": "INGRESS_TRAFFIC_ALL"}),
        (planned(ingress=LOAD_BALANCED), {"ingress": INTERNAL}, {"ingress": LOAD_BALANCED}),
        (
            planned(close=True),
            {"ingress": INTERNAL, "default_uri_disabled": True},
            {"ingress": "INGRESS_TRAFFIC_ALL", "default_uri_disabled": False},
        ),
        (planned(close=True, ingress=INTERNAL), {"default_uri_disabled": True}, {"default_uri_disabled": False}),
        (planned(close=True, default_uri_disabled=True), {"ingress": INTERNAL}, {"ingress": "INGRESS_TRAFFIC_ALL"}),
    ],
)
def test_only_what_is_open_is_cut(plan: Any, wanted: dict[str, Any], prior: dict[str, Any]) -> None:
    """What was before is kept, for whoever takes it back."""
    (change,) = plan
    assert (change.wanted.given, change.prior.given) == (wanted, prior)
    assert change.declared.cuts_access


@pytest.mark.parametrize(
    "plan",
    [
        planned(ingress=INTERNAL),
        planned(ingress="INGRESS_TRAFFIC_NONE"),
        planned(close=True, ingress=INTERNAL, default_uri_disabled=True),
    ],
)
def test_what_is_closed_is_left_alone(plan: Planned) -> None:
    """There is nothing to do."""
    assert isinstance(plan, Skip)
    assert plan.reason == "already_internal"


def test_a_service_that_was_not_read_is_held() -> None:
    """Nobody knows what would be cut."""
    missing = {"service": "cloud_run_unavailable"}
    plan = CUT.plan(Context(finding=run_finding(), threat=THREAT, missing=missing), CUT.params())
    assert isinstance(plan, Hold)
    assert plan.reason == "cloud_run_unavailable"
