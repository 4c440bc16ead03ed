"""How the services of a simulated Cloud Run change. `tests/kits/google/cloud_run` tries the rest by Google's client."""

from __future__ import annotations

from google.cloud.run_v2.types import Service, UpdateServiceRequest
from google.protobuf import field_mask_pb2

from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE


def test_a_change_is_reconciled_in_its_time() -> None:
    """Until then the service says so; then its generation is observed, and the operation is done."""
    world, seconds = checkout_world(2.0), [0.0]
    world.clock = lambda: seconds[0]
    mask = field_mask_pb2.FieldMask(paths=["labels"])
    wanted = Service(name=CHECKOUT_SERVICE, labels={"team": "payments"})
    operation = world.update_service(UpdateServiceRequest(service=wanted, update_mask=mask))
    for moment, is_done in ((1.9, False), (2.0, True)):
        seconds[0] = moment
        world.settle()
        service = world.services[CHECKOUT_SERVICE]
        assert (operation.done, not service.reconciling) == (is_done, is_done)
    assert (service.observed_generation, dict(service.labels)) == (service.generation, {"team": "payments"})
    assert world.writes == [("UpdateService", CHECKOUT_SERVICE)]
