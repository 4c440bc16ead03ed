"""What a name is like that a pattern may meet: what fits one is accepted, and what fits none is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.wildcards import matches
from scc_responder.workbench.policies.meaning.pattern_forms import (
    LABEL,
    LABEL_VALUE,
    MATCH_FORMS,
    RAIL_FORMS,
    form_mistake,
    key_mistake,
    may_be_image,
)

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
FITTING = [
    ("cluster", CLUSTER),
    ("cluster", "projects/*/locations/*/clusters/prod-*"),
    ("cluster", "projects/100000000001/locations/*/clusters/*"),
    ("cluster", "projects/**"),
    ("cluster", "**/clusters/prod-?"),
    ("namespace", "shop"),
    ("namespace", "*"),
    ("namespace", "?eam-*"),
    ("workload", "Deployment/web"),
    ("workload", "*/web.v1"),
    ("workload", "StatefulSet/*-db"),
    ("image", "*"),
    ("image", "nginx*"),
    ("image", "europe-docker.pkg.dev/example-project/**"),
    ("image", "HOST.example.com:5000/shop/web:V2"),
    ("image", "registry.example.com/shop/web@sha256:*"),
    ("node_pool", "pool-1"),
    ("project", "example.com:old-project"),
    ("location", "europe-west1-*"),
    ("service", "checkout"),
    ("service", "projects/example-project/locations/*/jobs/billing-*"),
]
NEVER = [
    ("cluster", "prod-*"),
    ("cluster", "projects/*/locations/*/clusters/!prod-1"),
    ("cluster", "projects/p/zones/z/clusters/c"),
    ("cluster", "projects/p/locations/l/clusters/Prod"),
    ("cluster", "projects/p/locations/l/clusters/prod-"),
    ("cluster", "**/namespaces/*"),
    ("cluster", f"projects/p/locations/l/clusters/{'c' * 41}"),
    ("namespace", "Shop"),
    ("namespace", "shop/web"),
    ("namespace", "-shop"),
    ("namespace", "shop-"),
    ("namespace", "s" * 64),
    ("namespace", "shop.web"),
    ("workload", "web"),
    ("workload", "deployment/web"),
    ("workload", "Deployment/Web"),
    ("workload", "shop/Deployment/web"),
    ("image", "https://registry.example.com/web"),
    ("image", "registry.example.com/Shop/web"),
    ("image", "registry.example.com//web"),
    ("image", "web image"),
    ("node_pool", "pool_1"),
    ("project", "Example"),
    ("location", "europe-west1-"),
    ("service", "checkout-"),
    ("service", "projects/p/locations/l/services/Checkout"),
]


@pytest.mark.parametrize(("field", "pattern"), FITTING)
def test_a_pattern_that_some_name_fits(field: str, pattern: str) -> None:
    """What may match is accepted."""
    assert form_mistake(MATCH_FORMS[field], pattern) == ""


@pytest.mark.parametrize(("field", "pattern"), NEVER)
def test_a_pattern_that_no_name_fits(field: str, pattern: str) -> None:
    """What can never match is told with what to write."""
    told = form_mistake(MATCH_FORMS[field], pattern)
    assert told == f"{pattern!r} can never match; {MATCH_FORMS[field].remedy}"


@pytest.mark.parametrize(
    ("field", "fitting", "never"),
    [
        ("namespaces", "kube-system", "Kube-System"),
        ("workloads", "*/StatefulSet/*-db", "shop/statefulset/db"),
        ("workloads", "shop/Deployment/web", "shop/Deployment/-web"),
        ("nodes", "gke-prod-1-system-*", "Node_1"),
        ("clusters", CLUSTER, "projects/*/locations/*/clusters/!prod-1"),
        ("services", "projects/*/locations/*/jobs/billing-*", "projects/*/locations/*/jobs/-billing"),
        ("locations", "asia-*", "EU"),
    ],
)
def test_the_lists_of_guardrails(field: str, fitting: str, never: str) -> None:
    """What guardrails list has forms of its own: a workload carries its namespace there."""
    assert (form_mistake(RAIL_FORMS[field], fitting), form_mistake(RAIL_FORMS[field], never) != "") == ("", True)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True), st.data())
def test_no_pattern_that_meets_a_name_is_refused(name: str, data: st.DataObject) -> None:
    """Whatever letters of a name are left open, the pattern still fits the name, and is accepted."""
    at = data.draw(st.sets(st.integers(0, len(name) - 1)))
    wild = data.draw(st.sampled_from("*?"))
    pattern = "".join(wild if place in at else letter for place, letter in enumerate(name))
    assert matches(pattern, name)
    assert LABEL.may_meet(pattern)


@given(st.text("aB-*?./_", min_size=1, max_size=5))
def test_whatever_is_accepted_meets_a_name(pattern: str) -> None:
    """An accepted pattern fits the name that stands in it, with a letter for each wildcard."""
    if LABEL_VALUE.may_meet(pattern):
        assert matches(pattern, pattern.replace("*", "a").replace("?", "a"))
        assert "/" not in pattern


@pytest.mark.parametrize("key", ["tier", "example.com/tier", "a_b.c", "app.kubernetes.io/name"])
def test_a_key_that_a_label_may_have(key: str) -> None:
    """Keys as Kubernetes has them."""
    assert key_mistake(key) == ""


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("not a key!", "a key is like tier"),
        ("tier*", "without * and ?"),
        ("Example.com/tier", "a key is like"),
        ("/tier", "a key is like"),
        ("a/b/c", "a key is like"),
    ],
)
def test_a_key_that_no_label_has(key: str, told: str) -> None:
    """Keys are whole: a pattern among them would be compared letter by letter."""
    assert told in key_mistake(key)


def test_an_image_by_its_parts() -> None:
    """Only the host and what comes after the name may be in upper case."""
    assert may_be_image("REGISTRY.example.com/web:RC1")
    assert not may_be_image("registry.example.com/Web:1")
