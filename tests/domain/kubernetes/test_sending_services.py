"""Which Services are named that still send to a pod, and that nothing keeps an isolation from being made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scc_responder.domain.changes import ChangedObject
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import sending_services
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.sending_services import SendingServices, SendingServicesRead
from scc_responder.domain.reasons import Reason
from tests.kits.one_change import one_cluster, pod_target
from tests.kits.responder import Interposed

POD = ChangedObject(kind="Pod", namespace="shop", name="web-1", uid="u1")
READ = {"metadata": {"uid": "u1"}, "status": {"podIPs": [{"ip": "192.0.2.7"}, {"ip": "2001:db8::7"}]}}
OURS = {"targetRef": {"kind": "Pod", "name": "web-1", "uid": "u1"}}
OTHER = {"targetRef": {"kind": "Pod", "name": "web-2", "uid": "u2"}}


def endpoint_slice(*endpoints: Any, service: str = "web", name: str = "web-x") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service} if service else None
    return {"metadata": {"name": name, "labels": labels}, "endpoints": list(endpoints) or None}


def sends(**conditions: bool | None) -> dict[str, Any]:
    return {**OURS, "conditions": conditions}


class Slices:
    """An API server whose list of EndpointSlices is this, or fails so."""

    def __init__(self, *slices: Any, error: Exception | None = None) -> None:
        self.slices, self.error, self.asked = slices, error, 0

    def gather(self, path: str, keep: Callable[[Any], str | None]) -> Sequence[str]:
        assert path == "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
        self.asked += 1
        if self.error:
            raise self.error
        return [name for name in map(keep, self.slices) if name is not None]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def read(pool: ThreadPoolExecutor, api: Any, pod: Callable[[], Any] = lambda: READ) -> SendingServices:
    return SendingServicesRead(ClusterSession(api, {}, lambda _: None, pool), POD, pod).result()


NAMED = [
    pytest.param([endpoint_slice(OURS)], ("web",), id="no-conditions"),
    pytest.param([endpoint_slice(sends(ready=True, serving=True))], ("web",), id="ready"),
    pytest.param([endpoint_slice(sends(ready=None))], ("web",), id="not-said"),
    pytest.param([endpoint_slice(sends(ready=False, serving=False))], (), id="not-ready"),
    pytest.param([endpoint_slice(sends(ready=False, serving=True, terminating=True))], ("web",), id="on-its-way-out"),
    pytest.param([endpoint_slice(OTHER)], (), id="another-pod"),
    pytest.param([endpoint_slice()], (), id="no-endpoints"),
    pytest.param([endpoint_slice(OTHER, OURS), endpoint_slice(OURS, name="web-y")], ("web",), id="two-slices"),
    pytest.param([endpoint_slice(OURS), endpoint_slice(OURS, service="api")], ("api", "web"), id="two-services"),
    pytest.param([endpoint_slice(OURS, service="", name="own")], ("EndpointSlice/own",), id="of-no-service"),
    pytest.param([endpoint_slice({"targetRef": {"kind": "Pod", "name": "web-1"}})], ("web",), id="by-name"),
    pytest.param([endpoint_slice({"targetRef": {"kind": "Node", "name": "web-1"}})], (), id="a-node"),
    pytest.param([endpoint_slice({"addresses": ["192.0.2.7"]})], ("web",), id="by-address"),
    pytest.param([endpoint_slice({"addresses": ["2001:db8::7"]})], ("web",), id="by-second-address"),
    pytest.param([endpoint_slice({"addresses": ["192.0.2.8"]})], (), id="by-another-address"),
]


@pytest.mark.parametrize(("slices", "names"), NAMED)
def test_services_are_named_by_their_slices(
    pool: ThreadPoolExecutor, slices: list[Any], names: tuple[str, ...]
) -> None:
    """An endpoint is the pod's by its UID, else by its name, else by its address; each Service is named once."""
    api = Slices(*slices)
    assert read(pool, api) == SendingServices(names=names)
    assert api.asked == 1


def refused() -> ApiError:
    wanted = "endpointslices.discovery.k8s.io: list in namespace shop"
    return ApiError(Reason.KUBERNETES_FORBIDDEN, "HTTP 403", status=403, permission=wanted)


UNREAD = [
    pytest.param(Slices(error=refused()), "missing permission: endpointslices.discovery.k8s.io: list", id="refused"),
    pytest.param(Slices(error=ApiError(Reason.TIMEOUT)), "timeout", id="silent"),
    pytest.param(Slices(error=ApiError(Reason.PARTIAL_LIST)), "partial_list", id="too-long"),
    *(
        pytest.param(Slices(odd), "unusable_answer", id=f"odd-{number}")
        for number, odd in enumerate(({}, {"metadata": {}, "endpoints": [1]}, {"metadata": {}, "endpoints": 5}, []))
    ),
]


@pytest.mark.parametrize(("api", "why"), UNREAD)
def test_a_failed_list_is_unknown(pool: ThreadPoolExecutor, api: Slices, why: str) -> None:
    """It is asked for once, never raised, and told with its cause: unknown is not none."""
    found = read(pool, api)
    assert found.names == ()
    assert found.unread.startswith(why)
    assert str(found).startswith(f"Services that still send to the pod: unknown ({why}")
    assert api.asked == 1


def test_a_pod_that_is_not_read_is_unknown(pool: ThreadPoolExecutor) -> None:
    """Only an endpoint that is an address alone depends on the pod as it is now."""

    def unread() -> None:
        raise ApiError(Reason.TIMEOUT)

    assert read(pool, Slices(endpoint_slice(OURS)), unread).names == ("web",)
    assert read(pool, Slices(endpoint_slice({"addresses": ["192.0.2.7"]})), unread).unread == "timeout"
    assert read(pool, Slices(endpoint_slice({"addresses": ["192.0.2.7"]})), lambda: None) == SendingServices()


def test_a_list_that_stalls_is_unknown(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The isolation does not wait for it for long."""
    monkeypatch.setattr(sending_services, "READ_SECONDS", 0.0)
    answered = threading.Event()
    with one_cluster() as (_, means):
        stalled = Interposed(means.api, before=lambda *_: answered.wait(5))
        assert read(pool, stalled).unread == "deadline"
        answered.set()


def test_names_are_told_up_to_a_bound() -> None:
    """However many Services there are, the outcome has room for what else is to be said."""
    many = SendingServices(names=tuple(f"s{number}" for number in range(9)))
    assert str(many) == "Services that still send to the pod: s0, s1, s2, s3, s4 and 4 more"
    assert str(SendingServices()) == ""


def test_many_slices_are_one_request() -> None:
    """On a cluster: one list, of the pod's namespace alone."""
    with one_cluster() as (cluster, means), ThreadPoolExecutor(2) as pool:
        for name in ("web", "other"):
            spec = {"selector": {"app": name}}
            metadata = {"name": name, "namespace": "shop"}
            cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
        pod = ChangedObject(kind="Pod", **pod_target(cluster))
        api = Interposed(means.api)
        found = SendingServicesRead(ClusterSession(api, {}, lambda _: None, pool), pod, lambda: None).result()
    assert found.names == ("web",)
    assert len(api.calls) == 1
