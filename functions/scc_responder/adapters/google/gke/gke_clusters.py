"""Clusters of Google Kubernetes Engine: what its API says of them, and the way to their API servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.kubernetes.endpoint_errors import retold
from scc_responder.collect.endpoints import Endpoint, EndpointOptions, Server, choose
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason

GKE_SERVICE = "container.googleapis.com"
GET_CLUSTER = ApiMethod(api=Reason.GKE, permission="container.clusters.get")

KEPT_SECONDS = 600.0
"""How long a cluster's description is cached."""

_ErrorTranslator = Callable[[str, ApiError], ApiError]
Connect = Callable[[Endpoint, Callable[[], str], _ErrorTranslator], KubernetesApi]


def connect_to_server(
    server: Server, token: Callable[[], str], retell: _ErrorTranslator | None = None, *, timeout_seconds: float = 10.0
) -> KubernetesApi:
    """The API server as whom `token` says; an `AccessToken` is renewed when the server refuses it.

    `retell` is given the method and the error of each failed request, and says which error to raise.
    """
    lean_imports.obtain(lean_imports.KUBERNETES_REST)
    adapter: Any = import_module("scc_responder.adapters.kubernetes.kubernetes_api")
    renew = token.renew if isinstance(token, AccessToken) else None
    api: KubernetesApi = adapter.connect(
        server.url, server.ca_pem, token, renew=renew, retell=retell, timeout_seconds=timeout_seconds
    )
    return api


class GkeClusters(GoogleClient):
    """`ports.Clusters` over GetCluster, asked once for a cluster's description and its API server together.

    `endpoint`: a stand-in for the GKE API on this machine, host:port (any other raises SettingsError). `token`: bearer
    tokens for API servers, instead of the environment's identity. `connect_gateway`, `vpc_egress`: see
    `EndpointOptions`. `clock`: seconds, for keeping descriptions.

    If the endpoint of a cached description does not answer, the next connection reads the description again.
    """

    lean = lean_imports.CLUSTER_MANAGER
    service = GKE_SERVICE
    setting = "SCC_RESPONDER_GKE_ENDPOINT"

    def __init__(
        self,
        *,
        endpoint: str = "",
        token: Callable[[], str] | None = None,
        connect_gateway: bool = False,
        vpc_egress: bool = False,
        clock: Callable[[], float] = time.monotonic,
        connect: Connect = connect_to_server,
        timeout_seconds: float = 10.0,
    ) -> None:
        super().__init__(endpoint=endpoint, timeout_seconds=timeout_seconds)
        self._reach = EndpointOptions(connect_gateway=connect_gateway, vpc_egress=vpc_egress, local=bool(endpoint))
        self._token = token or AccessToken()
        self._clock = clock
        self._connect = connect
        self._known: dict[ClusterRef, _Known] = {}
        self._lock = threading.Lock()

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster. Raises ApiError: `cluster_not_found`, `malformed_cluster_name`, or what GKE refuses."""
        return _cluster(ref, self._kept(ref).message())

    def way(self, ref: ClusterRef) -> str:
        """The endpoint by which the API server is reached. Raises ApiError as `connect`."""
        return str(choose(self._kept(ref).message(), self._reach).kind)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Its API server. Raises ApiError as `describe`, and as `endpoints.choose`."""
        known = self._kept(ref)
        endpoint = choose(known.message(to_connect=True), self._reach)
        with known.lock:
            if known.api is None or known.endpoint != endpoint:
                known.api = self._connect(endpoint, self._token, _doubting(known, endpoint))
                known.endpoint = endpoint
            return known.api

    def _kept(self, ref: ClusterRef) -> _Known:
        if ClusterRef.parse(ref.path) != ref:
            raise ApiError(Reason.MALFORMED_CLUSTER_NAME, "the cluster's name has a character that none may have")
        with self._lock:
            return self._known.setdefault(ref, _Known(lambda: self._get(ref), self._clock))

    def _get(self, ref: ClusterRef) -> Any:
        try:
            return self._asked_once(GET_CLUSTER, "get_cluster", name=ref.path)
        except ApiError as error:
            if error.status != 404:
                raise
            raise ApiError(Reason.CLUSTER_NOT_FOUND, str(error), status=404) from error


class _Known:
    """One cluster's cached description. Threads that ask together wait for one answer."""

    def __init__(self, get: Callable[[], Any], clock: Callable[[], float]) -> None:
        self._get = get
        self._clock = clock
        self._message: Any = None
        self._until = 0.0
        self._doubted = False
        self.lock = threading.Lock()
        self.endpoint: Endpoint | None = None
        self.api: KubernetesApi | None = None

    def message(self, *, to_connect: bool = False) -> Any:
        with self.lock:
            doubted = to_connect and self._doubted
            if self._message is None or doubted or self._clock() >= self._until:
                self._message = self._get()
                self._until = self._clock() + KEPT_SECONDS
                self._doubted = False
            return self._message

    def doubt(self) -> None:
        """Ask again before the next connection.

        Not under the lock: a failed request need not wait for another thread's answer.
        """
        self._doubted = True


def _doubting(known: _Known, endpoint: Endpoint) -> _ErrorTranslator:
    def retell(method: str, error: ApiError) -> ApiError:
        told = retold(endpoint, method, error)
        if told is not error:
            known.doubt()
        return told

    return retell


def _cluster(ref: ClusterRef, message: Any) -> Cluster:
    return Cluster(
        ref=ref,
        autopilot=bool(message.autopilot.enabled),
        enforces_network_policy=_enforces_network_policy(message),
        workload_pool=message.workload_identity_config.workload_pool,
        labels=dict(message.resource_labels),
    )


def _enforces_network_policy(message: Any) -> bool:
    """Dataplane V2 (always on in Autopilot), or Calico: enabled on the nodes and not switched off as an add-on."""
    if message.autopilot.enabled or message.network_config.datapath_provider.name == "ADVANCED_DATAPATH":
        return True
    return bool(message.network_policy.enabled and not message.addons_config.network_policy_config.disabled)
