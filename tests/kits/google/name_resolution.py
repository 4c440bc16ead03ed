"""Where names and addresses lead in a test: to servers on this machine.

Nothing else of a connection is changed: URL, Host header, SNI and the check of the certificate are those of the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

from urllib3.connectionpool import HTTPSConnectionPool

from scc_responder.adapters.google.gke.gke_clusters import connect_to_server
from scc_responder.adapters.kubernetes.kubernetes_api import ErrorTranslator, KubernetesRest
from scc_responder.adapters.kubernetes.one_write import OneWriteConnection
from scc_responder.collect.endpoints import Endpoint
from scc_responder.domain.ports import KubernetesApi


class NameResolution:
    """`ports` maps hosts to ports of 127.0.0.1. Calling it connects as the deployed function does."""

    def __init__(self, ports: Mapping[str, int], timeout_seconds: float = 10.0) -> None:
        self.ports = dict(ports)
        self.endpoints: list[Endpoint] = []
        self._timeout_seconds = timeout_seconds

    def __call__(self, endpoint: Endpoint, token: Callable[[], str], retell: ErrorTranslator) -> KubernetesApi:
        """The API server at `endpoint`."""
        self.endpoints.append(endpoint)
        api = connect_to_server(endpoint, token, retell, timeout_seconds=self._timeout_seconds)
        rest = cast("KubernetesRest", api)._requests._rest
        rest.pool_manager.pool_classes_by_scheme = {"https": self._pool(self.ports[host_of(endpoint)])}
        return api

    @staticmethod
    def _pool(port: int) -> type[HTTPSConnectionPool]:
        class LedConnection(OneWriteConnection):
            def _new_conn(self) -> object:
                name, known = self._dns_host, self.port
                self._dns_host, self.port = "127.0.0.1", port
                try:
                    return super()._new_conn()
                finally:
                    self._dns_host, self.port = name, known

        class LedPool(HTTPSConnectionPool):
            ConnectionCls = LedConnection

        return LedPool


def host_of(endpoint: Endpoint) -> str:
    """The host that an endpoint's URL names."""
    return urlsplit(endpoint.url).netloc
