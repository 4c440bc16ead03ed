"""The journal on Firestore: one holder, by the server's clock; nothing doubled, whatever becomes of an answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.errors import RetryableError, StoreUnavailable
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import KEEP_CLOSED
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import cases_of
from scc_responder.journal.step import Step
from tests.cluster.polling import wait_until
from tests.journal.case_program import ACTIONS, carry_out
from tests.kits.failpoints import Failpoints
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.firestore_faults import CallFault, CallScript, Cut, FaultyFirestore, Lose, Refuse, Stall
from tests.kits.journal_worlds import FaultyStore, SetClock, finding
from tests.kits.racers import in_threads

ROOT = Path(__file__).parents[4]
FINDING = finding()
SHORT = timedelta(milliseconds=300)


class World:
    """A journal in a collection of its own."""

    def __init__(self, firestore: FirestoreEmulator) -> None:
        self.firestore = firestore
        self.opened = Opened(firestore.host, firestore.address())
        self.clock = SetClock()

    def journal(self, *, lease: timedelta = timedelta(seconds=120)) -> Journal:
        """The journal as another process has it."""
        return Journal(self.opened(), self.clock, lease=lease)

    def held(self, **lease: timedelta) -> ClaimedCase:
        """A case just claimed."""
        case = self.journal(**lease).claim(FINDING).case
        assert case is not None
        return case


@pytest.fixture
def world(firestore: FirestoreEmulator) -> Iterator[World]:
    world = World(firestore)
    yield world
    world.opened.close()


def step(number: int = 1, status: StepStatus = StepStatus.INTENT) -> Step:
    return Step(action_id=f"{number:032x}", action="label_pod", status=status, expected_uid=f"uid-{number}")


def test_of_eight_deliveries_at_once_one_has_the_case(world: World) -> None:
    """The others come again."""
    journals = [world.journal() for _ in range(8)]
    outcomes = in_threads(8, lambda: journals.pop().claim(FINDING).outcome)
    assert sorted(outcomes) == ["claimed", *["in_progress"] * 7]


def test_a_lease_runs_out_by_the_servers_clock(world: World) -> None:
    """The holder's own clock and the heir's stand still, and are hours apart: neither plays a part."""
    zombie = world.held()
    world.clock.forward(-7200)
    assert world.journal().claim(FINDING).outcome == "in_progress"
    heir = world.journal(lease=SHORT)
    claim = wait_until(lambda: (taken := heir.claim(FINDING)).case and taken, what="the lease to run out")
    assert (claim.outcome, claim.case.record.epoch) == ("resumed", 2)
    with pytest.raises(LostLease):
        zombie.save(step())
    claim.case.save(step(7))
    record = world.journal().read(FINDING.key)
    assert record is not None
    assert record.steps == (step(7),)


def test_of_heirs_of_one_lease_one_has_the_case(world: World) -> None:
    """All saw that it had run out."""
    world.held()
    journals = [world.journal(lease=timedelta(0)) for _ in range(6)]
    held = [
        world.journal(lease=timedelta(0)).claim(FINDING).case,
        *in_threads(6, lambda: journals.pop().claim(FINDING).case),
    ]
    winners = []
    for case in filter(None, held):
        try:
            case.save(step())
            winners.append(case)
        except LostLease:
            continue
    assert len(winners) == 1


def test_a_case_goes_its_whole_way(world: World) -> None:
    """Claimed, saved, released, resumed, closed, told again, reopened."""
    case = world.held()
    case.save(step(1))
    case.save(step(1, StepStatus.DONE), step(2))
    case.release("out_of_time")
    resumed = world.journal().claim(FINDING)
    assert (resumed.outcome, resumed.record.reason) == ("resumed", "out_of_time")
    assert resumed.case is not None
    resumed.case.close(CaseState.DONE, "", step(2, StepStatus.DONE))
    assert world.journal().claim(FINDING).outcome == "duplicate"
    assert world.journal().claim(finding(minutes=-1)).outcome == "stale"
    reopened = world.journal().claim(finding(minutes=1, content="other"))
    assert (reopened.outcome, len(reopened.record.steps)) == ("reopened", 2)
    assert [record.finding_key for record in cases_of(world.journal().cases()).records] == [FINDING.key]


def test_of_findings_about_one_object_one_may_carry_it_out(world: World) -> None:
    """The other waits while the first is open, and is refused once it was done."""
    first = world.held()
    second = world.journal().claim(finding(key="0b" * 32)).case
    assert second is not None
    assert first.reserve("target", "1" * 32)
    assert first.reserve("target", "1" * 32)
    with pytest.raises(RetryableError, match="about to do it"):
        second.reserve("target", "2" * 32)
    done = Step(action_id="1" * 32, action="delete_pod", status=StepStatus.DONE, change={"change": "delete_pod"})
    first.close(CaseState.DONE, "", done)
    assert not second.reserve("target", "2" * 32)


def test_an_unused_reservation_passes_to_one(world: World) -> None:
    """Of those that ask for it together."""
    world.held().reserve("target", "1" * 32)
    first = world.journal(lease=timedelta(0)).claim(FINDING).case
    assert first is not None
    first.close(CaseState.HELD)
    cases = [world.journal().claim(finding(key=f"{number}b" * 32)).case for number in range(1, 7)]

    def reserves() -> bool:
        case = cases.pop()
        assert case is not None
        try:
            return case.reserve("target", case.record.finding_key[:32])
        except RetryableError:
            return False

    assert sum(in_threads(6, reserves)) == 1


def test_a_rejected_message_is_counted(world: World) -> None:
    """By its hash."""
    assert [world.journal().reject("0e" * 32, "not_json").count for _ in range(3)] == [1, 2, 3]


FAULTS = {"refused": Refuse(), "lost": Lose(), "stalled": Stall(), "stalled after": Stall(forward=True), "cut": Cut()}
STORE_CALLS = 7
"""Of one case: read, claim, two intents and outcomes, close."""


def whole_case(store: FirestoreStore, clock: SetClock, effects: Path) -> str:
    """One delivery, from its claim to its end."""
    claim = Journal(store, clock, lease=timedelta(0)).claim(FINDING)
    if claim.case:
        for action in ACTIONS:
            carry_out(claim.case, action, effects, Failpoints({}))
        claim.case.close(CaseState.DONE)
    return claim.outcome.value


each_call = pytest.mark.parametrize("number", range(1, STORE_CALLS + 1))
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    path = tmp_path / "effects"
    path.write_text("")
    return path


@contextmanager
def faulty(world: World, script: CallScript, **bounds: float) -> Iterator[tuple[FirestoreStore, FaultyFirestore]]:
    """The store, whose calls fail by a script, until the block ends."""
    with FaultyFirestore(world.firestore.host, script) as proxy:
        store = FirestoreStore(world.opened.address, emulator=proxy.host, **bounds)  # type: ignore[arg-type]
        yield store, proxy
        store.close()


def assert_done_once(world: World, effects: Path) -> None:
    """Each action was carried out once, and the record says so."""
    assert tuple(effects.read_text().split()) == ACTIONS
    record = world.journal().read(FINDING.key)
    assert record is not None
    assert (record.state, [step.status.value for step in record.steps]) == ("done", ["done", "done"])


@each_call
@each_fault
def test_a_fault_at_one_call_of_a_case(world: World, effects: Path, fault: CallFault, number: int) -> None:
    """It is made up for: the delivery comes to its end, and the next is a duplicate."""
    with faulty(world, {number: fault}, deadline_seconds=30, try_seconds=1) as (store, proxy):
        assert whole_case(store, world.clock, effects) == "claimed"
        assert len(proxy.calls) > STORE_CALLS
    assert whole_case(world.opened(), world.clock, effects) == "duplicate"
    assert_done_once(world, effects)


@each_call
@each_fault
def test_an_outage_from_one_call_of_a_case_on(world: World, effects: Path, fault: CallFault, number: int) -> None:
    """The delivery gives up, with no act that it had not recorded; the next goes on where it stopped."""
    with (
        faulty(
            world, lambda call, _: fault if call >= number else None, deadline_seconds=0.5, try_seconds=0.25
        ) as made,
        pytest.raises(StoreUnavailable),
    ):
        whole_case(made[0], world.clock, effects)
    record = world.journal().read(FINDING.key)
    recorded = {step.action for step in record.steps} if record else set()
    assert set(effects.read_text().split()) <= recorded
    assert whole_case(world.opened(), world.clock, effects) in {"claimed", "resumed", "duplicate"}
    assert_done_once(world, effects)


KILLS = {"after the claim": "2", "before the first effect": "5", "after the first effect": "6", "before the end": "13"}


@pytest.mark.parametrize("point", KILLS.values(), ids=KILLS)
def test_killed_and_delivered_again_everything_is_done_once(world: World, effects: Path, point: str) -> None:
    """A process that dies between two calls loses nothing."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/functions:{ROOT}"}
    environment |= {"FIRESTORE_EMULATOR_HOST": world.firestore.host, "FAILPOINT": point}
    command = [sys.executable, "-m", "tests.journal.case_program", world.opened.address, str(effects)]
    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert killed.returncode == -9, killed.stderr
    assert whole_case(world.opened(), world.clock, effects) == "resumed"
    assert_done_once(world, effects)


def test_what_is_closed_is_kept_for_a_while_and_what_is_open_for_ever(world: World) -> None:
    """A case must not expire while it is worked on, nor when it is opened again."""
    store = FaultyStore(world.opened())
    journal = Journal(store, world.clock)
    key = f"case/{FINDING.key}"
    case = journal.claim(FINDING).case
    assert case is not None
    kept = [store.kept[key]]
    case.close(CaseState.DONE)
    kept.append(store.kept[key])
    journal.claim(FINDING)
    kept.append(store.kept[key])
    journal.claim(finding(minutes=1, content="other"))
    kept.append(store.kept[key])
    assert kept == [None, KEEP_CLOSED, KEEP_CLOSED, None]
