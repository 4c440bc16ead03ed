"""Read the policies of the other kinds side by side, and name those that let one pod's traffic through.

Each policy is judged as it is read, and dropped: a namespace may have thousands, of more than a megabyte each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

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

_Verdicts = Sequence[tuple[Certainty, str]]
_T = TypeVar("_T")


class Bypasses(Value, frozen=True, kw_only=True):
    """Policies as `KIND/NAME`: `shown` let the pod's traffic through, `unknown` may.

    A kind that could not be read is unknown too, with the reason: `KIND (REASON)`.
    """

    shown: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class PodSubject:
    """The pod to judge for, made when the first policy is read: the pod is read side by side with them.

    `pod` gives the pod as it is now, None where it is gone; `added` are the labels that it carries besides.
    """

    def __init__(
        self, session: ClusterSession, namespace: str, pod: Callable[[], ApiObject | None], added: Mapping[str, str]
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._pod = pod
        self._added = added
        self._lock = threading.Lock()
        self._made: tuple[PolicySubject | None] | None = None

    def get(self) -> PolicySubject | None:
        """The subject; None where the pod is gone, or could not be read: whoever asked for it knows why."""
        with self._lock:
            if self._made is None:
                self._made = (self._make(),)
            return self._made[0]

    def _make(self) -> PolicySubject | None:
        pod = _or_none(self._pod)
        if pod is None:
            return None
        namespace = _or_none(lambda: self._session.read(api_paths.namespace(self._namespace)))
        return PolicySubject(
            namespace=self._namespace,
            labels={**pod["metadata"].get("labels", {}), **self._added},
            namespace_labels=None if namespace is None else namespace["metadata"].get("labels", {}),
            service_account=pod.get("spec", {}).get("serviceAccountName", ""),
        )


class OtherPolicies:
    """The reads of one isolation. The group list is asked for when this is made, the policies at `begin`."""

    def __init__(self, session: ClusterSession, namespace: str) -> None:
        self._session = session
        self._namespace = namespace
        self._until = time.monotonic() + READ_SECONDS
        self._discovery = session.pool.submit(_twice, lambda: served_kinds(session.api))
        self._reads: list[tuple[PolicyKind, Future[_Verdicts]]] = []
        self._unread: list[str] = []

    def begin(self, pod: Callable[[], ApiObject | None], added: Mapping[str, str]) -> None:
        """Ask for the policies of every kind that the cluster serves, and judge them: see `PodSubject`."""
        session = self._session
        subject = PodSubject(session, self._namespace, pod, added)
        for kind, versions in self._result(self._discovery, DISCOVERY) or ():
            read = session.pool.submit(_judged, session.api, kind, versions, subject, self._namespace)
            self._reads.append((kind, read))

    def bypassing(self) -> Bypasses:
        """What lets the pod's traffic through."""
        named = [verdict for kind, read in self._reads for verdict in self._result(read, kind.name) or ()]
        return Bypasses(
            shown=_unique(name for certainty, name in named if certainty is Certainty.YES),
            unknown=_unique((*self._unread, *(name for certainty, name in named if certainty is Certainty.UNKNOWN))),
        )

    def _result(self, future: Future[_T], what: str) -> _T | None:
        """What was read; None where it could not be, which is kept then."""
        try:
            return future.result(timeout=max(0.0, self._until - time.monotonic()))
        except ResponderError as error:
            self._unread.append(f"{what} ({error.explanation if error.permission else error.reason})")
        except TimeoutError:
            self._unread.append(f"{what} ({Reason.DEADLINE})")
        return None


def _judged(
    api: KubernetesApi, kind: PolicyKind, versions: Sequence[str], subject: PodSubject, namespace: str
) -> _Verdicts:
    """The policies of one kind that let the pod's traffic through, or may."""

    def judge(version: str, policy: ApiObject) -> tuple[Certainty, str] | None:
        pod = subject.get()
        certainty = Certainty.NO if pod is None else kind.judged(policy, pod, version)
        return None if certainty is Certainty.NO else (certainty, _name(kind, policy))

    for version in versions:
        path = api_paths.collection(kind.group, version, kind.plural, namespace if kind.namespaced else "")
        try:
            return _twice(partial(api.gather, path, partial(judge, version)))
        except ApiError as error:
            # The server does not serve the kind in this version of its group.
            if error.status != 404 and error.reason != Reason.NO_SUCH_RESOURCE:
                raise
    note_absent(api, kind)
    return ()


def _or_none(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except ResponderError:
        return None


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
