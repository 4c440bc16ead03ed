"""Where patterns stand: each place is checked alike, and a mistake has its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.domain.value import resolved
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import FIELDS, Match
from scc_responder.policy.routes import RouteRule
from scc_responder.workbench.policies.meaning.pattern_mistakes import (
    NEVER_MATCHES,
    ODD_CHARACTER,
    guardrails_pattern_mistakes,
    match_pattern_mistakes,
    rule_pattern_mistakes,
)
from scc_responder.workbench.policy_files.mistakes import Mistake, written

EXEMPTION = {"name": "x", "expires": "2026-06-30", "owner": "o", "reason": "r", "ticket": "t"}


def of_match(**given: Any) -> list[Mistake]:
    """The mistakes of conditions, as of a policy's `unless`."""
    return list(match_pattern_mistakes(Match(**given), ("unless",)))


def of_rails(**given: Any) -> list[Mistake]:
    """The mistakes of guardrails."""
    rails = msgspec.convert({"protected": {}, **given}, resolved(Guardrails))
    return list(guardrails_pattern_mistakes(rails))


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"cluster": "prod-*"}, "unless.cluster"),
        ({"namespace": ("shop", "Shop")}, "unless.namespace[1]"),
        ({"workload": "deployment/web"}, "unless.workload"),
        ({"labels": {"not a key!": "x"}}, "unless.labels['not a key!']"),
        ({"labels": {"tier": ("web", "a/b")}}, "unless.labels.tier[1]"),
        ({"image": ("nginx", "https://x/y")}, "unless.image[1]"),
        ({"node_pool": "Pool"}, "unless.node_pool"),
        ({"project": "Example"}, "unless.project"),
        ({"location": "EU"}, "unless.location"),
        ({"service": "Checkout"}, "unless.service"),
        ({"principal": "user:a@example.com"}, "unless.principal"),
    ],
)
def test_each_field_of_conditions(given: dict[str, Any], place: str) -> None:
    """Each field of conditions that has a form."""
    assert [(written(mistake.path), mistake.reason) for mistake in of_match(**given)] == [(place, NEVER_MATCHES)]


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"severity", "labels"}))
def test_every_field_names_an_odd_character(field: str) -> None:
    """A letter that is another one is named in each field, before anything else that is wrong."""
    (mistake,) = of_match(**{field: ("\u043e*",)})
    assert (mistake.path, mistake.reason) == (("unless", field, 0), ODD_CHARACTER)
    assert "CYRILLIC" in mistake.text


def test_odd_characters_of_labels() -> None:
    """In the key and in the value."""
    assert [mistake.reason for mistake in of_match(labels={"t\u0456er": "web ", "app": "x"})] == [ODD_CHARACTER] * 2


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"protected": {"namespaces": ["kube-system "]}}, "protected.namespaces[0]"),
        ({"protected": {"namespaces": ["kube-"]}}, "protected.namespaces[0]"),
        ({"protected": {"workloads": ["shop/deployment/web"]}}, "protected.workloads[0]"),
        ({"protected": {"nodes": ["ok", "-no"]}}, "protected.nodes[1]"),
        ({"protected": {"clusters": ["projects/*/locations/*/clusters/!p"]}}, "protected.clusters[0]"),
        ({"protected": {"services": ["projects/*/locations/*/services/-p"]}}, "protected.services[0]"),
        ({"protected": {"locations": ["EU"]}}, "protected.locations[0]"),
        ({"protected": {"principals": ["serviceAccount:a@example.com"]}}, "protected.principals[0]"),
        (
            {"ceilings": [{"name": "c", "max_mode": "approve", "clusters": ["projects/*/locations/*/clusters/!p"]}]},
            "ceilings[0].clusters[0]",
        ),
        ({"ceilings": [{"name": "c", "max_mode": "approve", "namespaces": ["a/b"]}]}, "ceilings[0].namespaces[0]"),
        (
            {"quiet_hours": [{"name": "q", "from": "22:00", "to": "06:00", "max_mode": "approve", "clusters": ["p"]}]},
            "quiet_hours[0].clusters[0]",
        ),
        ({"environments": [{"name": "e", "clusters": ["prod"]}]}, "environments[0].clusters[0]"),
        ({"exemptions": [{**EXEMPTION, "when": {"cluster": "prod-1"}}]}, "exemptions[0].when.cluster"),
        ({"keep_serving": ["Deployment/web"]}, "keep_serving[0]"),
        ({"approval": {"approvers": ["a@example.com", "oncall"]}}, "approval.approvers[1]"),
        ({"approval": {"approvers": ["group:sec@example.com"]}}, "approval.approvers[0]"),
    ],
)
def test_each_list_of_guardrails(given: dict[str, Any], place: str) -> None:
    """Each list of guardrails."""
    assert [written(mistake.path) for mistake in of_rails(**given)] == [place]


def test_what_is_right_is_met_with_silence() -> None:
    """Every list with something that may match."""
    cluster = "projects/*/locations/*/clusters/prod-*"
    assert (
        of_rails(
            protected={
                "namespaces": ["kube-*"],
                "workloads": ["shop/Deployment/web"],
                "clusters": [cluster],
                "principals": ["*@example.com"],
            },
            approval={"approvers": ["ann@example.com"]},
            keep_serving=["*/StatefulSet/*"],
        )
        == of_match(namespace="shop", labels={"tier": ("web", "api")}, image="a/**", principal="ann@example.com")
        == []
    )


def test_what_is_empty_is_told_elsewhere() -> None:
    """An empty pattern keeps the policy from loading: one mistake is told once."""
    assert of_match(namespace="", labels={"a": ""}) == []


RULES = [
    ({"cluster": "projects/*/locations/*/clusters/!prod-1"}, "rules[0].cluster", NEVER_MATCHES),
    ({"cluster": ["projects/p", "projects/p/locations/l/clusters/pr\u043ed"]}, "rules[0].cluster[1]", ODD_CHARACTER),
    ({"namespace": ["shop", "-shop"]}, "rules[0].namespace[1]", NEVER_MATCHES),
    ({"owner": "shop "}, "rules[0].owner", ODD_CHARACTER),
    ({"owner": ["shop", "sh\u200bop"]}, "rules[0].owner", ODD_CHARACTER),
    *(
        ({field: wanted}, f"rules[0].{field}", NEVER_MATCHES)
        for field in ("owner", "cluster")
        for wanted in ("", [], [""])
    ),
    ({"kind": []}, "rules[0].kind", NEVER_MATCHES),
    ({"owner": ["\u65e5\u672c", "a/b", "*"], "namespace": "shop*", "cluster": "projects/*", "kind": "expired"}, "", ""),
]


@pytest.mark.parametrize(("given", "place", "reason"), RULES)
def test_a_rule_that_is_about_no_notice_is_named(given: dict[str, Any], place: str, reason: str) -> None:
    """Nobody would hear by it. An owner is any text that a label or an annotation may have."""
    rule = msgspec.convert({"to": ["secops"], **given}, resolved(RouteRule))
    found = [(written(each.path), each.reason) for each in rule_pattern_mistakes(rule, ("rules", 0))]
    assert set(found) == ({(place, reason)} if place else set())
