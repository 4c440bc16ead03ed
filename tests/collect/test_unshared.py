"""What a pod has that no replacement can have beside it: by table, and what is asked for it."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.collect.unshared import unshared
from scc_responder.domain.errors import ApiError


class Claims:
    """An API server with one claim of these modes."""

    def __init__(self, status: list[str] | None, spec: list[str] | None = None) -> None:
        self.claim = {"spec": {"accessModes": spec}, "status": {"accessModes": status}}
        self.asked: list[str] = []

    def get(self, path: str) -> Any:
        self.asked.append(path)
        return self.claim


def pod(*volumes: Any, ports: Any = (), **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "app", "ports": list(ports)}], "volumes": list(volumes), **spec}}


CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
INIT = {"name": "init", "ports": [{"containerPort": 80, "hostPort": 80}]}
PODS = [
    pytest.param(pod(), [], id="nothing"),
    pytest.param({"spec": {"containers": [{"name": "app"}], "volumes": None}}, [], id="no-lists"),
    pytest.param(pod(ports=[{"containerPort": 80}]), [], id="container-port"),
    pytest.param(pod(ports=[{"containerPort": 80, "hostPort": 80}]), ["host_ports"], id="host-port"),
    pytest.param(pod(initContainers=[INIT]), ["host_ports"], id="host-port-of-a-sidecar"),
    pytest.param(pod(hostNetwork=True), ["host_ports"], id="host-network"),
    pytest.param(pod({"name": "d", "gcePersistentDisk": {"pdName": "d"}}), ["volume_in_use"], id="disk"),
    pytest.param(pod({"name": "d", "gcePersistentDisk": {"pdName": "d", "readOnly": True}}), [], id="read-only-disk"),
    pytest.param(pod({"name": "d", "rbd": {"image": "d"}}), ["volume_in_use"], id="ceph"),
    pytest.param(pod({"name": "d", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "s"}}), [], id="own"),
    pytest.param(pod({"name": "d", "nfs": {"server": "192.0.2.1", "path": "/"}}), [], id="shared"),
    pytest.param(pod({"name": "d", "ephemeral": {"volumeClaimTemplate": {}}}), [], id="a-claim-of-each-pod"),
]


@pytest.mark.parametrize(("given", "expected"), PODS)
def test_what_the_pod_alone_can_have(given: dict[str, Any], expected: list[str]) -> None:
    """By the pod's own manifest; nothing is asked for where it names no claim."""
    api = Claims(["ReadWriteOnce"])
    assert list(unshared(api, "shop", given)) == expected  # type: ignore[arg-type]
    assert api.asked == []


MODES = [
    pytest.param(["ReadWriteOnce"], None, True, id="one-node"),
    pytest.param(["ReadWriteOncePod"], None, True, id="one-pod"),
    pytest.param(["ReadWriteMany"], None, False, id="many"),
    pytest.param(["ReadOnlyMany"], None, False, id="many-readers"),
    pytest.param(["ReadWriteOnce", "ReadOnlyMany"], None, False, id="both"),
    pytest.param(None, ["ReadWriteMany"], False, id="not-bound-yet"),
    pytest.param(["ReadWriteOnce"], ["ReadWriteMany"], True, id="bound-to-less"),
    pytest.param(None, None, True, id="nothing-said"),
]


@pytest.mark.parametrize(("status", "spec", "alone"), MODES)
def test_a_claim_for_one_is_in_use(status: list[str] | None, spec: list[str] | None, alone: bool) -> None:
    """By what the bound volume has, else by what the claim asks for: one request for each claim."""
    api = Claims(status, spec)
    assert list(unshared(api, "shop", pod(CLAIM))) == (["volume_in_use"] if alone else [])  # type: ignore[arg-type]
    assert api.asked == ["/api/v1/namespaces/shop/persistentvolumeclaims/data"]


def test_one_claim_is_asked_for_once() -> None:
    """A pod's maker may name it in thousands of volumes."""
    api = Claims(["ReadWriteMany"])
    unshared(api, "shop", pod(*({**CLAIM, "name": f"v{number}"} for number in range(5_000))))  # type: ignore[arg-type]
    assert len(api.asked) == 1


def test_a_pod_that_was_not_read_whole_is_unknown() -> None:
    """A snapshot keeps no containers and no volumes: nothing is concluded from that."""
    for reduced in ({}, {"spec": {"nodeName": "node-1"}}):
        with pytest.raises(ApiError, match="not read"):
            unshared(Claims(None), "shop", reduced)  # type: ignore[arg-type]
