"""In which environment of the guardrails a cluster is."""

from __future__ import annotations

from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Environment, Guardrails

ELSEWHERE = Environment(name="", clusters=())
"""All clusters together that no environment names."""


def cluster_environment(guardrails: Guardrails, cluster: str) -> Environment:
    """The first environment that names the cluster, given by its path; `ELSEWHERE` if none does."""
    named = (item for item in guardrails.environments if any(matches(pattern, cluster) for pattern in item.clusters))
    return next(named, ELSEWHERE)
