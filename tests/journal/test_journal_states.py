"""Deliveries, crashes and waiting in any order: the journal agrees with a model of a few lines."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case_json import decode
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.journal import LEASE, Journal
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import FaultyStore, SetClock, finding

DELIVERED = {"minutes": st.integers(0, 5), "content": st.sampled_from(["one", "two"])}
LOST_ANSWER = st.sampled_from(["", "", "after"])


@dataclass
class Model:
    """What must be so, in plain words."""

    is_open: bool = False
    superseded: bool = False
    exists: bool = False
    latest: int = -1
    content: str = ""
    expires: float = 0.0
    steps: list[str] = field(default_factory=list)

    def outcome(self, minutes: int, content: str, now: float) -> str:
        if not self.exists:
            return "claimed"
        if self.is_open:
            return "in_progress" if now < self.expires else "resumed"
        if minutes < self.latest:
            return "stale"
        if self.superseded and content != self.content:
            return "reopened"
        return "duplicate" if minutes == self.latest else "reopened"


class Deliveries(RuleBasedStateMachine):
    """One finding, many deliveries; holders that go on, end, give up, or die and wake up again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.sqlite = SqliteStore(Path(self.folder.name) / "store.db", clock=self.clock)
        self.store = FaultyStore(self.sqlite)
        self.journal = Journal(self.store, self.clock)
        self.model = Model()
        self.elapsed = 0.0
        self.holder: ClaimedCase | None = None
        self.zombies: list[ClaimedCase] = []
        self.number = 0

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()

    @rule(lost=LOST_ANSWER, **DELIVERED)
    def deliver(self, minutes: int, content: str, lost: str) -> None:
        expected = self.model.outcome(minutes, content, self.elapsed)
        self.store.fail = lost
        claim = self.journal.claim(finding(minutes=minutes, content=content))
        self.store.fail = ""
        assert expected == claim.outcome
        if expected in {"claimed", "resumed", "reopened"}:
            self.zombies += [self.holder] if self.holder else []
            self.holder = claim.case
            self.model.exists = self.model.is_open = True
            self.renewed()
        if expected == "reopened" or (expected in {"claimed", "resumed"} and minutes > self.model.latest):
            self.model.latest, self.model.content = minutes, content

    @rule(seconds=st.sampled_from([1, 60, 119, 120, 300]))
    def wait(self, seconds: int) -> None:
        self.elapsed += seconds
        self.clock.forward(seconds)

    @precondition(lambda self: self.holder)
    @rule(lost=LOST_ANSWER)
    def go_on(self, lost: str) -> None:
        self.number += 1
        step = Step(action_id=f"{self.number:032x}", status=StepStatus.DONE, expected_uid="uid")
        self.store.fail = lost
        self.held().save(step)
        self.store.fail = ""
        self.model.steps.append(step.action_id)
        self.renewed()

    @precondition(lambda self: self.holder)
    @rule(state=st.sampled_from([CaseState.DONE, CaseState.HELD, CaseState.SUPERSEDED]))
    def end(self, state: CaseState) -> None:
        self.held().close(state)
        self.model.is_open = False
        self.model.superseded = state is CaseState.SUPERSEDED
        self.zombies.append(self.held())
        self.holder = None

    @precondition(lambda self: self.holder)
    @rule()
    def give_up(self) -> None:
        self.held().release()
        self.model.expires = self.elapsed
        self.zombies.append(self.held())
        self.holder = None

    @precondition(lambda self: self.zombies)
    @rule(data=st.data())
    def wake_up(self, data: Any) -> None:
        zombie = data.draw(st.sampled_from(self.zombies))
        with pytest.raises(LostLease):
            zombie.save(Step(action_id="f" * 32))

    @invariant()
    def the_record_is_the_models(self) -> None:
        record = self.journal.read(finding().key)
        assert self.model.exists == (record is not None)
        if record is not None:
            assert self.model.is_open == (record.state == CaseState.OPEN)
            assert self.model.steps == [step.action_id for step in record.steps]
            assert record.event_time == finding(minutes=self.model.latest).event_time

    @invariant()
    def what_is_unfinished_is_known_as_that(self) -> None:
        for entry in self.sqlite.scan("case/").entries:
            assert entry.unfinished == is_unfinished(decode(entry.value))

    def held(self) -> ClaimedCase:
        assert self.holder is not None
        return self.holder

    def renewed(self) -> None:
        self.model.expires = self.elapsed + LEASE.total_seconds()


class TestDeliveries(Deliveries.TestCase):  # type: ignore[misc,name-defined]  # hypothesis makes it at run time
    """Run by pytest."""

    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
