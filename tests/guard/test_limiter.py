"""The way to the ledger: by the store's clock, once for each target, closed where the store fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import ApiError, Conflict, RetryableError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry, usable_as
from scc_responder.guard.limiter import ORGANIZATION, PAGING_TAKES, Limiter, cluster_key
from scc_responder.guard.limits.ledger_document import Breaker, Budget, Ledger
from scc_responder.policy.guardrails import Guardrails, StormBreaker
from scc_responder.policy.limits import Limit
from tests.guard.test_ledger import pod, rails
from tests.kits.decision_contexts import POD, context

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
START = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
ONE = rails(cluster=(Limit(most=1, within="10m"),))


class Store(SqliteStore):
    """A store whose clock the test sets, that counts its calls and can fail at one of them."""

    def __init__(self, path: Path) -> None:
        self.now = START
        self.calls: list[str] = []
        super().__init__(path / "journal.db", clock=lambda: self.now)

    @contextmanager
    def failing(self, call: str, error: Exception, *, after: bool = False) -> Iterator[None]:
        """Let every such call fail: before it did anything, or after."""
        original = getattr(self, call)

        def fail(*arguments: Any, **options: Any) -> Any:
            if after:
                original(*arguments, **options)
            raise error

        setattr(self, call, fail)
        yield
        delattr(self, call)

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        self.calls.append("get_many")
        return super().get_many(keys)

    def replace(self, key: str, value: bytes, version: str, **options: Any) -> Entry:
        self.calls.append("replace")
        return super().replace(key, value, version, **options)


class Pages:
    """Keeps what a person was told; `error` keeps it from being told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def __call__(self, cluster: str, breaker: Breaker) -> None:
        if self.error:
            raise self.error
        self.told.append((cluster, breaker.detail))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def pages() -> Pages:
    return Pages()


def limiter(store: Store, guardrails: Guardrails = ONE, pages: Pages | None = None, cluster: str = CLUSTER) -> Limiter:
    """As one delivery has it."""
    return Limiter(store, cluster, guardrails, lambda _seconds: None, pages or Pages())


def reasons(store: Store, numbers: list[int], guardrails: Guardrails = ONE, **options: Any) -> list[str]:
    """What each of these pods comes to, each in a delivery of its own."""
    return [
        limiter(store, guardrails, **options).reserve(pod(number), dry_run=False).reason or "ok" for number in numbers
    ]


def stored(store: Store, key: str = "") -> Ledger:
    entry = store.get(key or cluster_key(CLUSTER))
    assert entry is not None
    return usable_as(Ledger, entry)


def test_it_holds_across_restarts(store: Store) -> None:
    """What one delivery reserved counts for the next, and for another process on the same store."""
    assert reasons(store, [1, 2, 1]) == ["ok", "limit_cluster", "ok"]


def test_by_the_stores_clock(store: Store) -> None:
    """A window ends by the store's own clock."""
    found = reasons(store, [1, 2])
    store.now += timedelta(minutes=11)
    assert [*found, *reasons(store, [2])] == ["ok", "limit_cluster", "ok"]


def test_clusters_are_counted_apart(store: Store) -> None:
    """Each cluster has its own limits; the organisation's count all of them together."""
    guardrails = rails(cluster=(Limit(most=1, within="10m"),), organization=(Limit(most=2, within="1h"),))
    names = [f"{CLUSTER}{number}" for number in range(3)]
    found = [reasons(store, [10 * n + 1, 10 * n + 2], guardrails, cluster=name) for n, name in enumerate(names)]
    assert found == [["ok", "limit_cluster"], ["ok", "limit_cluster"], ["limit_organization", "limit_organization"]]
    assert len(stored(store, ORGANIZATION).entries) == 2


def test_a_target_costs_few_calls(store: Store) -> None:
    """A target costs one read, of both documents, and two writes; what else a delivery does to it costs nothing."""
    guardrails = rails(organization=(Limit(most=9, within="1h"),))
    reasons(store, [0], guardrails)
    store.calls.clear()
    own = limiter(store, guardrails)
    for step in ("isolate", "arm", "delete"):
        assert own.reserve(pod(1, action_id=step), dry_run=False).allowed
    assert store.calls == ["get_many", "replace", "replace"]
    assert limiter(store, guardrails).reserve(pod(1), dry_run=True).allowed
    assert store.calls[3:] == ["get_many"]


def test_what_a_person_had_done_is_counted(store: Store) -> None:
    """It is written to both documents, and passes for nothing else that this delivery does to the same pod."""
    wide = rails(cluster=(Limit(most=1, within="10m"),), organization=(Limit(most=9, within="1h"),))
    assert reasons(store, [1], wide) == ["ok"]
    own = limiter(store, wide)
    assert own.reserve(pod(2), dry_run=False, by_person=True).allowed
    assert own.reserve(pod(2), dry_run=False).reason == "limit_cluster"
    for key in (cluster_key(CLUSTER), ORGANIZATION):
        assert {entry.target for entry in stored(store, key).entries if entry.reserved_at} == {"pod-1", "pod-2"}


def test_a_persons_word_is_about_one_act(store: Store) -> None:
    """Asked to isolate a pod, it does not let through the deletion that its policy has in mind for later."""
    guardrails = rails(cluster=(Limit(most=1, within="10m"),))
    reasons(store, [1], guardrails)
    own = limiter(store, guardrails)
    isolation = pod(2, budget=Budget.ISOLATION, then_ends=True)
    assert own.reserve(isolation, dry_run=False, by_person=True).allowed
    assert own.reserve(pod(2), dry_run=False).reason == "limit_cluster"


def test_a_dry_run_counts_nothing(store: Store) -> None:
    """A dry run is told what the ledger would say, and leaves no trace in it."""
    rehearsed = [limiter(store).reserve(pod(number), dry_run=True).reason for number in (1, 2)]
    assert store.get(cluster_key(CLUSTER)) is None
    reasons(store, [1])
    before = stored(store)
    denied = limiter(store).reserve(pod(2), dry_run=True)
    assert (*rehearsed, denied.reason) == (None, None, "limit_cluster")
    assert stored(store) == before


SILENT = StoreUnavailable(Reason.STORE_UNAVAILABLE)
FAILING = [
    pytest.param("get_many", "ledger_unavailable", SILENT, id="unreadable"),
    pytest.param("create", "ledger_unavailable", SILENT, id="not-made"),
    pytest.param("replace", "ledger_unavailable", SILENT, id="unwritable"),
    pytest.param("replace", "ledger_contended", Conflict(Reason.CONFLICT), id="contended"),
]


@pytest.mark.parametrize(("call", "reason", "error"), FAILING)
def test_it_fails_closed(store: Store, call: str, reason: str, error: Exception) -> None:
    """Without the store's word nothing is allowed: the message comes again, and then finds its own reservation."""
    with store.failing(call, error), pytest.raises(RetryableError) as caught:
        limiter(store).reserve(pod(1), dry_run=False)
    assert caught.value.reason == reason
    assert reasons(store, [1, 2]) == ["ok", "limit_cluster"]


@pytest.mark.parametrize("call", ["create", "replace"])
def test_a_lost_answer(store: Store, call: str) -> None:
    """What was written, and of which the store's word was lost, is found."""
    with store.failing(call, SILENT, after=True):
        assert limiter(store).reserve(pod(1), dry_run=False).allowed
    assert reasons(store, [2]) == ["limit_cluster"]


def test_only_what_counts_is_read(store: Store) -> None:
    """The organisation's document is left alone where no limit of it applies."""
    reasons(store, [0])
    assert store.get(ORGANIZATION) is None


def test_a_crash_in_between_allows_less(store: Store) -> None:
    """The cluster's document is written first: what the organisation's lacks after a crash counts in the cluster."""
    guardrails = rails(cluster=(Limit(most=1, within="10m"),), organization=(Limit(most=9, within="1h"),))
    original, written = store.replace, []

    def crash_at_the_second(key: str, value: bytes, version: str) -> Entry:
        written.append(key)
        if len(written) == 2:
            raise KeyboardInterrupt
        return original(key, value, version)

    store.replace = crash_at_the_second  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        limiter(store, guardrails).reserve(pod(1), dry_run=False)
    store.replace = original  # type: ignore[method-assign]

    assert written == [cluster_key(CLUSTER), ORGANIZATION]
    assert reasons(store, [2, 1], guardrails) == ["limit_cluster", "ok"]
    assert [entry.target for entry in stored(store, ORGANIZATION).entries] == ["pod-1"]


BOTH = rails(cluster=(Limit(most=1, within="10m"),), organization=(Limit(most=9, within="1h"),))
UNUSABLE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"no json", id="no-json"),
    pytest.param(b"[]", id="no-document"),
    pytest.param(b'{"schema": 2}', id="newer"),
    pytest.param(b'{"entries": [{"target": "\xff"}]}', id="no-utf-8"),
    pytest.param(b'{"entries": ' + b"[" * 50_000, id="too-deep"),
    pytest.param(b'{"entries": [{"target": 1}]}', id="of-other-types"),
]


@pytest.mark.parametrize("key", [cluster_key(CLUSTER), ORGANIZATION], ids=["cluster", "organization"])
@pytest.mark.parametrize("value", UNUSABLE)
def test_a_malformed_document(store: Store, key: str, value: bytes) -> None:
    """A document that makes no sense holds, is left as it is, and is named."""
    store.create(key, value)
    answers = [limiter(store, BOTH).reserve(pod(1), dry_run=dry_run) for dry_run in (False, True)]
    assert [answer.reason for answer in answers] == ["ledger_unusable", "ledger_unusable"]
    assert all(key in answer.detail for answer in answers)
    entry = store.get(key)
    assert entry is not None
    assert entry.value == value


def test_a_full_document(store: Store) -> None:
    """More than the store takes is not counted, and so not allowed."""
    guardrails = rails(cluster=(Limit(most=100_000, within="24h"),))
    found = reasons(store, list(range(600)), guardrails)
    assert found[0] == "ok"
    assert found[-1] == "ledger_full"
    assert found.index("ledger_full") > 200
    assert set(found[found.index("ledger_full") :]) == {"ledger_full"}


STORM = rails(StormBreaker(targets=2, denials=99, within="10m"))


def test_only_the_tripping_delivery_reports_it(store: Store, pages: Pages) -> None:
    """The delivery that trips the breaker tells of it, and nobody else does."""
    assert reasons(store, [1, 2, 3, 4, 5], STORM, pages=pages) == ["ok", "ok", *["storm_breaker"] * 3]
    assert limiter(store, STORM, pages).reserve(pod(9), dry_run=True).reason == "storm_breaker"
    assert pages.told == [(CLUSTER, "3 targets planned within 10m, of at most 2")]


def test_a_page_that_failed(store: Store, pages: Pages) -> None:
    """Where a person could not be told, the next delivery after a while tells, once."""
    pages.error = ApiError(Reason.PUBSUB.of("unavailable"))
    reasons(store, [1, 2, 3], STORM, pages=pages)
    pages.error = None
    reasons(store, [1], STORM, pages=pages)
    assert pages.told == []
    store.now += PAGING_TAKES + timedelta(seconds=1)
    for _ in range(3):
        assert limiter(store, STORM, pages).reserve(pod(1), dry_run=True).reason == "storm_breaker"
    assert len(pages.told) == 1


def test_any_breaker_holds_what_was_not_read(store: Store) -> None:
    """Of a target that nobody read, each scope may be its own; to look writes nothing."""
    assert limiter(store).breaker().allowed
    storm = rails(StormBreaker(targets=99, denials=1), namespace=(Limit(most=0, within="10m"),))
    for number in (1, 2):
        limiter(store, storm).reserve(pod(number, scopes={"owner": f"w{number}"}), dry_run=False)
    written = store.get(cluster_key(CLUSTER))
    assert limiter(store).breaker().reason == "storm_breaker"
    assert store.get(cluster_key(CLUSTER)) == written


def test_what_a_breaker_holds_is_read_once(store: Store) -> None:
    """Whatever else a delivery would do to the target, it does not ask again."""
    reasons(store, [1, 2, 3], STORM)
    store.calls.clear()
    own = limiter(store, STORM)
    assert [own.reserve(pod(1, action_id=step), dry_run=False).reason for step in "abc"] == ["storm_breaker"] * 3
    assert store.calls == ["get_many"]


def test_what_was_cut_off_of_a_workload_is_counted(store: Store) -> None:
    """By its isolations alone, a day long where it has to serve; and nothing is known of a store without an answer."""
    own = {"owner": POD.workload.uid if POD.workload else ""}
    for number, changes in enumerate(({"budget": Budget.ISOLATION, "keeps_serving": True}, {})):
        limiter(store).reserve(pod(number, scopes=own, **changes), dry_run=False)
    assert limiter(store).cut(context()) == 1
    store.now += timedelta(hours=23)
    reasons(store, [9])
    assert limiter(store).cut(context()) == 1
    with store.failing("get", SILENT), pytest.raises(RetryableError):
        limiter(store).cut(context())


def test_isolation_and_deletion_cost_one_write(store: Store) -> None:
    """What isolates a pod that its policy deletes later counts both at once; a denied deletion denies no isolation."""
    guardrails = rails(organization=(Limit(most=9, within="1h"),), owner=(Limit(most=1, within="10m"),))
    limiter(store, guardrails).reserve(pod(9), dry_run=False)
    reasons(store, [9], guardrails)
    store.calls.clear()
    both = {"budget": Budget.ISOLATION, "is_likely": True, "then_ends": True, "scopes": {"owner": "other"}}
    own = limiter(store, guardrails)
    assert own.reserve(pod(1, **both), dry_run=False).allowed
    assert own.reserve(pod(1, scopes={"owner": "other"}), dry_run=False).allowed
    assert store.calls == ["get_many", "replace", "replace"]
    assert {(entry.target, entry.budget) for entry in stored(store).entries} >= {("pod-1", budget) for budget in Budget}
    own = limiter(store, guardrails)
    assert own.reserve(pod(2, **both), dry_run=False).allowed
    assert own.reserve(pod(2, scopes={"owner": "other"}), dry_run=False).reason == "limit_owner"
