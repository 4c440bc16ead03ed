"""Which pods an Eviction ends, where a budget would keep them. `api_contract.py` has the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.server.eviction import evict
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget
from scc_responder.workbench.simulated_cluster.statuses import ready_condition, update_statuses
from tests.cluster import objects

READY = {"phase": "Running", "conditions": [ready_condition()]}
UNREADY = {"phase": "Running", "conditions": []}
ALWAYS = {"unhealthyPodEvictionPolicy": "AlwaysAllow"}
CASES = [
    pytest.param(READY, {"minAvailable": 2}, False, id="ready"),
    pytest.param(READY, {"minAvailable": 1}, True, id="ready-and-one-to-spare"),
    pytest.param(UNREADY, {"minAvailable": 1}, True, id="unready-beside-enough-ready-ones"),
    pytest.param(UNREADY, {"minAvailable": 2}, False, id="unready-beside-too-few"),
    pytest.param(UNREADY, {"minAvailable": 2, **ALWAYS}, True, id="unready-and-always-allowed"),
    pytest.param({"phase": "Pending"}, {"minAvailable": 2}, True, id="waits-for-a-node"),
    pytest.param({"phase": "Failed"}, {"minAvailable": 2}, True, id="has-ended"),
]


@pytest.mark.parametrize(("status", "spec", "goes"), CASES)
def test_who_is_kept_by_a_budget(status: dict[str, Any], spec: dict[str, Any], goes: bool) -> None:
    """Of two pods under one budget, the other is ready: what this one is decides."""
    stored = Objects()
    stored.create(RequestTarget(resource=BY_KIND["Namespace"]), objects.namespace("shop"))
    pods = RequestTarget(resource=BY_KIND["Pod"], namespace="shop")
    for name, known in (("web-1", status), ("web-2", READY)):
        pod = stored.create(pods, objects.pod(name, "shop", "n1", labels={"app": "web"}))
        stored.replace({**pod, "status": known})
    budgets = RequestTarget(resource=BY_KIND["PodDisruptionBudget"], namespace="shop")
    stored.create(budgets, objects.disruption_budget("web", "shop", "web", **spec))
    update_statuses(stored)
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-1", "namespace": "shop"}}
    body["deleteOptions"] = {"gracePeriodSeconds": 0}

    with suppress(Refusal):
        evict(stored, pods.named("web-1"), body, dry_run=False)

    assert [pod["metadata"]["name"] for pod in stored.of_kind("Pod")] == (["web-2"] if goes else ["web-1", "web-2"])
