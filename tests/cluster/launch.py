"""The files and command lines of one control plane: what `supervisor` starts, in which order, and with which flags."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from scc_responder.domain.value import Value
from tests.cluster.certificates import write_certificates
from tests.cluster.state import IDENTITIES, Identity

HERE = Path(__file__).parent
MOST_LOG_MEGABYTES = 4096
"""Of the audit log. Unset it is 100: then the API server begins a new file, and readers of the old one wait in vain."""


class Ports(Value, frozen=True, kw_only=True):
    """Free TCP ports on 127.0.0.1."""

    server: int
    etcd: int
    etcd_peer: int


def free_ports() -> Ports:
    """Three ports that were free a moment ago; the caller tries again where one was taken since."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        server, etcd, peer = (item.getsockname()[1] for item in sockets)
    return Ports(server=server, etcd=etcd, etcd_peer=peer)


def write_files(folder: Path, ports: Ports, more: Mapping[str, Identity] = {}) -> dict[str, Identity]:
    """Certificates, tokens and kubeconfigs. Returns the identities with their tokens.

    Each of `more` is a program, whose kubeconfig is FOLDER/NAME.kubeconfig.
    """
    write_certificates(folder)
    identities = {
        name: Identity(user=identity.user, groups=identity.groups, token=secrets.token_hex(16))
        for name, identity in {**IDENTITIES, **more}.items()
    }
    lines = [f'{item.token},{item.user},{name},"{",".join(item.groups)}"\n' for name, item in identities.items()]
    _write_private(folder / "tokens.csv", "".join(lines))
    own = {"controller-manager", "kwok", *more}
    people = [name for name in identities if name not in own]
    _write_kubeconfig(folder / "kubeconfig", folder, ports, {name: identities[name] for name in people})
    for name in own:
        _write_kubeconfig(folder / f"{name}.kubeconfig", folder, ports, {name: identities[name]})
    return identities


def _write_kubeconfig(path: Path, folder: Path, ports: Ports, identities: dict[str, Identity]) -> None:
    server = {"server": f"https://127.0.0.1:{ports.server}", "certificate-authority": str(folder / "ca.pem")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(identities)),
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": name, "user": {"token": identity.token}} for name, identity in identities.items()],
        "contexts": [{"name": name, "context": {"cluster": "tests", "user": name}} for name in identities],
    }
    _write_private(path, yaml.safe_dump(config, sort_keys=False))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def etcd(folder: Path, ports: Ports) -> Sequence[str]:
    """A store that forgets on a power cut, which is what makes it quick."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return (
        f"--data-dir={folder / 'etcd-data'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def kube_apiserver(folder: Path, ports: Ports) -> Sequence[str]:
    """Admission and authorization as by default; every request of tests and responder in the audit log."""
    return (
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.server}",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={folder}",
        f"--tls-cert-file={folder / 'server.pem'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={folder / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={folder / 'service-accounts.key'}",
        f"--audit-policy-file={HERE / 'audit-policy.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-mode=blocking",
        f"--audit-log-maxsize={MOST_LOG_MEGABYTES}",
        "--profiling=false",
    )


def kube_controller_manager(folder: Path) -> Sequence[str]:
    """Every default controller, each with the credentials of its own service account."""
    kubeconfig = folder / "controller-manager.kubeconfig"
    return (
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        "--use-service-account-credentials",
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
        f"--service-account-private-key-file={folder / 'service-accounts.key'}",
        f"--root-ca-file={folder / 'ca.pem'}",
        "--profiling=false",
    )


def kwok(folder: Path) -> Sequence[str]:
    """The kubelet of every node."""
    return (f"--kubeconfig={folder / 'kwok.kubeconfig'}", "--manage-all-nodes=true", f"--config={HERE / 'stages.yaml'}")
