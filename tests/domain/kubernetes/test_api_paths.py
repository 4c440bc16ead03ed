"""Names from findings become paths of the API server, or are refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths

UID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
OWNER_KINDS = [
    ("v1", "ReplicationController"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
]
HOSTILE = [
    "",
    ".",
    "..",
    "../secrets",
    "web/../../secrets/token",
    "web/log",
    "web?dryRun=All",
    "web#",
    "web%2f..%2fsecrets",
    "%2e%2e",
    "web\n",
    "web\r\nX-Evil: 1",
    "web\x00",
    "web ",
    " web",
    "Web",
    "-web",
    "web-",
    ".web",
    "web.",
    "web..1",
    "web.-1",
    "web_1",
    "web:1",
    "web\\1",
    "wéb",
    "\uff57\uff45\uff42",
    "web\uff11",
    "a" * 254,
]
BUILDERS: list[tuple[str, Callable[[str], str]]] = [
    ("pods", api_paths.pods),
    ("pod", lambda name: api_paths.pod("shop", name)),
    ("volume-claim", lambda name: api_paths.volume_claim("shop", name)),
    ("pod-eviction", lambda name: api_paths.pod_eviction("shop", name)),
    ("pod-namespace", lambda name: api_paths.pod(name, "web-1")),
    ("node", api_paths.node),
    ("namespace", api_paths.namespace),
    ("events", api_paths.events),
    ("policies", api_paths.network_policies),
    ("policy", lambda name: api_paths.network_policy("shop", name)),
    ("owner", lambda name: api_paths.owner("shop", "apps/v1", "ReplicaSet", name)),
    ("owner-namespace", lambda name: api_paths.owner(name, "batch/v1", "Job", "web")),
    ("owner-version", lambda name: api_paths.owner("shop", name, "ReplicaSet", "web")),
    ("owner-kind", lambda name: api_paths.owner("shop", "apps/v1", name, "web")),
]
each_builder = pytest.mark.parametrize("build", [pytest.param(build, id=name) for name, build in BUILDERS])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (api_paths.pods("shop"), "/api/v1/namespaces/shop/pods"),
        (api_paths.pod("shop", "web-1"), "/api/v1/namespaces/shop/pods/web-1"),
        (
            api_paths.pod("shop", "kube-proxy-gke-shop.internal"),
            "/api/v1/namespaces/shop/pods/kube-proxy-gke-shop.internal",
        ),
        (api_paths.volume_claim("shop", "data"), "/api/v1/namespaces/shop/persistentvolumeclaims/data"),
        (api_paths.pod_eviction("shop", "web-1"), "/api/v1/namespaces/shop/pods/web-1/eviction"),
        (api_paths.node("gke-shop-1"), "/api/v1/nodes/gke-shop-1"),
        (api_paths.namespace("shop"), "/api/v1/namespaces/shop"),
        (api_paths.events("shop"), "/api/v1/namespaces/shop/events"),
        (api_paths.events_about(UID), f"involvedObject.uid={UID}"),
        (api_paths.network_policies("shop"), "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"),
        (api_paths.network_policy("shop", "deny"), "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/deny"),
        (api_paths.owner("shop", "batch/v1", "CronJob", "nightly"), "/apis/batch/v1/namespaces/shop/cronjobs/nightly"),
        (api_paths.pod("a" * 63, "b" * 253), f"/api/v1/namespaces/{'a' * 63}/pods/{'b' * 253}"),
    ],
    ids=lambda value: value[:60],
)
def test_valid_names_make_api_paths(path: str, expected: str) -> None:
    """Valid names make the paths of the API reference."""
    assert path == expected


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@each_builder
def test_a_hostile_name_makes_no_path(build: Callable[[str], str], name: str) -> None:
    """A name that Kubernetes would not accept never becomes a path."""
    with pytest.raises(ApiError) as refused:
        build(name)
    assert refused.value.reason in {"invalid_name", "unknown_kind"}


@pytest.mark.parametrize(
    "uid", ["", f"{UID},metadata.name=x", f"{UID}=x", f"{UID}&limit=1", "!", "a b", "-", "a" * 129]
)
def test_a_hostile_uid_makes_no_selector(uid: str) -> None:
    """A UID that could be more than one term of a selector is refused."""
    with pytest.raises(ApiError) as refused:
        api_paths.events_about(uid)
    assert refused.value.reason == "invalid_name"


def test_namespace_is_one_label() -> None:
    """A namespace has no dots and at most 63 characters, as Kubernetes has it."""
    for name in ("kube.system", "a" * 64):
        with pytest.raises(ApiError, match="namespace"):
            api_paths.pod(name, "web-1")


@each_builder
@given(name=st.text() | st.from_regex(r"[a-z0-9./%?#-]{1,40}", fullmatch=True))
def test_any_name_keeps_the_path_shape(build: Callable[[str], str], name: str) -> None:
    """Whatever the name, no path ever climbs, gains a segment, a query or a fragment, or is encoded."""
    try:
        path = build(name)
    except ApiError:
        return
    template = build("x" * len(name)) if len(name) < 64 and build not in {BUILDERS[-1][1], BUILDERS[-2][1]} else path
    assert path.count("/") == template.count("/")
    assert re.search(r"\.\.|[?#%\s\\]|//|/\.|\./", path) is None
    assert path.isascii()


@pytest.mark.parametrize(("api_version", "kind"), OWNER_KINDS, ids=lambda value: value)
def test_every_owner_kind_is_read(api_version: str, kind: str) -> None:
    """Every workload kind of Kubernetes itself is read as an owner."""
    path = api_paths.owner("shop", api_version, kind, "web")
    assert path.endswith(f"/namespaces/shop/{kind.lower()}s/web")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", api_paths.pod("shop", "web-1"), "pods: get in namespace shop"),
        ("GET", api_paths.pods("shop"), "pods: list in namespace shop"),
        ("PATCH", api_paths.pod("shop", "web-1"), "pods: patch in namespace shop"),
        ("DELETE", api_paths.pod("shop", "web-1"), "pods: delete in namespace shop"),
        ("POST", api_paths.pod_eviction("shop", "web-1"), "pods/eviction: create in namespace shop"),
        ("PATCH", api_paths.node("gke-shop-1"), "nodes: patch"),
        ("GET", api_paths.namespace("shop"), "namespaces: get"),
        ("GET", api_paths.events("shop"), "events: list in namespace shop"),
        ("POST", api_paths.network_policies("shop"), "networkpolicies.networking.k8s.io: create in namespace shop"),
        ("GET", api_paths.owner("shop", "apps/v1", "Deployment", "web"), "deployments.apps: get in namespace shop"),
        ("GET", "/version", "get /version"),
    ],
)
def test_a_request_names_its_permission(method: str, path: str, expected: str) -> None:
    """A request's RBAC permission reads as in a policy's permissions, with the place."""
    assert api_paths.permission(method, path) == expected
