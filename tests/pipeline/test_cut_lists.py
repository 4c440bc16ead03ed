"""A list that was cut short holds what needs it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import ALL, CONTAINED, Deployment, Interposed, api_of, finding_about, policy, write_policies

Object = dict[str, Any]
CUT = ApiError(Reason.PARTIAL_LIST, "the list does not come to an end in time")


def without(action: str, *instead: str) -> list[str]:
    """What `ALL` comes to, with this in place of what one action comes to."""
    place = next(number for number, outcome in enumerate(CONTAINED) if outcome.startswith(action))
    rest = [outcome for outcome in CONTAINED if not outcome.startswith(action)]
    return [*rest[:place], *instead, *rest[place:]]


LISTS = {
    "nodes": without("cordon_node", "cordon_node: node_pool_unread"),
    "poddisruptionbudgets": without("delete_pod", "delete_pod: budgets_unread"),
    "networkpolicies": without("isolate_pod", "isolate_pod: patched", "isolate_pod: partial_list"),
    "ciliumnetworkpolicies": without("isolate_pod", "isolate_pod: patched", "isolate_pod: enforcement_unknown"),
    "endpointslices": CONTAINED,
    "events": CONTAINED,
}


@pytest.mark.parametrize(("plural", "outcomes"), list(LISTS.items()), ids=list(LISTS))
def test_a_cut_list_holds_only_what_needs_it(
    plural: str, outcomes: list[str], tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """Whichever list of a delivery does not come to its end: all that does not look at it is done at once."""

    def cut(_number: int, verb: str, path: str) -> None:
        if verb == "list" and path.endswith(f"/{plural}"):
            raise CUT

    cluster.serve("CiliumNetworkPolicy")
    folder = write_policies(tmp_path / "policies", policy(*ALL))
    deployment = Deployment(tmp_path, Interposed(api_of(cluster), before=cut), folder)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == outcomes
