"""A cluster has half of an instance at most, by its name, and by an API server that does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any

import pytest

from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import ClusterRef
from scc_responder.pipeline.bulkheads import Bulkheads, ThreadShares

PLACE = "projects/example-project/locations/europe-west1/clusters/"
SHOP, OTHER, THIRD = (f"{PLACE}{name}" for name in ("shop", "other", "third"))


class Server:
    """What a bulkhead sees of a connection. `answered_at`: when it has answered last, whatever that is given as."""

    def __init__(self, address: str, *, goes_on: bool | None, answered_at: float = float("inf")) -> None:
        self.address = address
        self.goes_on = goes_on
        self.answered_at = answered_at

    def has_answered(self, since: float) -> bool:
        return self.answered_at >= since


class Servers:
    """`ports.Clusters` by a table of connections."""

    def __init__(self, **servers: Server) -> None:
        self.servers = servers

    def describe(self, ref: ClusterRef) -> Cluster:
        return Cluster(ref=ref)

    def connect(self, ref: ClusterRef) -> Any:
        return self.servers[ref.name]


def bulkheads(slots: int = 4) -> Bulkheads:
    return Bulkheads(slots, AtOnce, 8)


class AtOnce(Executor):
    """Work that is done where it is submitted."""

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **named))
        return future


@contextmanager
def working(heads: Bulkheads, cluster: str, finding: str = "") -> Iterator[None]:
    """Another thread's request that works on the cluster. Raises what it meets."""
    begun, over = threading.Event(), threading.Event()
    met: list[Exception] = []

    def work() -> None:
        with heads.request():
            try:
                heads.admit(cluster, finding)
            except RetryableError as error:
                met.append(error)
            begun.set()
            over.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(10)
    try:
        if met:
            raise met[0]
        yield
    finally:
        over.set()
        thread.join(10)


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_a_cluster_has_half_of_the_requests(slots: int, most: int) -> None:
    """And at least one. All others go on."""
    heads = bulkheads(slots)
    with ExitStack() as stack:
        for _ in range(most):
            assert not heads.is_busy(SHOP)
            stack.enter_context(working(heads, SHOP))
        assert (heads.is_busy(SHOP), heads.is_busy(OTHER)) == (True, False)
        with pytest.raises(RetryableError, match="half of what this instance") as caught:
            stack.enter_context(working(heads, SHOP))
        assert caught.value.reason == "cluster_busy"
        stack.enter_context(working(heads, OTHER))
    assert not heads.is_busy(SHOP)


def test_a_request_is_admitted_once() -> None:
    """However often its stages ask, and whatever a request within it is admitted to."""
    heads = bulkheads(2)
    with heads.request():
        heads.admit(SHOP)
        heads.admit(SHOP)
        with heads.request(), pytest.raises(RetryableError):
            heads.admit(SHOP)
        assert heads.is_busy(SHOP)
    assert not heads.is_busy(SHOP)


def test_no_cluster_has_no_bound() -> None:
    """A finding of Cloud Run, or of nothing."""
    heads = bulkheads(1)
    with working(heads, ""), heads.request():
        heads.admit("")
        assert not heads.is_busy("")
        assert isinstance(heads.reads(""), AtOnce)


def test_a_copy_of_what_is_worked_on_passes() -> None:
    """The journal answers it at once: it works on nothing."""
    heads = bulkheads(2)
    with working(heads, SHOP, "finding-1"), heads.request():
        heads.admit(SHOP, "finding-1")
        with pytest.raises(RetryableError):
            heads.admit(SHOP, "finding-2")
        with pytest.raises(RetryableError):
            heads.admit(SHOP)


def connected(heads: Bulkheads, cluster: str, server: Server) -> None:
    """This thread's request, admitted to the cluster and connected to that server."""
    heads.admit(cluster)
    ref = ClusterRef.parse(cluster)
    assert ref is not None
    heads.watched(Servers(**{ref.name: server}), cluster).connect(ref)


@contextmanager
def connected_elsewhere(heads: Bulkheads, cluster: str, server: Server) -> Iterator[None]:
    """The same in another thread."""
    with ThreadPoolExecutor(1) as thread:
        request = heads.request()
        thread.submit(request.__enter__).result()
        try:
            thread.submit(connected, heads, cluster, server).result()
            yield
        finally:
            thread.submit(request.__exit__, None, None, None).result()


@pytest.mark.parametrize("answered", [None, False])
def test_a_silent_server_has_half_under_all_its_names(*, answered: bool | None) -> None:
    """Known names are refused at once; an unknown one as soon as it turns out to be the same server."""
    heads, silent = bulkheads(), Server("https://192.0.2.1", goes_on=answered)
    with connected_elsewhere(heads, SHOP, silent), connected_elsewhere(heads, OTHER, silent):
        assert [heads.is_busy(name) for name in (SHOP, OTHER, THIRD)] == [True, True, False]
        with pytest.raises(ApiError) as caught, connected_elsewhere(heads, THIRD, silent):
            pass
        assert caught.value.reason == "cluster_busy"
        assert heads.is_busy(THIRD)
        with connected_elsewhere(heads, f"{PLACE}fourth", Server("https://192.0.2.2", goes_on=False)):
            pass
    assert not heads.is_busy(THIRD)


def test_a_server_that_answers_gives_each_name_its_half() -> None:
    """Findings of one of its clusters do not keep out those of another."""
    heads, sound = bulkheads(), Server("https://192.0.2.1", goes_on=True)
    fresh = Server("https://192.0.2.1", goes_on=None)
    with (
        connected_elsewhere(heads, SHOP, sound),
        connected_elsewhere(heads, SHOP, sound),
        connected_elsewhere(heads, OTHER, fresh),
    ):
        assert [heads.is_busy(name) for name in (SHOP, OTHER)] == [True, False]
        fresh.goes_on = False
        assert heads.is_busy(OTHER)


@pytest.mark.parametrize(("slots", "left"), [(4, 1), (8, 2), (16, 4)])
@pytest.mark.parametrize("answered", [None, False, True])
def test_two_silent_servers_leave_a_quarter(slots: int, left: int, *, answered: bool | None) -> None:
    """Whether that is known of them by now, or they answered before: a cluster that answers has its places.

    One that nobody knows has its first.
    """
    heads, before = bulkheads(slots), time.monotonic()
    silent = {
        name: Server(f"https://192.0.2.{number}", goes_on=answered, answered_at=before)
        for number, name in enumerate((SHOP, OTHER))
    }
    sound, placed = Server("https://192.0.2.9", goes_on=True), 0
    with ExitStack() as stack:
        for name in (SHOP, OTHER) * slots:
            if not heads.is_busy(name):
                stack.enter_context(connected_elsewhere(heads, name, silent[name]))
                placed += 1
        assert placed == slots - left
        assert (heads.is_busy(THIRD), heads.is_busy(f"{PLACE}fourth")) == (False, False)
        for _ in range(min(left, slots // 2)):
            stack.enter_context(connected_elsewhere(heads, THIRD, sound))


def test_one_slot_is_for_whoever_comes() -> None:
    """A silent server is tried again: nobody else would find out that it answers."""
    heads, silent = bulkheads(1), Server("https://192.0.2.1", goes_on=False)
    for _ in range(2):
        assert not heads.is_busy(SHOP)
        with connected_elsewhere(heads, SHOP, silent):
            assert heads.is_busy(SHOP)


def test_only_a_first_answer_is_awaited_in_silence() -> None:
    """Nobody is told of a cluster that is refused for a moment; of one that has its half, or is silent, people are."""
    heads, fresh, silent = (
        bulkheads(),
        Server("https://192.0.2.1", goes_on=None),
        Server("https://192.0.2.2", goes_on=False),
    )
    with (
        connected_elsewhere(heads, OTHER, silent),
        connected_elsewhere(heads, OTHER, silent),
        connected_elsewhere(heads, SHOP, fresh),
    ):
        assert [heads.is_busy(name) for name in (SHOP, OTHER)] == [True, True]
        assert [heads.is_tried(name) for name in (SHOP, OTHER, THIRD)] == [True, False, False]
        fresh.goes_on = True
        assert (heads.is_busy(SHOP), heads.is_tried(SHOP)) == (False, False)


def test_a_cluster_that_answers_again_has_its_places() -> None:
    """Once the API server has answered for all that works on it, it is not bound any more; nobody is told meanwhile."""
    heads, then = bulkheads(), time.monotonic()
    warm = {
        name: Server(f"https://192.0.2.{number}", goes_on=True, answered_at=then)
        for number, name in enumerate((SHOP, OTHER))
    }
    with (
        connected_elsewhere(heads, SHOP, warm[SHOP]),
        connected_elsewhere(heads, SHOP, warm[SHOP]),
        connected_elsewhere(heads, OTHER, warm[OTHER]),
    ):
        assert (heads.is_busy(OTHER), heads.is_tried(OTHER), heads.is_busy(THIRD)) == (True, True, False)
        warm[OTHER].answered_at = time.monotonic()
        assert not heads.is_busy(OTHER)
        with pytest.raises(RetryableError), working(heads, SHOP):
            pass


@pytest.mark.parametrize("answered", [None, False, True])
def test_reads_of_silent_servers_leave_a_quarter_of_the_threads(*, answered: bool | None) -> None:
    """However many servers there are, and whatever they answered before; a cluster that answers reads at once.

    What it reads besides begins with its first answer.
    """
    over, begun = threading.Event(), threading.Semaphore(0)
    with ThreadPoolExecutor(8) as pool:
        heads, before = Bulkheads(16, lambda: pool, 8), time.monotonic()
        servers = {
            name: Server(f"https://192.0.2.{number}", goes_on=True if name == THIRD else answered, answered_at=before)
            for number, name in enumerate((SHOP, OTHER, THIRD))
        }
        with heads.request():
            for name, server in servers.items():
                connected(heads, name, server)
        waiting = [heads.reads(name).submit(lambda: begun.release() or over.wait(10)) for name in (SHOP, OTHER) * 6]
        assert [begun.acquire(timeout=10) for _ in range(6)] == [True] * 6
        assert not begun.acquire(timeout=0.1)

        def read() -> str:
            servers[THIRD].answered_at = float("inf")
            return "at once"

        assert [future.result(10) for future in [heads.reads(THIRD).submit(read) for _ in range(6)]] == ["at once"] * 6
        over.set()
        assert [future.result(10) for future in waiting] == [True] * 12


def test_news_is_told_once_a_day() -> None:
    """By cluster, and by API server where that is known."""
    heads, monday, tuesday = bulkheads(), date(2026, 3, 2), date(2026, 3, 3)
    assert [heads.is_news(SHOP, monday), heads.is_news(SHOP, monday)] == [True, False]
    with heads.request():
        connected(heads, SHOP, Server("https://192.0.2.1", goes_on=True))
        connected(heads, OTHER, Server("https://192.0.2.1", goes_on=True))
    asked = [(SHOP, monday), (OTHER, monday), (THIRD, monday), (OTHER, tuesday), (SHOP, tuesday)]
    assert [heads.is_news(*each) for each in asked] == [False, False, True, True, False]


def test_reads_take_half_of_the_threads() -> None:
    """The rest waits for its turn, and what was cancelled meanwhile is never begun."""
    over, begun, made = threading.Event(), threading.Semaphore(0), []

    def read(number: int) -> int:
        begun.release()
        over.wait(10)
        made.append(number)
        return number

    with ThreadPoolExecutor(4) as pool:
        heads = Bulkheads(4, lambda: pool, 4)
        reads = heads.reads(SHOP)
        futures = [reads.submit(read, number) for number in range(5)]
        assert (begun.acquire(timeout=10), begun.acquire(timeout=10)) == (True, True)
        assert [future.running() for future in futures] == [True, True, False, False, False]
        assert heads.reads(OTHER).submit(lambda: "at once").result(10) == "at once"
        assert futures[3].cancel()
        over.set()
        assert [futures[number].result(10) for number in (0, 1, 2, 4)] == [0, 1, 2, 4]
    assert sorted(made) == [0, 1, 2, 4]


def test_an_error_is_the_readers_own() -> None:
    """It frees the thread, and nothing else notices."""
    with ThreadPoolExecutor(1) as pool:
        shares = ThreadShares(lambda: pool, 1, lambda _key, _since: True)
        failed = shares.submit("one", lambda: 1 // 0)
        assert shares.submit("one", lambda: "next").result(10) == "next"
    assert isinstance(failed.exception(), ZeroDivisionError)


def test_one_server_has_one_share() -> None:
    """Once its address is known, whatever the names are."""
    begun, over = threading.Event(), threading.Event()
    with ThreadPoolExecutor(4) as pool:
        heads = Bulkheads(8, lambda: pool, 2)
        with heads.request():
            for name in (SHOP, OTHER):
                connected(heads, name, Server("https://192.0.2.1", goes_on=True))
        slow = heads.reads(SHOP).submit(lambda: begun.set() or over.wait(10))
        begun.wait(10)
        waits = heads.reads(OTHER).submit(lambda: "second")
        assert not waits.done()
        over.set()
        assert (slow.result(10), waits.result(10)) == (True, "second")
