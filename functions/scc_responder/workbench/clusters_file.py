"""Clusters for local use: a YAML file with the kubeconfig context of each.

projects/example-project/locations/europe-west1/clusters/shop:
  context: kind-shop
  enforces_network_policy: true
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.kubernetes.kubeconfig import Access, read_access
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError, PolicyError, SettingsError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes.paged_api import PagedApi
from scc_responder.domain.ports import Clusters, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import StrictValue, resolved
from scc_responder.workbench.policy_files.strict_yaml import load_yaml


class ClusterEntry(StrictValue, frozen=True, kw_only=True):
    """The kubeconfig context of one cluster, and what its provider would report about it.

    `kubeconfig` is relative to the file. `workload_pool` has the identities of its service accounts in Google Cloud,
    `PROJECT.svc.id.goog`; an empty one says that pods act as their nodes.
    """

    context: str
    kubeconfig: str = "~/.kube/config"
    autopilot: bool | None = None
    enforces_network_policy: bool | None = None
    workload_pool: str | None = None


class ClustersFile:
    """`ports.Clusters` from a file. Raises SettingsError that names file, cluster and field; kubeconfigs included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clusters = {name: _Local(path, entry) for name, entry in _read(path).items()}

    @property
    def refs(self) -> tuple[ClusterRef, ...]:
        """Every cluster of the file."""
        return tuple(ref for path in self._clusters if (ref := ClusterRef.parse(path)))

    def way(self, ref: ClusterRef) -> str:
        """By which kubeconfig context the cluster is reached. Raises ApiError `cluster_not_found`."""
        return f"context {_found(self._clusters, ref).context}"

    def renamed(self, ref: ClusterRef | None, name: str) -> Clusters:
        """One cluster, that `ref` shall mean: by its full name, or by its last part or context if only one has it.

        Raises SettingsError.
        """
        found = self._clusters[self.find(name).path]
        return _Renamed({ref.path: found} if ref else {})

    def find(self, name: str) -> ClusterRef:
        """The cluster of that full name, or whose last part or context it is. Raises SettingsError."""
        exact = [path for path in self._clusters if name == path]
        short = [path for path, local in self._clusters.items() if name in {path.rpartition("/")[2], local.context}]
        found = [ref for path in exact or short if (ref := ClusterRef.parse(path))]
        if len(found) != 1:
            known = ", ".join(f"{path} (context {local.context})" for path, local in self._clusters.items()) or "none"
            problem = "several clusters are" if found else "no cluster is"
            raise SettingsError("unknown_cluster", f"{self._path}: {problem} named {name!r}; there are: {known}")
        return found[0]

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster as the file has it. Raises ApiError `cluster_not_found`."""
        return _found(self._clusters, ref).describe(ref)

    def connect(self, ref: ClusterRef) -> PagedApi:
        """Its API server; the same connections at every call. Raises ApiError `cluster_not_found`."""
        return _found(self._clusters, ref).connect()


class _Renamed:
    """Some clusters of the file under other names."""

    def __init__(self, clusters: Mapping[str, _Local]) -> None:
        self._clusters = clusters

    def describe(self, ref: ClusterRef) -> Cluster:
        return _found(self._clusters, ref).describe(ref)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        return _found(self._clusters, ref).connect()


class _Local:
    """One cluster of the file, and its connections."""

    def __init__(self, path: Path, entry: ClusterEntry) -> None:
        self.context = entry.context
        self._entry = entry
        self._access = read_access(path.parent / _of_user(path, entry.kubeconfig), entry.context)
        self._api: PagedApi | None = None
        self._lock = threading.Lock()

    def describe(self, ref: ClusterRef) -> Cluster:
        entry = self._entry
        return Cluster(
            ref=ref,
            autopilot=entry.autopilot,
            enforces_network_policy=entry.enforces_network_policy,
            workload_pool=entry.workload_pool,
        )

    def connect(self) -> PagedApi:
        with self._lock:
            if self._api is None:
                self._api = _connected(self._access)
            return self._api


def _of_user(path: Path, kubeconfig: str) -> Path:
    """The path with `~` as the folder of its user. Raises SettingsError where there is no such user."""
    try:
        return Path(kubeconfig).expanduser()
    except RuntimeError as error:
        told = f"{path}: kubeconfig: {kubeconfig}: there is no such user; write ~/.kube/config, or the whole path"
        raise SettingsError("unusable_clusters", told) from error


def _found(clusters: Mapping[str, _Local], ref: ClusterRef) -> _Local:
    if ref.path not in clusters:
        raise ApiError(Reason.CLUSTER_NOT_FOUND, f"{ref.path} is not in the file of local clusters", status=404)
    return clusters[ref.path]


def _read(path: Path) -> dict[str, ClusterEntry]:
    try:
        entries = load_yaml(path.read_text(), path.name) or {}
    except OSError as error:
        raise SettingsError("unreadable_clusters", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError("unusable_clusters", f"{path}: not UTF-8") from error
    except PolicyError as error:
        raise SettingsError("unusable_clusters", f"{path}: {error}") from error
    if not isinstance(entries, dict):
        raise SettingsError("unusable_clusters", f"{path}: must map projects/P/locations/L/clusters/C to its access")
    return dict(_entry_of(path, name, fields) for name, fields in entries.items())


def _entry_of(path: Path, name: str, fields: Any) -> tuple[str, ClusterEntry]:
    ref = ClusterRef.parse(name)
    if ref is None:
        raise SettingsError("unusable_clusters", f"{path}: {name!r} must be projects/P/locations/L/clusters/C")
    try:
        return ref.path, msgspec.convert(fields, resolved(ClusterEntry))
    except msgspec.ValidationError as error:
        raise SettingsError("unusable_clusters", f"{path}: {name}: {error}") from error


def _connected(access: Access) -> PagedApi:
    lean_imports.obtain(lean_imports.KUBERNETES_REST)
    adapter: Any = import_module("scc_responder.adapters.kubernetes.kubernetes_api")
    try:
        trust = _presenting(access) if access.certificate_pem else None
        api: PagedApi = adapter.connect(access.server, access.ca_pem, access.token, renew=access.renew, trust=trust)
    except (SettingsError, ValueError) as error:  # ValueError: brackets of an address that do not close
        reason = Reason.read(error.reason) if isinstance(error, SettingsError) else None
        raise ApiError(reason or Reason.UNUSABLE_SERVER, str(error)) from error
    return api


def _presenting(access: Access) -> ssl.SSLContext:
    certificates: Any = import_module("scc_responder.adapters.kubernetes.client_certificate")
    own = certificates.ClientCertificate(certificate_pem=access.certificate_pem, key_pem=access.key_pem)
    trust: ssl.SSLContext = certificates.presenting(access.ca_pem, own)
    return trust
