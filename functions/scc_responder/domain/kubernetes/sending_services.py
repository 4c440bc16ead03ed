"""Which Services still send requests to one pod, by the EndpointSlices of its namespace.

An isolated pod stays ready, as its kubelet still reaches it: so it keeps its share of the requests, and answers none.
Source: discovery.k8s.io/v1 EndpointSlice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future

from scc_responder.domain.changes import ChangedObject
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.network_policies.other_policies import READ_SECONDS
from scc_responder.domain.permissions import observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import listed
from scc_responder.domain.value import Value

LISTS_ENDPOINT_SLICES = observes("endpointslices.discovery.k8s.io", "list")
SERVICE_NAME = "kubernetes.io/service-name"
_NAMED = 5


class SendingServices(Value, frozen=True, kw_only=True):
    """`names`: the Services, or `EndpointSlice/NAME` of a slice of none. `unread`: why they are not known."""

    names: tuple[str, ...] = ()
    unread: str = ""

    def __str__(self) -> str:
        """For people; empty where no Service sends to the pod."""
        if self.unread:
            return f"Services that still send to the pod: unknown ({self.unread})"
        return f"Services that still send to the pod: {listed(self.names, _NAMED)}" if self.names else ""


NO_SERVICES = SendingServices()


class SendingServicesRead:
    """One list of EndpointSlices, which begins when this is made. A slice that was judged takes no memory.

    `read_pod` gives the pod as it is now; it is asked for only where a slice names no pods, but addresses alone.
    """

    def __init__(self, session: ClusterSession, pod: ChangedObject, read_pod: Callable[[], ApiObject | None]) -> None:
        self._pod = pod
        self._read_pod = read_pod
        slices = api_paths.collection("discovery.k8s.io", "v1", "endpointslices", pod.namespace)
        self._future: Future[tuple[str, ...]] = session.pool.submit(
            lambda: tuple(sorted({*session.api.gather(slices, self._service)}))
        )

    def result(self) -> SendingServices:
        """What was read. It never raises for what could not be: the change that asks is carried out without it."""
        try:
            return SendingServices(names=self._future.result(timeout=READ_SECONDS))
        except ResponderError as error:
            return SendingServices(unread=error.explanation if error.permission else error.reason)
        except TimeoutError:
            return SendingServices(unread=Reason.DEADLINE)

    def _service(self, endpoint_slice: ApiObject) -> str | None:
        try:
            meta = endpoint_slice["metadata"]
            if any(map(self._is_pod, _sent_to(endpoint_slice))):
                return str((meta.get("labels") or {}).get(SERVICE_NAME) or f"EndpointSlice/{meta['name']}")
        except (AttributeError, KeyError, TypeError) as error:
            raise ApiError(Reason.UNUSABLE_ANSWER, "an EndpointSlice that makes no sense") from error
        return None

    def _is_pod(self, endpoint: ApiObject) -> bool:
        target = endpoint.get("targetRef") or {}
        if target.get("uid"):
            return bool(target["uid"] == self._pod.uid)
        if target:
            return (target.get("kind"), target.get("name")) == ("Pod", self._pod.name)
        status = (self._read_pod() or {}).get("status") or {}
        return any({"ip": address} in (status.get("podIPs") or ()) for address in endpoint.get("addresses") or ())


def _sent_to(endpoint_slice: ApiObject) -> Iterator[ApiObject]:
    """The endpoints that get requests: the ready ones, and those on their way out where no other is left."""
    for endpoint in endpoint_slice.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        if conditions.get("ready") is not False or conditions.get("serving"):
            yield endpoint
