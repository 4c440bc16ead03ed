"""A file of local clusters, a kubeconfig, and the server that they lead to."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.domain.finding import ClusterRef
from tests.kits.fault_proxy import Answer, FaultProxy

SHOP = ClusterRef(project="example-project", location="europe-west1", name="shop")
FOUND = Answer(200, b'{"kind":"Namespace"}')


@pytest.fixture(scope="module")
def context_server() -> Iterator[FaultProxy]:
    """A server of scripted answers, which the context `local` leads to."""
    with FaultProxy(script=lambda call: FOUND) as proxy:
        yield proxy


def kubeconfig(folder: Path, server: FaultProxy, user: dict[str, Any] | None = None, /, **cluster: Any) -> Path:
    """A kubeconfig with the one context `local`."""
    authority = {"certificate-authority-data": base64.b64encode(server.ca_pem or b"").decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": "other",
        "clusters": [{"name": "c", "cluster": {"server": server.url, **authority, **cluster}}],
        "contexts": [{"name": "local", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def clusters(folder: Path, text: str = "") -> Path:
    """A file of clusters: `text`, or shop alone."""
    path = folder / "clusters.yaml"
    path.write_text(text or f"{SHOP.path}:\n  kubeconfig: kubeconfig\n  context: local\n")
    return path


def tokens(server: FaultProxy) -> list[str]:
    """The tokens that came in."""
    return [call.headers.get("authorization", "") for call in server.calls]
