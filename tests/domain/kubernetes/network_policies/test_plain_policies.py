"""What NetworkPolicies select and let through, by Kubernetes' own definition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.kubernetes.network_policies.plain_policies import bypassing, selects_pod

KEYS, VALUES = st.sampled_from(["app", "tier", "env"]), st.sampled_from(["web", "db", ""])
LABELS = st.dictionaries(KEYS, VALUES)
EXPRESSIONS = st.lists(
    st.fixed_dictionaries(
        {
            "key": KEYS,
            "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
            "values": st.lists(VALUES, max_size=2),
        }
    ),
    max_size=3,
)


def policy(name: str = "other", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def by_the_book(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Kubernetes' definition of a label selector, requirement by requirement."""
    required = [(key, "In", [value]) for key, value in selector.get("matchLabels", {}).items()]
    required += [(item["key"], item["operator"], item["values"]) for item in selector.get("matchExpressions", [])]
    truth = {
        "In": lambda key, values: key in labels and labels[key] in values,
        "NotIn": lambda key, values: key not in labels or labels[key] not in values,
        "Exists": lambda key, _values: key in labels,
        "DoesNotExist": lambda key, _values: key not in labels,
    }
    return all(truth[operator](key, values) for key, operator, values in required)


@given(match=LABELS, expressions=EXPRESSIONS, labels=LABELS)
def test_selectors_follow_the_kubernetes_definition(
    match: dict[str, str], expressions: list[dict[str, Any]], labels: dict[str, str]
) -> None:
    """A policy selects the pods that Kubernetes' definition says it selects."""
    selector = {"matchLabels": match, "matchExpressions": expressions}
    assert selects_pod(policy(podSelector=selector), labels) == by_the_book(selector, labels)


def test_an_empty_selector() -> None:
    """An empty selector selects every pod."""
    assert selects_pod(policy(podSelector={}), {})
    assert selects_pod({"metadata": {"name": "x"}}, {"app": "web"})


def test_a_newer_operator() -> None:
    """An operator that this version does not know may match: better to name a policy too many."""
    newer = {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["w*"]}]}
    assert selects_pod(policy(podSelector=newer), {})


BYPASSING = [
    pytest.param({"ingress": [{}]}, True, id="ingress-by-default"),
    pytest.param({"egress": [{}]}, True, id="egress-means-its-type"),
    pytest.param({"egress": [{}], "policyTypes": ["Ingress"]}, False, id="egress-that-is-not-meant"),
    pytest.param({"ingress": [{}], "policyTypes": ["Egress"]}, False, id="ingress-that-is-not-meant"),
    pytest.param({"policyTypes": ["Ingress", "Egress"]}, False, id="denies-all"),
    pytest.param({}, False, id="denies-ingress"),
    pytest.param({"ingress": [{}], "podSelector": {"matchLabels": {"app": "db"}}}, False, id="other-pods"),
]


@pytest.mark.parametrize(("spec", "named"), BYPASSING)
def test_a_policy_that_lets_traffic_through_is_named(spec: dict[str, Any], named: bool) -> None:
    """Policies add up: one that selects the pod and allows it anything is named."""
    assert bypassing([policy(**spec)], {"app": "web"}, "ours") == (("other",) if named else ())
