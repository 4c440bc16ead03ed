"""Choose the endpoint of a cluster's API server from those that GKE describes. Pure.

The order is Google's advice: the DNS endpoint, then Connect Gateway, then an IP address. Only what GetCluster says is
ever an address, and each way has its form, so that no other text can send a token to another server.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

_DNS_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){2,4}gke\.goog", re.ASCII)
_MEMBERSHIP = re.compile(
    r"//gkehub\.googleapis\.com/projects/(?P<project>[a-z0-9][a-z0-9.:-]{0,99})"
    r"/locations/(?P<location>[a-z][a-z0-9-]{0,40})/memberships/(?P<name>[a-z0-9][a-z0-9-]{0,62})",
    re.ASCII,
)
_ON_THIS_MACHINE = re.compile(r"127\.0\.0\.1:[1-9][0-9]{0,4}", re.ASCII)
_NEVER = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32")))
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "240.0.0.0/4")))


class EndpointKind(StrEnum):
    """The kinds of endpoints of an API server, the preferred one first."""

    DNS_ENDPOINT = "dns_endpoint"
    CONNECT_GATEWAY = "connect_gateway"
    PUBLIC_IP = "public_ip"
    PRIVATE_IP = "private_ip"


class Server(Value, frozen=True, kw_only=True):
    """An API server: its URL and the authority to trust for it in PEM (None: the public ones)."""

    url: str
    ca_pem: bytes | None


class Endpoint(Server, frozen=True, kw_only=True):
    """An API server and the kind of endpoint that reaches it."""

    kind: EndpointKind


class EndpointOptions(Value, frozen=True, kw_only=True):
    """What this deployment can reach. `local`: servers on this machine, by a port.

    `connect_gateway`: clusters of a fleet by Connect Gateway, which asks for permissions of its own. `vpc_egress`:
    private addresses.
    """

    connect_gateway: bool = False
    vpc_egress: bool = False
    local: bool = False


class _Way(Value, frozen=True, kw_only=True):
    """The URL of one kind of endpoint, or why it cannot be used."""

    url: str = ""
    shut: str = ""


_NOT_ASKED_FOR = _Way(shut="the Terraform variable connect_gateway is not true")
_NO_EGRESS = _Way(shut="this deployment has no VPC egress: give the Terraform variable vpc_connector")
_REASONS = {Reason.CLUSTER_ENDPOINT_PRIVATE: _NO_EGRESS, Reason.CONNECT_GATEWAY_OFF: _NOT_ASKED_FOR}


def choose(cluster: Any, reach: EndpointOptions) -> Endpoint:
    """The endpoint to use for the API server of a cluster, given as GetCluster describes it.

    Raises ApiError `cluster_endpoint_private` where VPC egress would help, `connect_gateway_off` where only the gateway
    would, `no_reachable_endpoint` where nothing would, `no_cluster_authority`; the message says why each endpoint was
    not used.
    """
    public, private = _addresses(cluster)
    ways = {
        EndpointKind.DNS_ENDPOINT: _dns_endpoint(cluster, reach),
        EndpointKind.CONNECT_GATEWAY: _connect_gateway(cluster, reach),
        EndpointKind.PUBLIC_IP: _public_ip(public, reach),
        EndpointKind.PRIVATE_IP: _private_ip(private, reach),
    }
    for kind, way in ways.items():
        if way.url:
            by_address = kind in {EndpointKind.PUBLIC_IP, EndpointKind.PRIVATE_IP}
            return Endpoint(kind=kind, url=way.url, ca_pem=_authority(cluster) if by_address else None)
    reason = next((reason for reason, way in _REASONS.items() if way in ways.values()), Reason.NO_REACHABLE_ENDPOINT)
    raise ApiError(reason, "; ".join(f"{kind}: {way.shut}" for kind, way in ways.items()))


def _dns_endpoint(cluster: Any, reach: EndpointOptions) -> _Way:
    config = cluster.control_plane_endpoints_config.dns_endpoint_config
    if not config.allow_external_traffic:
        return _Way(shut="closed to external traffic")
    if _DNS_NAME.fullmatch(config.endpoint) or _is_on_this_machine(config.endpoint, reach):
        return _Way(url=f"https://{config.endpoint}")
    return _Way(shut="its name is not under gke.goog")


def _connect_gateway(cluster: Any, reach: EndpointOptions) -> _Way:
    """Clusters of GKE are `gkeMemberships` to it; a membership outside `global` is served by its region's host."""
    membership = _MEMBERSHIP.fullmatch(cluster.fleet.membership)
    if membership is None:
        return _Way(shut="unknown form of membership" if cluster.fleet.membership else "no member of a fleet")
    if not reach.connect_gateway:
        return _NOT_ASKED_FOR
    project, location, name = membership.group("project", "location", "name")
    host = f"{'' if location == 'global' else f'{location}-'}connectgateway.googleapis.com"
    return _Way(url=f"https://{host}/v1/projects/{project}/locations/{location}/gkeMemberships/{name}")


def _public_ip(address: str, reach: EndpointOptions) -> _Way:
    if _is_on_this_machine(address, reach):
        return _Way(url=f"https://{address}")
    ip = _ip(address)
    return _Way(url=f"https://{ip}") if ip and not _within(ip, _PRIVATE) else _no_address(address)


def _private_ip(address: str, reach: EndpointOptions) -> _Way:
    ip = _ip(address)
    if ip is None:
        return _no_address(address)
    return _Way(url=f"https://{ip}") if reach.vpc_egress else _NO_EGRESS


def _no_address(address: str) -> _Way:
    return _Way(shut="not an address to connect to" if address else "switched off")


def _addresses(cluster: Any) -> tuple[str, str]:
    """The public and the private address, as far as they are switched on."""
    config = cluster.control_plane_endpoints_config.ip_endpoints_config
    if "enabled" in config:
        public = config.public_endpoint if config.enable_public_endpoint else ""
        return (public, config.private_endpoint) if config.enabled else ("", "")
    ip = _ip(cluster.endpoint)  # the older fields, where the newer ones say nothing
    is_private = cluster.private_cluster_config.enable_private_endpoint or (ip and _within(ip, _PRIVATE))
    return ("", cluster.endpoint) if is_private else (cluster.endpoint, "")


def _ip(text: str) -> IPv4Address | None:
    try:
        ip = IPv4Address(text)
    except AddressValueError:
        return None
    return None if _within(ip, _NEVER) else ip


def _within(ip: IPv4Address, networks: tuple[IPv4Network, ...]) -> bool:
    return any(ip in network for network in networks)


def _is_on_this_machine(address: str, reach: EndpointOptions) -> bool:
    return reach.local and _ON_THIS_MACHINE.fullmatch(address) is not None


def _authority(cluster: Any) -> bytes:
    try:
        pem = base64.b64decode(cluster.master_auth.cluster_ca_certificate, validate=True)
    except binascii.Error:
        pem = b""
    if not pem:
        raise ApiError(Reason.NO_CLUSTER_AUTHORITY, "GKE names no certificate authority for the cluster's address")
    return pem
