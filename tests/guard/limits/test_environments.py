"""In which environment a cluster is."""

from __future__ import annotations

from scc_responder.guard.limits.environments import ELSEWHERE, cluster_environment
from scc_responder.policy.guardrails import Environment, Guardrails, Protected


def test_the_first_environment_that_names_it() -> None:
    """By patterns of cluster paths; what none names is elsewhere."""
    named = (("dev", "clusters/dev-*"), ("all-dev", "clusters/dev-1"), ("prod", "clusters/prod"))
    given = tuple(Environment(name=name, clusters=(f"projects/*/locations/*/{pattern}",)) for name, pattern in named)
    rails = Guardrails(protected=Protected(), environments=given)
    where = "projects/p/locations/l/clusters"
    names = [cluster_environment(rails, f"{where}/{cluster}").name for cluster in ("dev-1", "prod", "test")]
    assert names == ["dev", "prod", ELSEWHERE.name]
