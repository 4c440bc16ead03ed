"""Cilium's two kinds."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.cilium_policies import judge_cilium
from tests.domain.kubernetes.network_policies.subjects import POD, UNREAD, having

OUT = {"egress": [{"toEntities": ["world"]}]}
LABELS = [
    pytest.param({}, "yes", id="every-endpoint"),
    pytest.param({"app": "web"}, "yes", id="bare"),
    pytest.param({"k8s:app": "web"}, "yes", id="with-its-source"),
    pytest.param({"any:app": "web"}, "yes", id="of-any-source"),
    pytest.param({"k8s:app": "db"}, "no", id="other-pods"),
    pytest.param({"k8s:io.kubernetes.pod.namespace": "shop"}, "yes", id="namespace"),
    pytest.param({"io.kubernetes.pod.namespace": "pay"}, "no", id="other-namespace"),
    pytest.param({"io.cilium.k8s.policy.serviceaccount": "web-robot"}, "yes", id="service-account"),
    pytest.param({"k8s:io.cilium.k8s.namespace.labels.team": "shop"}, "yes", id="namespace-label"),
    pytest.param({"k8s:io.cilium.k8s.namespace.labels.team": "pay"}, "no", id="other-namespace-label"),
    pytest.param({"k8s:io.cilium.k8s.policy.cluster": "prod"}, "unknown", id="name-of-the-cluster"),
    pytest.param({"reserved:init": ""}, "unknown", id="own-labels-of-cilium"),
]


@pytest.mark.parametrize(("labels", "answer"), LABELS)
def test_an_endpoint_is_selected_by_its_identity(labels: dict[str, str], answer: str) -> None:
    """Labels have a source, and stand for the namespace and the service account too."""
    assert judge_cilium(having(endpointSelector={"matchLabels": labels}, **OUT), POD) == answer


def test_labels_of_an_unread_namespace_may_match() -> None:
    """Where the namespace could not be read, its labels may be any."""
    wanted = {"matchLabels": {"io.cilium.k8s.namespace.labels.team": "shop"}}
    assert judge_cilium(having(endpointSelector=wanted, **OUT), UNREAD) == "unknown"


RULES = [
    pytest.param({"egress": [{"toFQDNs": [{"matchName": "example.com"}]}]}, "yes", id="names"),
    pytest.param({"egress": [{"toPorts": [{"ports": [{"port": "53"}]}]}]}, "yes", id="ports-alone"),
    pytest.param({"ingress": [{"fromEndpoints": [{}]}]}, "yes", id="every-peer"),
    pytest.param({"ingress": [{}], "egress": [{}]}, "no", id="denies-all"),
    pytest.param({"ingress": [], "egress": None}, "no", id="no-rule"),
    pytest.param({"ingress": [{"fromEndpoints": []}]}, "no", id="no-peer"),
    pytest.param({"egressDeny": [{"toEntities": ["world"]}]}, "no", id="denies-only"),
]


@pytest.mark.parametrize(("rules", "answer"), RULES)
def test_a_rule_allows_the_peers_that_it_names(rules: dict[str, Any], answer: str) -> None:
    """An empty rule is how all is denied."""
    assert judge_cilium(having(endpointSelector={}, **rules), POD) == answer


def test_several_specs_are_all_judged() -> None:
    """A policy has one `spec`, `specs`, or both; one that is about nodes is about no pod."""
    quiet = {"endpointSelector": {"matchLabels": {"app": "db"}}, **OUT}
    assert judge_cilium({"spec": quiet, "specs": [{"endpointSelector": {}, **OUT}]}, POD) == "yes"
    assert judge_cilium({"specs": [quiet, {"nodeSelector": {}, **OUT}]}, POD) == "no"
