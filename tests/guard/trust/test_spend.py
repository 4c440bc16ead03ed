"""Verdicts in the store: the ceiling is set before the verdict that spends the budget is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.errors import Conflict, RetryableError, StoreError, StoreUnavailable
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import Setting
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling
from scc_responder.guard.trust.error_budget import BudgetPlace, budget_key, budget_place
from scc_responder.guard.trust.spend import UNTIL_RAISED, spend
from scc_responder.policy.guardrails import Environment, Guardrails, Protected
from tests.guard.test_limiter import CLUSTER, START, Store
from tests.guard.trust.test_error_budget import verdict

OTHER = CLUSTER.replace("prod-1", "test-1")
HERE = BudgetPlace(name=CLUSTER)
WRONG = verdict("a", final=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    SwitchDocuments(made).set(Setting(mode=Mode.ENFORCE, reason="For a test.", by="me", at=START))
    return made


def untold(_why: str) -> None:
    """Nobody is told."""


def standing(store: Store) -> list[TimedCeiling]:
    control = SwitchDocuments(store).read()
    return [item for item in control.timed if item.until == UNTIL_RAISED] if control else []


def test_a_spent_budget_lowers_the_policy(store: Store) -> None:
    """Once, in that place alone."""
    assert spend(store, HERE, "contain", verdict("b", namespace="shop"), untold) == ""
    assert standing(store) == []
    assert spend(store, HERE, "contain", WRONG, untold) != ""
    assert spend(store, HERE, "contain", WRONG, untold) == ""
    assert [(item.name, item.place, item.mode, item.source) for item in standing(store)] == [
        ("contain", CLUSTER, Mode.APPROVE, "error_budget")
    ]


def test_a_crash_leaves_the_policy_lowered(store: Store) -> None:
    """Where the verdict could not be kept, the ceiling stands; the same word again keeps it."""
    error = StoreUnavailable(Reason.STORE_UNAVAILABLE, "no answer")
    with store.failing("create", error), pytest.raises(StoreUnavailable):
        spend(store, HERE, "contain", WRONG, untold)
    assert len(standing(store)) == 1
    assert spend(store, HERE, "contain", WRONG, untold) != ""
    assert len(standing(store)) == 1


def test_a_verdict_is_not_kept_before_people_are_to_be_told(store: Store) -> None:
    """Where the notice could not be left, the same word again lowers the policy, and leaves it."""

    def full(_why: str) -> None:
        raise StoreUnavailable(Reason.STORE_UNAVAILABLE, "no answer")

    left = list[str]()
    with pytest.raises(StoreUnavailable):
        spend(store, HERE, "contain", WRONG, full)
    why = spend(store, HERE, "contain", WRONG, left.append)
    assert why != ""
    assert spend(store, HERE, "contain", WRONG, left.append) == ""
    assert left == [why]


def test_an_environment_is_lowered_as_a_whole(store: Store) -> None:
    """What was wrong in one cluster counts in all that the guardrails name together, and in no other."""
    environment = Environment(name="production", clusters=("projects/*/locations/*/clusters/prod-*",))
    guardrails = Guardrails(protected=Protected(), environments=(environment,))
    place = budget_place(guardrails, CLUSTER)
    assert budget_place(guardrails, OTHER).name == OTHER
    assert spend(store, place, "contain", WRONG, untold) != ""
    beside = CLUSTER.replace("prod-1", "prod-2")
    lowered = {
        name: bool(SwitchDocuments(store).ceiling(name).timed) for name in (CLUSTER, beside, OTHER, "projects/p")
    }
    assert lowered == {CLUSTER: True, beside: True, OTHER: False, "projects/p": False}


def test_what_cannot_be_read_is_said(store: Store) -> None:
    """A document that makes no sense is left as it is; so is one that others keep changing."""
    entry = store.create(budget_key(CLUSTER, "other"), b"{}")
    with pytest.raises(StoreError) as raised:
        spend(store, HERE, "other", WRONG, untold)
    assert raised.value.reason == Reason.LEDGER_UNUSABLE
    assert store.get(entry.key) is not None
    spend(store, HERE, "contain", verdict("b"), untold)

    with store.failing("replace", Conflict(Reason.CONFLICT, "")), pytest.raises(RetryableError):
        spend(store, HERE, "contain", verdict("c"), untold)
