"""Kill a process before or after a call that changes something, by wrapping the ports through which it calls.

The environment of the process says where:

FAILPOINT=N              SIGKILL at the N-th point (from 1), or at the first point of this name
FAILPOINT_ONCE=FILE      with FAILPOINT: only the process that creates FILE dies, so a restarted worker lives
FAILPOINTS_LOG=FILE      append the name of each point to FILE, one a line

Each writing call of the store, the API server, the evidence, the outcome topic and a route's receiver has a point
before it and one after it, such as `before kubernetes.patch`. After a call that raised there is one too: the write may
have been made.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Unpack, cast

from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import CloudRunApi, Clusters, Evidence, KubernetesApi, Notifier, Receiver
from scc_responder.domain.store import CasStore, Entry, Page, SearchedBy
from scc_responder.pipeline.notices.route_lanes import RouteLanes
from tests.kits.local_store import LocalStoreServices


class Failpoints:
    """The points that one process passes, and the one at which it dies."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.fatal = environment.get("FAILPOINT", "")
        self.once = environment.get("FAILPOINT_ONCE", "")
        self.log = environment.get("FAILPOINTS_LOG", "")
        self._passed = count(1)

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Pass a point before and after what the block does."""
        self.reach(f"before {call}")
        try:
            yield
        finally:
            self.reach(f"after {call}")

    def reach(self, name: str) -> None:
        """Pass one point."""
        if self.log:
            _append(self.log, name)
        if self.fatal in {str(next(self._passed)), name} and (not self.once or _is_first(self.once)):
            os.kill(os.getpid(), signal.SIGKILL)


def _append(path: str, name: str) -> None:
    # One write of a short line in append mode is not interleaved with those of other processes.
    with Path(path).open("ab", buffering=0) as file:
        file.write(f"{name}\n".encode())


def _is_first(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


class FailingStore:
    """A store whose writes have points. Their names say what is written: the first part of its key."""

    def __init__(self, store: CasStore, points: Failpoints) -> None:
        self._store = store
        self._points = points

    def get(self, key: str) -> Entry | None:
        return self._store.get(key)

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        return self._store.get_many(keys)

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]) -> Entry:
        with self._points.around(f"store.create {_kind(key)}"):
            return self._store.create(key, value, keep=keep, **by)

    def replace(
        self, key: str, value: bytes, version: str, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]
    ) -> Entry:
        with self._points.around(f"store.replace {_kind(key)}"):
            return self._store.replace(key, value, version, keep=keep, **by)

    def delete(self, key: str, version: str) -> None:
        with self._points.around(f"store.delete {_kind(key)}"):
            self._store.delete(key, version)

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        return self._store.scan(prefix, cursor, limit, unfinished=unfinished)

    def scan_due(self, now: datetime, limit: int = 100, *, after: Entry | None = None) -> tuple[Entry, ...]:
        return self._store.scan_due(now, limit, after=after)


def _kind(key: str) -> str:
    return key.split("/", maxsplit=1)[0]


class FailingApi:
    """An API server whose writes have points."""

    def __init__(self, api: KubernetesApi, points: Failpoints) -> None:
        self._api = api
        self._points = points

    def get(self, path: str) -> dict[str, Any]:
        return self._api.get(path)

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[dict[str, Any]]:
        return self._api.list(path, field_selector, label_selector)

    def gather(self, path: str, keep: Any, field_selector: str = "", label_selector: str = "") -> Any:
        return self._api.gather(path, keep, field_selector, label_selector)

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        with self._points.around("kubernetes.create"):
            return self._api.create(path, body, dry_run=dry_run)

    def patch(self, path: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        with self._points.around("kubernetes.patch"):
            return self._api.patch(path, body, **options)

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        with self._points.around("kubernetes.delete"):
            return self._api.delete(path, options, dry_run=dry_run)

    def read_log(self, path: str, **options: Any) -> Iterator[bytes]:
        return self._api.read_log(path, **options)


class FailingClusters:
    """Clusters whose API servers have points."""

    def __init__(self, clusters: Clusters, points: Failpoints) -> None:
        self._clusters = clusters
        self._points = points

    def describe(self, ref: ClusterRef) -> Cluster:
        return self._clusters.describe(ref)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        return FailingApi(self._clusters.connect(ref), self._points)


class FailingCloudRun:
    """A Cloud Run whose writes, and waits for what they began, have points."""

    def __init__(self, api: Any, points: Failpoints) -> None:
        self._api = api
        self._points = points

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._api, name)
        if name not in _RUN_CALLS:
            return method

        def called(*given: Any, **named: Any) -> Any:
            with self._points.around(f"run.{name}"):
                return method(*given, **named)

        return called


_RUN_CALLS = frozenset({"update_service", "delete_revision", "cancel_execution", "set_iam_policy", "wait_operation"})


class FailingEvidence:
    """An evidence store whose writes have points."""

    def __init__(self, evidence: Evidence, points: Failpoints) -> None:
        self._evidence = evidence
        self._points = points

    def put(self, name: str, content: bytes) -> bool:
        with self._points.around("evidence.put"):
            return self._evidence.put(name, content)


class FailingNotifier:
    """A notifier whose messages have points."""

    def __init__(self, notifier: Notifier, points: Failpoints) -> None:
        self._notifier = notifier
        self._points = points

    def tell(self, notice: Notice) -> str:
        with self._points.around("outcomes.publish"):
            return self._notifier.tell(notice)


class FailingReceiver:
    """A receiver whose messages have points."""

    def __init__(self, receiver: Receiver, points: Failpoints) -> None:
        self._receiver = receiver
        self._points = points

    def send(self, routed: RoutedNotice) -> str:
        with self._points.around("receiver.send"):
            return self._receiver.send(routed)


class FailingServices(LocalStoreServices):
    """The services of a process, its ports wrapped. As in production, each is opened when it is first asked for."""

    @cached_property
    def failpoints(self) -> Failpoints:
        return Failpoints()

    @cached_property
    def store(self) -> CasStore:
        return FailingStore(super().store, self.failpoints)

    @cached_property
    def clusters(self) -> Clusters:
        return FailingClusters(super().clusters, self.failpoints)

    @cached_property
    def run(self) -> CloudRunApi | None:
        run: Any = super().run
        wrapped: Any = run and FailingCloudRun(run, self.failpoints)
        return cast("CloudRunApi | None", wrapped)

    @cached_property
    def evidence(self) -> Evidence | None:
        evidence = super().evidence
        return evidence and FailingEvidence(evidence, self.failpoints)

    @cached_property
    def notifier(self) -> Notifier | None:
        notifier = super().notifier
        return notifier and FailingNotifier(notifier, self.failpoints)

    @cached_property
    def lanes(self) -> RouteLanes | None:
        lanes = super().lanes
        if lanes:
            opened = lanes.opened
            lanes.opened = lambda kind, address: FailingReceiver(opened(kind, address), self.failpoints)
        return lanes
