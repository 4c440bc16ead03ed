"""No cluster holds more than half of an instance: of the requests that it works on, and of its reading threads.

An API server that stalls, by itself or on purpose, keeps waiting whatever works on its cluster. The other half goes on
with the findings of all other clusters. Several names of clusters may be one API server: where that one does not
answer, they have one half together. One that answers gives each of its names a half, so that findings about one of
them do not keep out the others.

Clusters that have not answered since their work began leave a quarter of places and threads together, so that two that
stall at once leave something for all others, from the first moment: that they answered before does not count. One that
has no place yet has its first one all the same, unless it is known not to answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
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
    """One request that works on a finding in a cluster since a moment, and on which API server, once that is known."""

    cluster: str
    finding: str
    address: str
    since: float


class Bulkheads:
    """Which clusters the requests of one instance work on.

    `slots`: how many requests it works on at a time. `pool` gives its `threads` reading threads. Clusters are given by
    their paths; an empty one has no bound.
    """

    def __init__(self, slots: int, pool: Callable[[], Executor], threads: int) -> None:
        self._most = max(1, slots // 2)
        self._most_unproven = max(1, slots - max(1, slots // 4))
        self._pool = pool
        self._shares = ThreadShares(pool, threads, self._all_answer)
        self._seats: list[_Seat] = []
        self._servers: dict[str, KubernetesApi] = {}
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
            seat = _Seat(cluster, finding, self.address(cluster), time.monotonic())
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
        return _ReadingThreads(self._shares, lambda: self.address(cluster) or cluster) if cluster else self._pool()

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
        """Whether it is refused only until the next answer of its API server, which is waited for now."""
        with self._lock:
            named = sum(seat.cluster == cluster for seat in self._seats)
            shared_out = self._is_shared_out(self.address(cluster))
            is_bound = shared_out or self._answers(cluster) is False
            return 0 < named < self._most and not is_bound and self._is_full(cluster)

    def _is_full(self, cluster: str) -> bool:
        own = [seat for seat in self._seats if seat.cluster == cluster]
        if len(own) >= self._most or self._is_shared_out(self.address(cluster)):
            return True
        answers = self._answers(cluster)
        is_let = answers is not False if not own else answers is True and all(map(self._is_answered, own))
        return not is_let and sum(not self._is_answered(seat) for seat in self._seats) >= self._most_unproven

    def _is_answered(self, seat: _Seat) -> bool:
        """Whether the API server has answered since the request began to work on the cluster."""
        api = self._servers.get(seat.cluster)
        return api is not None and self._answers(seat.cluster) is True and _has_answered(api, seat.since)

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

    def _all_answer(self, key: str, since: float | None) -> bool:
        """Whether this API server, or this cluster, may be one that answers; with `since`, has answered by then."""
        known = [(name, api) for name, api in [*self._servers.items()] if key in {name, self.address(name)}]
        if since is None:
            return not any(self._answers(name) is False for name, _ in known)
        has = [self._answers(name) is True and _has_answered(api, since) for name, api in known]
        return bool(has) and any(has) and not any(self._answers(name) is False for name, _ in known)


def _has_answered(api: KubernetesApi, since: float) -> bool:
    """Whether the API server has answered since then; one of which that is not known has."""
    asked = getattr(api, "has_answered", None)
    return bool(asked(since)) if asked else True


@dataclass(slots=True)
class _Share:
    """What waits of one server, and when what is being done began."""

    waiting: deque[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=deque)
    begun: dict[Future[Any], float] = field(default_factory=dict)


class ThreadShares:
    """A pool's threads in shares: half of them for one server at most, what else is submitted waits for its turn.

    Servers that have not answered since their oldest work began have three quarters together. `answers` tells of a
    server, by its key, whether it has answered since a moment of `time.monotonic`; without one, whether it may.
    """

    def __init__(
        self, pool: Callable[[], Executor], threads: int, answers: Callable[[str, float | None], bool]
    ) -> None:
        self._pool = pool
        self._most, self._most_unproven = max(1, threads // 2), threads - threads // 4
        self._answers = answers
        self._shares: dict[str, _Share] = {}
        self._lock = Lock()

    def submit(self, key: str, work: Callable[[], _T]) -> Future[_T]:
        """Begin the work, or let it wait. It is done for the case for which it was given, by whichever thread."""
        future: Future[_T] = Future()
        with self._lock:
            share = self._shares.setdefault(key, _Share())
            share.waiting.append((future, partial(copy_context().run, work)))
        self._begin()
        return future

    def _begin(self) -> None:
        while (chosen := self._chosen()) is not None:
            self._pool().submit(self._do, *chosen)

    def _chosen(self) -> tuple[str, Future[Any], Callable[[], Any]] | None:
        """The next work that may begin; None where all that waits has to wait."""
        with self._lock:
            for key, share in self._shares.items():
                if share.waiting and self._may_begin(key, share):
                    future, work = share.waiting.popleft()
                    share.begun[future] = time.monotonic()
                    return key, future, work
        return None

    def _may_begin(self, key: str, share: _Share) -> bool:
        if len(share.begun) >= self._most:
            return False
        if self._answers(key, None) if not share.begun else self._is_proven(key, share):
            return True
        others = (each for name, each in self._shares.items() if not self._is_proven(name, each))
        return sum(len(each.begun) for each in others) < self._most_unproven

    def _is_proven(self, key: str, share: _Share) -> bool:
        return self._answers(key, min(share.begun.values(), default=float("-inf")))

    def _do(self, key: str, future: Future[Any], work: Callable[[], Any]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                    future.set_exception(error)
        finally:
            with self._lock:
                share = self._shares[key]
                del share.begun[future]
                if not (share.begun or share.waiting):
                    del self._shares[key]
            self._begin()


class _ReadingThreads(Executor):
    """The share that a cluster has at this moment: once its API server is known, that one's."""

    def __init__(self, shares: ThreadShares, key: Callable[[], str]) -> None:
        self._shares = shares
        self._key = key

    def submit(self, work: Callable[..., _T], /, *arguments: Any, **named: Any) -> Future[_T]:
        return self._shares.submit(self._key(), partial(work, *arguments, **named))


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
