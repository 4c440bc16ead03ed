"""The way to the documents of first shots: by the store's clock, told once, closed where the store fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import ApiError, Conflict, RetryableError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.guard.trust.first_shot import FirstShot, FirstShotState, first_shot_key, policy_content
from scc_responder.guard.trust.refused_shots import let_policy_act, refused_shots
from scc_responder.guard.trust.warm_up import WarmUp, WarmUpAnswer, read_first_shot
from scc_responder.policy.policy_set import PolicySet
from tests.guard.test_ledger import rails
from tests.guard.test_limiter import Store
from tests.guard.trust.test_first_shot import THREE, request
from tests.kits.executions import no_wait
from tests.policy.test_decide import policy_of

PLACE = "projects/example-project/locations/europe-west1/clusters/prod-1"
POLICY = replace(policy_of(), name="contain")
POLICIES = PolicySet(policies=(POLICY,), guardrails=replace(rails(cluster=(THREE,)), warm_up="60s"), digest="")
KEY = first_shot_key(PLACE, policy_content(POLICY))
MINUTE = timedelta(minutes=1)


class World:
    """Two instances at one store, and what people were told."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.told: list[FirstShot] = []
        self.errors: list[Exception] = []
        self.one, self.two = self.instance(), self.instance()

    def instance(self) -> WarmUp:
        return WarmUp(self.store, PLACE, POLICIES, self.tell, wait=no_wait, passed=set())

    def tell(self, shot: FirstShot) -> None:
        if self.errors:
            raise self.errors.pop()
        self.told.append(shot)

    def asked(self, *targets: str) -> list[Reason | None]:
        """What the two instances in turn are answered about these."""
        pairs = zip((self.one, self.two) * len(targets), targets, strict=False)
        return [instance.ask(request(target)).reason for instance, target in pairs]

    def stored(self) -> FirstShot:
        entry = self.store.get(KEY)
        assert entry
        return read_first_shot(entry)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_all_that_fit_are_done_after_the_wait(world: World) -> None:
    """Each waits, in whatever instance, until the first has waited: then all are done, and later ones do not wait."""
    begun = world.store.now
    assert world.one.ask(request("a")) == WarmUpAnswer(
        reason=Reason.WARMING_UP, detail=f"1 targets of policy contain wait in {PLACE}", due_at=begun + MINUTE
    )
    world.store.now += timedelta(seconds=59)
    assert world.asked("b", "a") == [Reason.WARMING_UP] * 2
    world.store.now += timedelta(seconds=1)
    assert world.asked("b", "a", "b", "c") == [Reason.WARMING_UP, None, None, None]
    world.store.now += timedelta(days=30)
    assert world.asked("d", "e") == [None, None]
    assert world.told == []


def test_a_burst_is_refused_for_all(world: World) -> None:
    """Four do not fit a limit of three: none of them is done, nor a later one, and a person is told once."""
    assert world.asked("a", "b", "c", "d") == [Reason.WARMING_UP] * 4
    world.store.now += MINUTE
    assert world.asked("b", "a", "c", "d", "e") == [Reason.FIRST_SHOT_TOO_WIDE] * 5
    world.store.now += timedelta(days=2)
    assert world.asked("f", "g") == [Reason.FIRST_SHOT_TOO_WIDE] * 2
    assert [(shot.policy, shot.place) for shot in world.told] == [("contain", PLACE)]


def test_a_storm_that_fills_the_document_is_refused(world: World) -> None:
    """Of large clusters with long names, too: none is done, and a person is told once."""
    names = {"project": "p" * 30, "namespace": "n" * 63, "node": "gke-" + "n" * 59, "node_pool": "pool-" + "p" * 35}
    storm = [replace(request(f"{n:036d}", f"{n:032x}", owner=f"{n:036d}", **names), cluster=PLACE) for n in range(250)]
    assert {world.one.ask(each).reason for each in storm} == {Reason.WARMING_UP}
    world.store.now += MINUTE
    assert {world.two.ask(each).reason for each in storm} == {Reason.FIRST_SHOT_TOO_WIDE}
    assert [shot.policy for shot in world.told] == ["contain"]


def test_a_person_is_told_by_another_where_it_failed(world: World) -> None:
    """Where the one that decided could not tell, a later one does, some minutes after."""
    world.errors.append(ApiError(Reason.TIMEOUT, "no answer"))
    world.asked("a", "b", "c", "d")
    world.store.now += MINUTE
    world.asked("a", "b")
    assert world.told == []
    world.store.now += timedelta(minutes=3)
    world.asked("a", "b", "c")
    assert len(world.told) == 1
    assert world.stored().told_at


def test_what_passed_costs_no_request(world: World) -> None:
    """A process asks the store no more once it knows."""
    world.asked("a")
    world.store.now += MINUTE
    world.asked("a")
    gets = count(world.store)
    assert world.one.ask(request("z")) == WarmUpAnswer()
    assert gets() == 0


def count(store: Store) -> Callable[[], int]:
    before = len(store.calls)
    return lambda: len(store.calls) - before


@pytest.mark.parametrize("call", ["get_many", "create"])
def test_a_store_that_fails_holds_nothing_back(world: World, call: str) -> None:
    """Where the store does not answer, nothing is done, and the message comes again."""
    error = StoreUnavailable(Reason.STORE_UNAVAILABLE, "no answer")
    with world.store.failing(call, error), pytest.raises(RetryableError) as raised:
        world.one.ask(request("a"))
    assert raised.value.reason == Reason.LEDGER_UNAVAILABLE


def test_writers_that_meet_try_again(world: World) -> None:
    """Who loses a race too often asks to come again."""
    world.asked("a")
    conflict = Conflict(Reason.CONFLICT, KEY)
    with world.store.failing("replace", conflict), pytest.raises(RetryableError) as raised:
        world.one.ask(request("b"))
    assert raised.value.reason == Reason.LEDGER_CONTENDED


@pytest.mark.parametrize("value", [b"{}", b'{"schema": 2, "place": "p", "policy": "p", "content": "c"}'])
def test_a_document_that_makes_no_sense_holds(world: World, value: bytes) -> None:
    """What this version cannot read lets nothing be done, and is not listed."""
    world.store.create(KEY, value)
    assert world.one.ask(request("a")).reason == Reason.LEDGER_UNUSABLE
    assert list(refused_shots(world.store)) == []


def test_a_person_lets_the_policy_act(world: World) -> None:
    """Only that policy in that place; it is kept who did."""
    world.asked("a", "b", "c", "d")
    world.store.now += MINUTE
    world.asked("a")
    assert [shot.policy for _, shot in refused_shots(world.store)] == ["contain"]
    assert let_policy_act(world.store, "contain", "projects/other", "me", "why") == []
    assert len(let_policy_act(world.store, "contain", PLACE, "me", "why")) == 1
    assert (world.stored().state, world.stored().by) == (FirstShotState.PASSED, "me")
    assert world.asked("e") == [None]
