"""The service that the simulated Cloud Run begins with."""

from __future__ import annotations

from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE, COMPROMISED_DIGEST


def test_it_serves_the_compromised_revision() -> None:
    """All requests go to the latest revision, which runs the compromised image; an older one runs another."""
    world = checkout_world(1.0)
    service = world.services[CHECKOUT_SERVICE]
    good, bad = world.revisions.values()
    assert [(item.revision, item.percent) for item in service.traffic_statuses] == [("checkout-00002-abc", 100)]
    assert bad.containers[0].image.endswith(COMPROMISED_DIGEST)
    assert not good.containers[0].image.endswith(COMPROMISED_DIGEST)
    assert good.create_time < bad.create_time
    assert world.policies[CHECKOUT_SERVICE].bindings[0].members == ["allUsers"]
