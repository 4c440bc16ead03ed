"""Which way is taken to a cluster's API server: decided from what GKE says of the cluster, and from nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.collect.endpoints import Endpoint, EndpointKind, EndpointOptions, choose
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.errors import ApiError
from tests.kits.google.clusters import (
    CA,
    DNS_NAME,
    GATEWAY,
    GATEWAY_PATH,
    MEMBERSHIP,
    PRIVATE,
    PUBLIC,
    authority,
    described,
    dns_endpoint,
    ip_endpoints,
)
from tests.kits.google.grpc_servers import cluster

ANYWHERE = EndpointOptions(connect_gateway=True, vpc_egress=True)
OUTSIDE = EndpointOptions()
GATEWAY_TOO = EndpointOptions(connect_gateway=True)
LOCAL = EndpointOptions(local=True)
BY_DNS = Endpoint(kind=EndpointKind.DNS_ENDPOINT, url=f"https://{DNS_NAME}", ca_pem=None)
BY_GATEWAY = Endpoint(kind=EndpointKind.CONNECT_GATEWAY, url=f"https://{GATEWAY}{GATEWAY_PATH}", ca_pem=None)
BY_PUBLIC_IP = Endpoint(kind=EndpointKind.PUBLIC_IP, url=f"https://{PUBLIC}", ca_pem=CA)
BY_PRIVATE_IP = Endpoint(kind=EndpointKind.PRIVATE_IP, url=f"https://{PRIVATE}", ca_pem=CA)
BOTH = ip_endpoints(public=PUBLIC, private=PRIVATE)
ALL = {"dns": dns_endpoint(), "membership": MEMBERSHIP, "ip": BOTH}


def chosen(document: dict[str, Any], reach: EndpointOptions = OUTSIDE) -> Endpoint:
    """The way that is taken to a cluster of this description."""
    return choose(cluster(document), reach)


def refusal(document: dict[str, Any], reach: EndpointOptions = OUTSIDE) -> ApiError:
    """Why there is no way."""
    with pytest.raises(ApiError) as caught:
        chosen(document, reach)
    return caught.value


ORDER = [
    pytest.param(ALL, BY_DNS, BY_DNS, id="everything is there"),
    pytest.param({**ALL, "dns": None}, BY_PUBLIC_IP, BY_GATEWAY, id="the DNS endpoint is closed"),
    pytest.param({"dns": dns_endpoint(), "ip": BOTH}, BY_DNS, BY_DNS, id="no fleet"),
    pytest.param({"dns": dns_endpoint()}, BY_DNS, BY_DNS, id="the DNS endpoint alone"),
    pytest.param({"membership": MEMBERSHIP}, None, BY_GATEWAY, id="the fleet alone"),
    pytest.param({"ip": BOTH}, BY_PUBLIC_IP, BY_PUBLIC_IP, id="both addresses"),
    pytest.param({"ip": ip_endpoints(public=PUBLIC)}, BY_PUBLIC_IP, BY_PUBLIC_IP, id="the public address alone"),
    pytest.param({"ip": ip_endpoints(private=PRIVATE)}, None, BY_PRIVATE_IP, id="the private address alone"),
    pytest.param({}, None, None, id="everything is shut"),
]


@pytest.mark.parametrize(("parts", "outside", "inside"), ORDER)
def test_the_first_way_that_is_open_is_taken(
    parts: dict[str, Any], outside: Endpoint | None, inside: Endpoint | None
) -> None:
    """DNS endpoint, Connect Gateway, public address, private address: the second and the last only where asked for."""
    for reach, expected in ((OUTSIDE, outside), (ANYWHERE, inside)):
        if expected:
            assert chosen(described(**parts), reach) == expected
        else:
            assert refusal(described(**parts), reach).reason in REASONS


def test_a_private_cluster_says_what_would_help() -> None:
    """Each way that was passed over is named with its reason, for whoever has to open one."""
    error = refusal(described(ip=ip_endpoints(private=PRIVATE)))
    assert error.reason == "cluster_endpoint_private"
    assert str(error).split("; ") == [
        "dns_endpoint: closed to external traffic",
        "connect_gateway: no member of a fleet",
        "public_ip: switched off",
        "private_ip: this deployment has no VPC egress: give the Terraform variable vpc_connector",
    ]


GATEWAY_OFF = "connect_gateway: the Terraform variable connect_gateway is not true"
WITHOUT = [
    pytest.param({"membership": MEMBERSHIP}, OUTSIDE, "connect_gateway_off", id="the only way"),
    pytest.param(
        {"membership": MEMBERSHIP, "ip": ip_endpoints(private=PRIVATE)},
        OUTSIDE,
        "cluster_endpoint_private",
        id="private otherwise",
    ),
    pytest.param(
        {"membership": MEMBERSHIP}, EndpointOptions(vpc_egress=True), "connect_gateway_off", id="with VPC egress"
    ),
]


@pytest.mark.parametrize(("parts", "reach", "reason"), WITHOUT)
def test_the_gateway_is_not_taken_by_itself(parts: dict[str, Any], reach: EndpointOptions, reason: str) -> None:
    """Its permissions are not granted by default: where nobody asked for it, the input that grants them is named."""
    error = refusal(described(**parts), reach)
    assert (error.reason, GATEWAY_OFF in str(error).split("; ")) == (reason, True)


@pytest.mark.parametrize(
    ("ip", "reach", "expected"),
    [
        pytest.param(BOTH, OUTSIDE, BY_PUBLIC_IP, id="public"),
        pytest.param(ip_endpoints(private=PRIVATE), EndpointOptions(vpc_egress=True), BY_PRIVATE_IP, id="private"),
    ],
)
def test_the_next_way_is_taken_instead(ip: dict[str, Any], reach: EndpointOptions, expected: Endpoint) -> None:
    """A member of a fleet is reached by its address where the gateway may not be used."""
    assert chosen(described(membership=MEMBERSHIP, ip=ip), reach) == expected


def test_a_closed_cluster_is_not_called_private() -> None:
    """VPC egress is not recommended where it would not help."""
    error = refusal(described())
    assert (error.reason, "VPC" in str(error)) == ("no_reachable_endpoint", False)


@pytest.mark.parametrize(
    ("more", "reach", "expected"),
    [
        pytest.param({"endpoint": PUBLIC}, OUTSIDE, BY_PUBLIC_IP, id="an address"),
        pytest.param({"endpoint": PRIVATE}, ANYWHERE, BY_PRIVATE_IP, id="a private address"),
        pytest.param(
            {"endpoint": PUBLIC, "privateClusterConfig": {"enablePrivateEndpoint": True}},
            ANYWHERE,
            Endpoint(kind=EndpointKind.PRIVATE_IP, url=f"https://{PUBLIC}", ca_pem=CA),
            id="a public address in private use",
        ),
    ],
)
def test_the_older_fields_count_where_the_newer_say_nothing(
    more: dict[str, Any], reach: EndpointOptions, expected: Endpoint
) -> None:
    """GKE told a cluster's address otherwise before it had several endpoints."""
    assert chosen({**authority(), **more}, reach) == expected


def test_the_older_fields_are_passed_over_where_addresses_are_switched_off() -> None:
    """An address that is still described is not tried after it was switched off."""
    assert refusal(described(endpoint=PUBLIC), ANYWHERE).reason == "no_reachable_endpoint"


@pytest.mark.parametrize(
    ("membership", "url"),
    [
        pytest.param(MEMBERSHIP, f"https://{GATEWAY}{GATEWAY_PATH}", id="a region"),
        pytest.param(
            "//gkehub.googleapis.com/projects/example-project/locations/global/memberships/m",
            "https://connectgateway.googleapis.com/v1/projects/example-project/locations/global/gkeMemberships/m",
            id="global",
        ),
    ],
)
def test_the_gateway_is_the_one_of_the_membership(membership: str, url: str) -> None:
    """Memberships of a region are served by that region's host alone."""
    assert chosen(described(membership=membership), GATEWAY_TOO).url == url


HOSTILE_NAMES = [
    "evil.example.com",
    "gke.goog",
    "x.gke.goog",
    "gke-1.europe-west1.gke.goog.example.com",
    "example.com/gke-1.europe-west1.gke.goog",
    "gke-1.europe-west1.gke.goog/x",
    "gke-1.europe-west1.gke.goog:8443",
    "gke-1.europe-west1.gke.goog\n",
    "user@gke-1.europe-west1.gke.goog",
    "gke-1.europe-west1.gke.goog.",
    "gke-1..gke.goog",
    "-.europe-west1.gke.goog",
    "gke-1.europe-west1.gke\u3002goog",
    "gke-1.europe-west1.gkeXgoog",
    "GKE-1.europe-west1.gke.goog",
    "169.254.169.254",
    "127.0.0.1:8080",
    "",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_dns_endpoint_is_one_of_googles(name: str) -> None:
    """Its certificate is checked by public authorities, which anyone can ask for one: so the name must be Google's."""
    assert "not under gke.goog" in str(refusal(described(dns=dns_endpoint(name=name))))


HOSTILE_MEMBERSHIPS = [
    "projects/1/locations/global/memberships/m",
    "//evil.example.com/projects/1/locations/global/memberships/m",
    "//gkehub.googleapis.com/projects/1/locations/global/memberships/..",
    "//gkehub.googleapis.com/projects/1/locations/global/memberships/m/../../x",
    "//gkehub.googleapis.com/projects/1/locations/global/memberships/m?x=1",
    "//gkehub.googleapis.com/projects/1/locations/evil.example.com%2f/memberships/m",
    "//gkehub.googleapis.com/projects/1/locations/evil.example.com/memberships/m",
    "//gkehub.googleapis.com/projects/../locations/global/memberships/m",
    "//gkehub.googleapis.com/projects/1/locations/global/memberships/m\n",
    "//gkehub.googleapis.com/projects/1/locations/global/memberships/",
]


@pytest.mark.parametrize("membership", HOSTILE_MEMBERSHIPS, ids=ascii)
def test_a_membership_of_another_form_leads_nowhere(membership: str) -> None:
    """The gateway's host and path are built from checked parts."""
    assert "unknown form of membership" in str(refusal(described(membership=membership)))


HOSTILE_ADDRESSES = [
    "169.254.169.254",
    "127.0.0.1",
    "127.0.0.1:443",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "[::1]",
    "::ffff:169.254.169.254",
    "[::ffff:127.0.0.1]",
    "2001:db8::1",
    "0x7f.0.0.1",
    "2130706433",
    "127.1",
    "010.0.0.1",
    "192.0.2.1:443",
    "192.0.2.1/x",
    "user@192.0.2.1",
    "192.0.2.1 ",
    "192.0.2.\u0661",
    "localhost",
    "metadata.google.internal",
    "a/../b",
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES, ids=ascii)
@pytest.mark.parametrize("field", ["public", "private", "older"])
def test_an_address_is_an_address(field: str, address: str) -> None:
    """Neither this machine, nor the metadata server, nor a name is ever taken for a control plane's address."""
    document = (
        {**authority(), "endpoint": address} if field == "older" else described(ip=ip_endpoints(**{field: address}))
    )
    error = refusal(document, ANYWHERE)
    assert (error.reason, "not an address to connect to" in str(error)) == ("no_reachable_endpoint", True)


@pytest.mark.parametrize("address", [PRIVATE, "172.16.0.2", "192.168.1.1", "100.64.0.1", "240.0.0.1"])
def test_a_private_address_is_not_public_whoever_says_so(address: str) -> None:
    """Without VPC egress no address inside a network is tried: it might be somebody else's."""
    assert refusal(described(ip=ip_endpoints(public=address))).reason == "no_reachable_endpoint"


@pytest.mark.parametrize("encoded", ["", "%", "===="], ids=["absent", "not base64", "padding"])
@pytest.mark.parametrize("ip", [ip_endpoints(public=PUBLIC), ip_endpoints(private=PRIVATE)], ids=["public", "private"])
def test_an_address_without_authority_is_not_connected_to(ip: dict[str, Any], encoded: str) -> None:
    """Tokens go only where TLS can be verified."""
    document = {**described(ip=ip), "masterAuth": {"clusterCaCertificate": encoded}}
    assert refusal(document, ANYWHERE).reason == "no_cluster_authority"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(described(dns=dns_endpoint(name="127.0.0.1:8443")), id="dns"),
        pytest.param(described(ip=ip_endpoints(public="127.0.0.1:8443")), id="public"),
        pytest.param({**authority(), "endpoint": "127.0.0.1:8443"}, id="older"),
    ],
)
def test_servers_on_this_machine_are_for_a_local_gke_api_alone(document: dict[str, Any]) -> None:
    """Only who is told by a stand-in of the GKE API on this machine is led to this machine."""
    assert chosen(document, LOCAL).url == "https://127.0.0.1:8443"
    assert refusal(document, ANYWHERE).reason == "no_reachable_endpoint"


def test_each_way_has_its_permissions() -> None:
    """What the front ends ask IAM for is known for each way; addresses ask for nothing."""
    assert list(ENDPOINT_PERMISSIONS) == list(EndpointKind)
    assert ENDPOINT_PERMISSIONS[EndpointKind.DNS_ENDPOINT] == ("container.clusters.connect",)


TEXT = st.text(st.sampled_from("0123456789abgkox.:/@-%\n\u3002"), max_size=30)
ADDRESS = st.sampled_from([*HOSTILE_ADDRESSES, PUBLIC, PRIVATE, "203.0.113.7"]) | st.ip_addresses(v=4).map(str) | TEXT
NAME = st.sampled_from([*HOSTILE_NAMES, DNS_NAME]) | TEXT.map(lambda text: f"{text}.gke.goog") | TEXT
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "endpoint": ADDRESS,
        "privateClusterConfig": st.fixed_dictionaries(
            {"enablePrivateEndpoint": st.booleans(), "privateEndpoint": ADDRESS}
        ),
        "masterAuth": st.fixed_dictionaries(
            {"clusterCaCertificate": st.sampled_from(["", "%", authority()["masterAuth"]["clusterCaCertificate"]])}
        ),
        "fleet": st.fixed_dictionaries({"membership": st.sampled_from(["", *HOSTILE_MEMBERSHIPS, MEMBERSHIP]) | TEXT}),
        "controlPlaneEndpointsConfig": st.fixed_dictionaries(
            {},
            optional={
                "dnsEndpointConfig": st.fixed_dictionaries(
                    {}, optional={"endpoint": NAME, "allowExternalTraffic": st.booleans()}
                ),
                "ipEndpointsConfig": st.fixed_dictionaries(
                    {},
                    optional={
                        "enabled": st.booleans(),
                        "enablePublicEndpoint": st.booleans(),
                        "publicEndpoint": ADDRESS,
                        "privateEndpoint": ADDRESS,
                    },
                ),
            },
        ),
    },
)
REASONS = {"cluster_endpoint_private", "connect_gateway_off", "no_reachable_endpoint", "no_cluster_authority"}


def texts(value: Any) -> list[str]:
    """All texts in a document."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    return [value] if isinstance(value, str) else []


@given(DOCUMENTS, st.builds(EndpointOptions, connect_gateway=st.booleans(), vpc_egress=st.booleans()))
def test_whatever_a_cluster_looks_like_the_way_is_one_of_four_or_a_named_reason(
    document: dict[str, Any], reach: EndpointOptions
) -> None:
    """No combination of fields leads a token to a host that GKE did not name for it, or to this machine."""
    try:
        endpoint: Endpoint | ApiError = chosen(document, reach)
    except ApiError as error:
        endpoint = error
    if isinstance(endpoint, ApiError):
        assert endpoint.reason in REASONS
    else:
        assert leads_where_gke_said(endpoint, document)
        assert reach.vpc_egress or endpoint.kind is not EndpointKind.PRIVATE_IP
        assert reach.connect_gateway or endpoint.kind is not EndpointKind.CONNECT_GATEWAY


def leads_where_gke_said(endpoint: Endpoint, document: dict[str, Any]) -> bool:
    """Whether the host is Google's or an address, stands in the description, and is trusted by the right authority."""
    host = urlsplit(endpoint.url).netloc
    if endpoint.kind is EndpointKind.DNS_ENDPOINT:
        return host in texts(document) and host.endswith(".gke.goog") and endpoint.ca_pem is None
    if endpoint.kind is EndpointKind.CONNECT_GATEWAY:
        is_the_membership = document["fleet"]["membership"].rpartition("/")[2] == endpoint.url.rpartition("/")[2]
        return is_the_membership and host.endswith("connectgateway.googleapis.com") and endpoint.ca_pem is None
    ip = IPv4Address(host)
    elsewhere = not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)
    return elsewhere and host in texts(document) and endpoint.ca_pem == CA
