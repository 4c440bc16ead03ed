"""Clusters as the GKE API describes them, one for each way to their API servers."""

from __future__ import annotations

import base64
from typing import Any

DNS_NAME = "gke-0123456789ab-100000000001.europe-west1.gke.goog"
MEMBERSHIP = "//gkehub.googleapis.com/projects/100000000001/locations/europe-west1/memberships/prod-1"
GATEWAY = "europe-west1-connectgateway.googleapis.com"
GATEWAY_PATH = "/v1/projects/100000000001/locations/europe-west1/gkeMemberships/prod-1"
PUBLIC = "192.0.2.10"
PRIVATE = "10.0.0.2"
CA = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def authority(ca_pem: bytes = CA) -> dict[str, Any]:
    """The cluster's own authority."""
    return {"masterAuth": {"clusterCaCertificate": base64.b64encode(ca_pem).decode()}}


def dns_endpoint(*, name: str = DNS_NAME, is_open: bool = True) -> dict[str, Any]:
    """The DNS endpoint, which every cluster has, open to external traffic or not."""
    return {"endpoint": name, "allowExternalTraffic": is_open}


def ip_endpoints(*, public: str = "", private: str = "") -> dict[str, Any]:
    """The addresses that are switched on. Without any, IP endpoints are switched off."""
    said: dict[str, Any] = {"enabled": bool(public or private), "enablePublicEndpoint": bool(public)}
    return {**said, **({"publicEndpoint": public} if public else {}), "privateEndpoint": private}


def described(
    *,
    dns: dict[str, Any] | None = None,
    ip: dict[str, Any] | None = None,
    membership: str = "",
    ca_pem: bytes = CA,
    **more: Any,
) -> dict[str, Any]:
    """GetCluster's JSON."""
    endpoints = {"dnsEndpointConfig": dns or dns_endpoint(is_open=False), "ipEndpointsConfig": ip or ip_endpoints()}
    fleet = {"fleet": {"membership": membership}} if membership else {}
    return {"controlPlaneEndpointsConfig": endpoints, **fleet, **authority(ca_pem), **more}
