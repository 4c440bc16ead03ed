"""The pod that the tests of this folder judge policies for."""

from __future__ import annotations

from typing import Any

from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject

POD = PolicySubject(
    namespace="shop", labels={"app": "web"}, namespace_labels={"team": "shop"}, service_account="web-robot"
)
UNREAD = PolicySubject(namespace="shop", labels={"app": "web"})
"""The same pod, in a namespace that could not be read."""


def having(**spec: Any) -> dict[str, Any]:
    """A policy of this `spec`."""
    return {"metadata": {"name": "p"}, "spec": spec}
