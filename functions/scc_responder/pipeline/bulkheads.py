"""No cluster holds more than half of an instance: of the requests that it works on, and of its reading threads.

An API server that stalls, by itself or on purpose, keeps waiting whatever works on its cluster. The other half goes on
with the findings of all other clusters. Several names of clusters may be one API server: where that one does not
answer, they have one half together. One that answers gives each of its names a half, so that findings about one of
them do not keep out the others.

Clusters that are not known to answer leave a quarter of places and threads together, so that two that stall leave
something for all others. One of which nobody knows yet has its first place all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date
from functools import partial
from threading import Lock, local
from typing import Any, TypeVar

from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import Clusters, KubernetesApi
from scc_responder.domain.reasons import Reason

_T = TypeVar("_T")


@dataclass(eq=False, slots=True)
class _Seat:
    """One request that works on a finding in a cluster, and on which API server, once that is known."""

    cluster: str
    finding: str
    address: str


class Bulkheads:
    """Which clusters the requests of one instance work on.

    `slots`: how many requests it works on at a time. `pool` gives its `threads` reading threads. Clusters are given by
    their paths; an empty one has no bound.
    """

    def __init__(self, slots: int, pool: Callable[[], Executor], threads: int) -> None:
        self._most, self._most_threads = max(1, slots // 2), max(1, threads // 2)
        self._most_unproven = max(1, slots - max(1, slots // 4))
        self._pool = pool
        self._unproven = ThreadShare(pool, threads - threads // 4)
        self._seats: list[_Seat] = []
        self._servers: dict[str, KubernetesApi] = {}
        self._shares: dict[str, ThreadShare] = {}
        self._told: dict[str, date] = {}
        self._lock = Lock()
        self._here = local()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around one request of this thread: what it was admitted to is free again after it."""
        outer = getattr(self._here, "seats", None)
        held: list[_Seat] = []
        self._here.seats = held
        try:
            yield
        finally:
            self._here.seats = outer
            with self._lock:
                self._seats = [seat for seat in self._seats if seat not in held]

    def admit(self, cluster: str, finding: str = "") -> None:
        """Let this thread's request work on the cluster. Raises RetryableError `cluster_busy` where it has its half.

        Where another request works on the same `finding`, by its key, this one will not: it passes without a place.
        """
        held: list[_Seat] | None = getattr(self._here, "seats", None)
        if not cluster or held is None or self._seat(cluster):
            return
        with self._lock:
            if finding and any(seat.finding == finding for seat in self._seats):
                return
            if self._is_full(cluster):
                raise RetryableError(
                    Reason.CLUSTER_BUSY, f"{cluster} has half of what this instance works on, or its share"
                )
            seat = _Seat(cluster, finding, self.address(cluster))
            self._seats.append(seat)
            held.append(seat)

    def is_busy(self, cluster: str) -> bool:
        """Whether `admit` would refuse the cluster now to a request that does not work on it yet."""
        with self._lock:
            return bool(cluster) and self._is_full(cluster)

    def address(self, cluster: str) -> str:
        """The address of the cluster's API server; empty until this process has connected to it."""
        return getattr(self._servers.get(cluster), "address", "")

    def reads(self, cluster: str) -> Executor:
        """The reading threads that this cluster may use."""
        return _ReadingThreads(lambda: self._share(self.address(cluster) or cluster)) if cluster else self._pool()

    def watched(self, clusters: Clusters, cluster: str) -> Clusters:
        """The same clusters, whose connections are noted for this thread's request.

        Where the API server has its half already, and does not answer, `connect` raises ApiError `cluster_busy`.
        """
        return _Watched(clusters, partial(self._reach, self._seat(cluster)))

    def is_news(self, cluster: str, day: date) -> bool:
        """Whether nobody asked this about the cluster, or its API server, on this day. The next call says no."""
        with self._lock:
            names = {cluster, self.address(cluster)} - {""}
            is_told = any(self._told.get(name) == day for name in names)
            self._told.update(dict.fromkeys(names, day))
        return not is_told

    def _seat(self, cluster: str) -> _Seat | None:
        held: list[_Seat] = getattr(self._here, "seats", None) or []
        return next((seat for seat in held if seat.cluster == cluster), None)

    def is_tried(self, cluster: str) -> bool:
        """Whether it is refused only until the first answer of its API server, which is waited for now."""
        with self._lock:
            named = sum(seat.cluster == cluster for seat in self._seats)
            shared_out = self._is_shared_out(self.address(cluster))
            return 0 < named < self._most and self._answers(cluster) is None and not shared_out

    def _is_full(self, cluster: str) -> bool:
        named = sum(seat.cluster == cluster for seat in self._seats)
        if named >= self._most or self._is_shared_out(self.address(cluster)):
            return True
        answers = self._answers(cluster)
        unproven = sum(self._answers(seat.cluster) is not True for seat in self._seats)
        is_new = answers is None and not named
        return answers is not True and not is_new and unproven >= self._most_unproven

    def _answers(self, cluster: str) -> bool | None:
        """Whether the cluster's API server answers; None where nobody knows yet."""
        api = self._servers.get(cluster)
        return None if api is None else getattr(api, "goes_on", True)

    def _is_shared_out(self, address: str) -> bool:
        """Whether an API server that does not answer has its half, under whichever names."""
        if not address or sum(seat.address == address for seat in self._seats) < self._most:
            return False
        known = [api for cluster, api in self._servers.items() if self.address(cluster) == address]
        answers = {getattr(api, "goes_on", True) for api in known}
        return True not in answers or False in answers

    def _reach(self, seat: _Seat | None, cluster: str, api: KubernetesApi) -> None:
        with self._lock:
            self._servers[cluster] = api
            address = self.address(cluster)
            if seat is None or seat.address == address:
                return
            if self._is_shared_out(address):
                raise ApiError(Reason.CLUSTER_BUSY, f"{address} has half of what this instance works on")
            seat.address = address

    def _share(self, key: str) -> ThreadShare:
        with self._lock:
            return self._shares.setdefault(key, ThreadShare(partial(self._threads, key), self._most_threads))

    def _threads(self, key: str) -> Executor:
        """The threads that work on this API server, or on this cluster: three quarters where it may not answer."""
        answers = [self._answers(name) for name in [*self._servers] if key in {name, self.address(name)}]
        return self._pool() if True in answers and False not in answers else self._unproven


class ThreadShare(Executor):
    """A part of a pool's threads: no more than `most` work at a time, what else is submitted waits for its turn."""

    def __init__(self, pool: Callable[[], Executor], most: int) -> None:
        self._pool = pool
        self._free = most
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._lock = Lock()

    def submit(self, work: Callable[..., _T], /, *arguments: Any, **named: Any) -> Future[_T]:
        """Begin the work, or let it wait. It is done for the case for which it was given, by whichever thread."""
        future: Future[_T] = Future()
        with self._lock:
            self._waiting.append((future, partial(copy_context().run, work, *arguments, **named)))
        self._begin()
        return future

    def _begin(self) -> None:
        with self._lock:
            if not (self._free and self._waiting):
                return
            self._free -= 1
            future, work = self._waiting.popleft()
        self._pool().submit(self._do, future, work)

    def _do(self, future: Future[Any], work: Callable[[], Any]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                    future.set_exception(error)
        finally:
            with self._lock:
                self._free += 1
            self._begin()


class _ReadingThreads(Executor):
    """The share that a cluster has at this moment: once its API server is known, that one's."""

    def __init__(self, share: Callable[[], ThreadShare]) -> None:
        self._share = share

    def submit(self, work: Callable[..., _T], /, *arguments: Any, **named: Any) -> Future[_T]:
        return self._share().submit(work, *arguments, **named)


class _Watched:
    """Clusters whose API servers are noted as they are connected to."""

    def __init__(self, clusters: Clusters, reach: Callable[[str, KubernetesApi], None]) -> None:
        self._clusters = clusters
        self._reach = reach

    def describe(self, ref: ClusterRef) -> Cluster:
        return self._clusters.describe(ref)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        api = self._clusters.connect(ref)
        self._reach(ref.path, api)
        return api
