"""Which routes a notice takes: what a tenant can write adds to the fallback, and silences nobody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSubject
from scc_responder.policy.match import Severity
from scc_responder.policy.routes import RouteRule, Routes, is_severe_for_routes
from tests.kits.notices import routes, told

PROD = "projects/example-project/locations/europe-west1/clusters/prod-1"
RULES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "a namespace": ({"namespace": "shop"}, {"namespace": "shop"}, True),
    "a pattern": ({"namespace": ["team-*", "shop"]}, {"namespace": "team-a"}, True),
    "another namespace": ({"namespace": "shop"}, {"namespace": "shop-2"}, False),
    "a namespace that is not known": ({"namespace": "*"}, {}, False),
    "a cluster": ({"cluster": "projects/*/locations/*/clusters/prod-*"}, {"cluster": PROD}, True),
    "another cluster": ({"cluster": "projects/*/locations/*/clusters/dev-*"}, {"cluster": PROD}, False),
    "at least as severe": ({"severity": "MEDIUM"}, {"severity": "HIGH"}, True),
    "less severe": ({"severity": "HIGH"}, {"severity": "MEDIUM"}, False),
    "a severity that is not known": ({"severity": "LOW"}, {"severity": ""}, False),
    "an owner": ({"owner": "payments*"}, {"owners": ("x", "payments-eu")}, True),
    "another owner": ({"owner": "payments"}, {"owners": ("x",)}, False),
    "a kind": ({"kind": "outcome"}, {}, True),
    "another kind": ({"kind": ["breaker", "policy"]}, {}, False),
    "all of them": ({"namespace": "shop", "severity": "LOW"}, {"namespace": "shop", "severity": "LOW"}, True),
    "one of them": ({"namespace": "shop", "severity": "HIGH"}, {"namespace": "shop", "severity": "LOW"}, False),
}


def rule(**fields: Any) -> RouteRule:
    """A rule as it is read from a file."""
    return msgspec.convert({"to": ["shop"], **fields}, RouteRule)


@pytest.mark.parametrize(("fields", "subject", "fits"), RULES.values(), ids=RULES)
def test_a_rule_fits_where_all_of_it_holds(fields: dict[str, Any], subject: dict[str, Any], *, fits: bool) -> None:
    """What is not known of a notice holds nowhere."""
    assert rule(**fields).fits(replace(told(), subject=NoticeSubject(**subject))) is fits


def chosen(rules: list[RouteRule], **subject: Any) -> tuple[str, ...]:
    return routes("ops", "shop", "pay", rules=rules).chosen(told(**subject))


def test_without_a_rule_the_fallback_hears() -> None:
    """A rule that names no owner replaces it."""
    assert chosen([rule(namespace="shop")], namespace="pay") == ("ops",)
    assert chosen([rule(namespace="shop")], namespace="shop", severity="CRITICAL") == ("shop",)


def test_what_names_an_owner_replaces_the_fallback_below_high_alone() -> None:
    """A tenant can write it. A severity that is not known counts as high."""
    owner = [rule(owner="shop")]
    assert chosen(owner, owners=("shop",), severity="MEDIUM") == ("shop",)
    assert chosen(owner, owners=("shop",), severity="HIGH") == ("shop", "ops")
    assert chosen(owner, owners=("shop",), severity="") == ("shop", "ops")
    assert chosen([*owner, rule(namespace="a", to=["pay"])], owners=("shop",), severity="HIGH", namespace="a") == (
        "shop",
        "pay",
    )


@given(
    owners=st.lists(st.text(max_size=20), max_size=4),
    severity=st.sampled_from(["", "SEVERITY_UNSPECIFIED", *map(str, Severity)]),
    patterns=st.lists(st.sampled_from(["*", "shop", "a*", "?"]), max_size=3),
)
def test_no_owner_silences_the_fallback_from_high_on(owners: list[str], severity: str, patterns: list[str]) -> None:
    """Whatever a tenant writes, and whichever routes it adds: names that exist, each once."""
    rules = [rule(owner=pattern, to=["shop", "pay"]) for pattern in patterns]
    found = chosen(rules, owners=tuple(owners), severity=severity)
    assert found
    assert len(set(found)) == len(found)
    assert set(found) <= {"ops", "shop", "pay"}
    if severity not in {"LOW", "MEDIUM"}:
        assert "ops" in found


def test_a_policy_adds_the_route_that_it_names() -> None:
    """A name of no route adds none: lint has refused it, and a policy of before may still say it."""
    made: Routes = routes("ops", "shop")
    assert made.chosen(replace(told(), labels={"to": "shop"})) == ("shop", "ops")
    assert made.chosen(replace(told(), labels={"to": "gone"})) == ("ops",)


def test_what_is_not_known_is_severe() -> None:
    """A cluster's breaker has no finding."""
    notice = Notice(kind=NoticeKind.BREAKER, severity=told().severity, facts={})
    assert is_severe_for_routes(notice)
    assert [is_severe_for_routes(told(severity=word)) for word in Severity] == [False, False, True, True]
