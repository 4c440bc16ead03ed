"""Google's own agents are protected whatever anybody writes."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.finding import PodRef
from scc_responder.guard.google_agents import AGENT_PODS, google_agent
from tests.kits.decision_contexts import context

AGENT = "service-1@gcp-sa-ktd-hpsa.iam.gserviceaccount.com"


def about(namespace: str, name: str) -> dict[str, Any]:
    return {"pods": (PodRef(namespace=namespace, name=name),)}


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (about("kube-system", "anetd-x7k2"), "google_agent_pod"),
        (about("gke-managed-system", "anything"), "google_agent_pod"),
        (about("gke-managed-evil", "anything"), None),
        (about("shop", "anetd-x7k2"), None),
        (about("kube-system", "web-1"), None),
        ({"principal": AGENT}, "google_agent_principal"),
        ({"principal_subject": f"serviceAccount:{AGENT}"}, "google_agent_principal"),
        ({"principal": f"x{AGENT}.example.com"}, None),
        ({}, None),
    ],
)
def test_an_agent_is_known_by_place_or_principal(finding: dict[str, Any], reason: str | None) -> None:
    """Namespace and name must fit together: anyone can give a pod any name."""
    assert google_agent(context(finding=finding)) == reason


@pytest.mark.parametrize(("namespace", "name"), AGENT_PODS)
def test_every_agent_pattern_is_recognised(namespace: str, name: str) -> None:
    """Each line of the table."""
    finding = about(namespace.replace("*", "x"), name.replace("*", "x"))
    assert google_agent(context(finding=finding)) == "google_agent_pod"
