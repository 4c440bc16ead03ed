"""Read the policies of the other kinds side by side, and name those that let one pod's traffic through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.network_policies.certainty import Certainty
from scc_responder.domain.kubernetes.network_policies.discovery import note_absent, served_kinds
from scc_responder.domain.kubernetes.network_policies.policy_kinds import PolicyKind
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

READ_SECONDS = 10.0
"""For the group list and for the policies together: what is not here by then is unknown."""

DISCOVERY = "discovery"
"""Stands where a kind does: not even the kinds that the cluster serves are known."""

_Policies = list[ApiObject]
_T = TypeVar("_T")


class Bypasses(Value, frozen=True, kw_only=True):
    """Policies as `KIND/NAME`: `shown` let the pod's traffic through, `unknown` may.

    A kind that could not be read is unknown too, with the reason: `KIND (REASON)`.
    """

    shown: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class OtherPolicies:
    """The reads of one isolation. The group list is asked for when this is made, the policies at `begin`."""

    def __init__(self, session: ClusterSession, namespace: str) -> None:
        self._session = session
        self._namespace = namespace
        self._until = time.monotonic() + READ_SECONDS
        self._discovery = session.pool.submit(_twice, lambda: served_kinds(session.api))
        self._reads: list[tuple[PolicyKind, Future[_Policies]]] = []
        self._unread: list[str] = []

    def begin(self) -> None:
        """Ask for the policies of every kind that the cluster serves."""
        session = self._session
        for kind, version in self._result(self._discovery, DISCOVERY) or ():
            self._reads.append((kind, session.pool.submit(_listed, session.api, kind, version, self._namespace)))

    def bypassing(self, pod: Mapping[str, Any], labels: Mapping[str, str]) -> Bypasses:
        """What lets the traffic through of a pod, as it was read, that carries these labels."""
        read = [(kind, self._result(future, kind.name) or []) for kind, future in self._reads]
        if not any(policies for _, policies in read):
            return Bypasses(unknown=tuple(self._unread))
        subject = PolicySubject(
            namespace=self._namespace,
            labels=dict(labels),
            namespace_labels=self._namespace_labels(),
            service_account=pod.get("spec", {}).get("serviceAccountName", ""),
        )
        named = [(kind.judged(policy, subject), _name(kind, policy)) for kind, items in read for policy in items]
        return Bypasses(
            shown=_unique(name for certainty, name in named if certainty is Certainty.YES),
            unknown=_unique((*self._unread, *(name for certainty, name in named if certainty is Certainty.UNKNOWN))),
        )

    def _namespace_labels(self) -> dict[str, str] | None:
        try:
            namespace = self._session.read(api_paths.namespace(self._namespace))
        except ResponderError:
            return None
        return None if namespace is None else namespace["metadata"].get("labels", {})

    def _result(self, future: Future[_T], what: str) -> _T | None:
        """What was read; None where it could not be, which is kept then."""
        try:
            return future.result(timeout=max(0.0, self._until - time.monotonic()))
        except ResponderError as error:
            self._unread.append(f"{what} ({error.explanation if error.permission else error.reason})")
        except TimeoutError:
            self._unread.append(f"{what} ({Reason.DEADLINE})")
        return None


def _listed(api: KubernetesApi, kind: PolicyKind, version: str, namespace: str) -> _Policies:
    path = api_paths.collection(kind.group, version, kind.plural, namespace if kind.namespaced else "")
    try:
        return _twice(lambda: api.list(path))
    except ApiError as error:
        # The server serves no such kind: there can be no policy of it.
        if error.status != 404 and error.reason != Reason.NO_SUCH_RESOURCE:
            raise
        note_absent(api, kind)
        return []


def _twice(read: Callable[[], _T]) -> _T:
    """Read, and once again after a failure that may pass: one answer alone proves neither that nor an absence."""
    try:
        return read()
    except ApiError as error:
        if error.lasting or error.status in {403, 404}:
            raise
        return read()


def _name(kind: PolicyKind, policy: ApiObject) -> str:
    metadata = policy.get("metadata")
    return f"{kind.name}/{metadata.get('name', '') if isinstance(metadata, dict) else ''}"


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
