"""The simulated Cloud Run and the tests' local server give the responder's own client the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import ApiError
from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cloud_run.run_server import SimulatedCloudRun
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE, COMPROMISED_DIGEST
from tests.kits.google.cloud_run.server import CloudRunServer

NAME = RunName.parse(CHECKOUT_SERVICE)
GOOD, BAD = "checkout-00001-abc", "checkout-00002-abc"
TO_GOOD = {"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": GOOD, "percent": 100}]}
INVOKERS = "run.services.setIamPolicy"


@pytest.fixture(params=[SimulatedCloudRun, CloudRunServer])
def api(request: pytest.FixtureRequest) -> Iterator[CloudRunAdmin]:
    """The responder's client of either server, which has the service `checkout`."""
    with request.param(checkout_world(0.05)) as server:
        client = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
        try:
            yield client
        finally:
            client.close()


def test_a_service_is_read_with_its_revisions(api: CloudRunAdmin) -> None:
    """Names, images, traffic, and who may invoke it."""
    assert NAME is not None
    service, revisions = api.get_service(NAME).value, api.list_revisions(NAME, 10)
    assert (service.latest_ready, service.ingress) == (BAD, "INGRESS_TRAFFIC_ALL")
    assert [item.value.name for item in revisions.items] == [BAD, GOOD]
    assert revisions.items[0].value.digests == {COMPROMISED_DIGEST}
    assert api.get_iam_policy(NAME).value.bindings[0].members == ("allUsers",)
    assert set(api.test_iam_permissions(NAME, [INVOKERS])) == {INVOKERS}


def test_traffic_moves_and_is_read_back(api: CloudRunAdmin) -> None:
    """An update is an operation that ends; then the service serves what was asked for."""
    assert NAME is not None
    service = api.get_service(NAME).value
    began = api.update_service(NAME, TO_GOOD, mask=["traffic"], etag=service.etag)
    assert not began.done
    assert api.wait_operation(began.name, 5.0).done
    read = api.get_service(NAME).value
    assert (read.reconciling, read.generation) == (False, service.generation + 1)
    assert [(item.revision, item.percent) for item in read.traffic_statuses] == [(GOOD, 100)]


def test_a_rehearsal_changes_nothing(api: CloudRunAdmin) -> None:
    """A request that is only to be validated leaves the service as it is."""
    assert NAME is not None
    service = api.get_service(NAME).value
    api.update_service(NAME, TO_GOOD, mask=["traffic"], etag=service.etag, validate_only=True)
    assert api.get_service(NAME).value == service


def test_an_old_etag_is_refused(api: CloudRunAdmin) -> None:
    """Whoever read another version than the present one writes nothing."""
    assert NAME is not None
    with pytest.raises(ApiError) as refused:
        api.update_service(NAME, TO_GOOD, mask=["traffic"], etag='"of-yesterday"')
    assert refused.value.status == 409


def test_what_is_not_there_is_not_found(api: CloudRunAdmin) -> None:
    """Of a service as of a revision."""
    assert NAME is not None
    other = RunName.parse(f"{CHECKOUT_SERVICE}-2")
    assert other is not None
    for ask in (lambda: api.get_service(other), lambda: api.get_revision(NAME, "checkout-00009-abc")):
        with pytest.raises(ApiError) as refused:
            ask()
        assert refused.value.status == 404


def test_requests_are_recorded() -> None:
    """By their methods, in order."""
    assert NAME is not None
    with SimulatedCloudRun(checkout_world(0.05)) as server:
        client = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
        client.get_service(NAME)
        client.get_iam_policy(NAME)
        client.close()
        assert server.requests == ["GetService", "GetIamPolicy"]
