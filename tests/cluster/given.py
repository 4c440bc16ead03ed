"""A cluster that the user brings: SCC_RESPONDER_TEST_KUBECONFIG.

It needs kwok, which plays its nodes (`make cluster` and `kwokctl create cluster` make such clusters), and its current
context must be allowed everything. The responder's identities are service accounts there. A cluster that `make cluster`
started is recognised by the files beside its kubeconfig, and then its audit log is read as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import objects
from tests.cluster.client import ClusterClient
from tests.cluster.control_plane import ControlPlane
from tests.cluster.roles import roles
from tests.cluster.state import Identity

VARIABLE = "SCC_RESPONDER_TEST_KUBECONFIG"
NAMESPACE = "scc-responder-tests"
TOKEN_SECONDS = 12 * 3600
ACCOUNTS = ("responder", "reader", "powerless")


def kubeconfig() -> str | None:
    """The path that the user gave, or None."""
    return os.environ.get(VARIABLE) or None


def attach(path: Path, folder: Path) -> ControlPlane:
    """The cluster of a kubeconfig, with the tests' identities in it; `folder` keeps what is written for it."""
    if (path.parent / "state.json").exists():
        return ControlPlane.attach(path.parent)
    admin = _admin(path)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(Path(admin.ca_file).read_bytes())
    identities = _identities(admin)
    plane = ControlPlane(
        url=admin.url, ca_file=ca_file, kubeconfig=folder / "kubeconfig", identities=identities, audit_log=None
    )
    plane.clients["admin"] = admin
    _write_kubeconfig(plane, path)
    return plane


def _admin(path: Path) -> ClusterClient:
    # Read by the official client, which knows every way to log in; imported here, for it is slow to import.
    from kubernetes import config as kubernetes_config
    from kubernetes.client import Configuration

    settings = Configuration()
    kubernetes_config.load_kube_config(str(path), client_configuration=settings, persist_config=False)
    token = settings.get_api_key_with_prefix("BearerToken") or ""
    return ClusterClient(
        settings.host, settings.ssl_ca_cert, token.removeprefix("Bearer "), settings.cert_file, settings.key_file
    )


def _identities(admin: ClusterClient) -> dict[str, Identity]:
    if admin.send("GET", f"/api/v1/namespaces/{NAMESPACE}").status == 404:
        admin.create(objects.namespace(NAMESPACE))
    users = {name: f"system:serviceaccount:{NAMESPACE}:{name}" for name in ACCOUNTS}
    bound = [_renamed(item) for item in roles(users["responder"], users["reader"])]
    admin.apply(yaml.safe_dump_all([*map(_account, ACCOUNTS), *bound]))
    return {name: Identity(user=users[name], token=_token(admin, name)) for name in ACCOUNTS}


def _renamed(item: dict[str, Any]) -> dict[str, Any]:
    """A role as it is; a binding under a name of its own, beside any that the cluster has."""
    if item["kind"] != "ClusterRoleBinding":
        return item
    return {**item, "metadata": {"name": f"{item['metadata']['name']}-tests"}}


def _account(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}


def _token(admin: ClusterClient, account: str) -> str:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    return str(admin.request("POST", path, body)["status"]["token"])


def _write_kubeconfig(plane: ControlPlane, given: Path) -> None:
    """The given file with contexts of our identities' names added."""
    config = yaml.safe_load(given.read_text())
    current = next(item["context"] for item in config["contexts"] if item["name"] == config["current-context"])
    contexts = [{"name": "admin", "context": current}]
    contexts += [{"name": name, "context": {**current, "user": name}} for name in ACCOUNTS]
    users = [{"name": name, "user": {"token": plane.token(name)}} for name in ACCOUNTS]
    merged = {**config, "contexts": [*config["contexts"], *contexts], "users": [*config["users"], *users]}
    plane.kubeconfig.touch(mode=0o600)
    plane.kubeconfig.write_text(yaml.safe_dump(merged))
