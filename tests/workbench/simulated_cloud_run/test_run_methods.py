"""The methods that a simulated Cloud Run answers, without a server."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from google.longrunning import operations_pb2

from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cloud_run.run_methods import (
    LONG_RUNNING,
    RUN_PACKAGE,
    RunMethods,
    deserializer,
    serialized,
)
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE


def answer(methods: RunMethods, place: str, method: str, /, **asked: Any) -> Any:
    """What a method answers to a request that went over the wire."""
    known = methods.by_service[place][method]
    return known.answer(deserializer(known.request)(serialized(known.request(**asked))))


@pytest.fixture
def methods() -> RunMethods:
    """Those of a Cloud Run with the service `checkout`, where one revision fits on a page."""
    return RunMethods(checkout_world(3600.0), threading.Event(), page_limit=1)


def test_pages_come_newest_first(methods: RunMethods) -> None:
    """Each page has the token of the next one; the last has none."""
    revisions = f"{RUN_PACKAGE}.Revisions"
    first = answer(methods, revisions, "ListRevisions", parent=CHECKOUT_SERVICE)
    second = answer(methods, revisions, "ListRevisions", parent=CHECKOUT_SERVICE, page_token=first.next_page_token)
    names = [item.name.rpartition("/")[2] for page in (first, second) for item in page.revisions]
    assert names == ["checkout-00002-abc", "checkout-00001-abc"]
    assert second.next_page_token == ""


def test_a_wait_ends_with_its_time(methods: RunMethods) -> None:
    """An operation that is not done by then is answered as it is."""
    services = f"{RUN_PACKAGE}.Services"
    began = answer(methods, services, "UpdateService", service={"name": CHECKOUT_SERVICE, "labels": {"a": "b"}})
    request = operations_pb2.WaitOperationRequest(name=began.name)
    request.timeout.FromMilliseconds(10)
    world = methods._world
    with world.lock:
        assert not methods.by_service[LONG_RUNNING]["WaitOperation"].answer(request).done
    assert answer(methods, LONG_RUNNING, "GetOperation", name=began.name).name == began.name
