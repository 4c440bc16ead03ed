"""Which of the kinds of policy a cluster serves: its list of API groups, kept for ten minutes a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.network_policies.policy_kinds import POLICY_KINDS, PolicyKind
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason

_KEPT_SECONDS = 600.0
NETWORK_POLICY_GROUP = "networking.k8s.io"
"""The group of NetworkPolicies: a list without it is not the whole list."""


@dataclass(kw_only=True, slots=True)
class _Known:
    until: float
    versions: Mapping[str, list[str]] | None
    absent: set[str] = field(default_factory=set)


_CLUSTERS: WeakKeyDictionary[KubernetesApi, _Known] = WeakKeyDictionary()
"""By the connection to the API server, which is made once for each cluster."""

_LOCK = threading.Lock()


def served_kinds(api: KubernetesApi) -> tuple[tuple[PolicyKind, tuple[str, ...]], ...]:
    """The kinds of which the cluster serves the group, each with the versions to read it in: at most one request.

    The version that is known here comes first; a group has kinds that are served in another of its versions alone.

    Of a server without a list of groups all kinds, in the versions that are known here. Raises ApiError.
    """
    known = _known(api)
    if known is None:
        known = _Known(until=time.monotonic() + _KEPT_SECONDS, versions=_read_versions(api))
        with _LOCK:
            _CLUSTERS[api] = known
    return tuple(
        (kind, versions)
        for kind in POLICY_KINDS
        if kind.resource not in known.absent and (versions := _versions_of(kind, known.versions))
    )


def note_absent(api: KubernetesApi, kind: PolicyKind) -> None:
    """Keep that the cluster serves the kind's group without the kind: it is not asked for again."""
    with _LOCK:
        if api in _CLUSTERS:
            _CLUSTERS[api].absent.add(kind.resource)


def _known(api: KubernetesApi) -> _Known | None:
    with _LOCK:
        known = _CLUSTERS.get(api)
    return known if known and known.until > time.monotonic() else None


def _read_versions(api: KubernetesApi) -> Mapping[str, list[str]] | None:
    """The versions of each group; None where the server has no list of groups."""
    try:
        return _versions(api.get(api_paths.groups()))
    except ApiError as error:
        # Something before the API server may pass on requests for resources alone: then each kind is asked for itself.
        if error.status != 404 and error.reason != Reason.NO_SUCH_RESOURCE:
            raise
    return None


def _versions_of(kind: PolicyKind, served: Mapping[str, list[str]] | None) -> tuple[str, ...]:
    if served is None:
        return (kind.version,)
    return tuple(sorted(served.get(kind.group, ()), key=lambda version: version != kind.version))


def _versions(answer: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """The versions of each group, the server's preferred one first. Source: meta/v1 APIGroupList."""
    try:
        versions = {
            str(group["name"]): [str(version["version"]) for version in group["versions"]]
            for group in answer["groups"]
            if group["versions"]
        }
    except (KeyError, TypeError, IndexError):
        versions = {}
    if NETWORK_POLICY_GROUP not in versions:
        raise ApiError(Reason.UNUSABLE_ANSWER, "the list of API groups has not the group of NetworkPolicies")
    return versions
