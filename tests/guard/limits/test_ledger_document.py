"""The ledger as it is stored: what an instance of the last release makes of it, and what its own becomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from scc_responder.domain.value import Value
from scc_responder.guard.limits.ledger_document import Budget, Ledger, LedgerEntry
from scc_responder.guard.limits.storm import held_by
from scc_responder.policy.guardrails import StormBreaker
from scc_responder.policy.limits import Limit
from tests.guard.test_ledger import NOW, apart, isolating, pod, rails, steps


class LastEntry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An entry as the last release knows it."""

    target: str
    kind: str
    scopes: dict[str, str] = {}
    policies: tuple[str, ...] = ()
    action_id: str = ""
    reserved_at: datetime | None = None
    planned_at: datetime | None = None
    denied: tuple[str, ...] = ()
    keep_until: datetime | None = None


class LastBreaker(Value, frozen=True, kw_only=True):
    """A breaker as the last release knows it: it holds the whole cluster."""

    tripped_at: datetime
    detail: str
    paging_since: datetime
    told_at: datetime | None = None


class LastLedger(Value, frozen=True, kw_only=True):
    """The document as the last release knows it."""

    cluster: str = ""
    entries: tuple[LastEntry, ...] = ()
    breaker: LastBreaker | None = None
    resets: tuple[Any, ...] = ()


def test_the_last_release_counts_more_and_holds_more() -> None:
    """It counts isolations in all of its limits, and takes the breaker of one namespace for the cluster's."""
    limits = rails(StormBreaker(targets=1000, denials=1), namespace=(Limit(most=1, within="10m"),))
    state, _ = steps([isolating(1), *(apart(number) for number in range(2, 6))], limits)[-1]
    read = msgspec.json.decode(msgspec.json.encode(state.cluster), type=LastLedger)
    assert [entry.target for entry in read.entries if entry.reserved_at] == ["pod-1", "pod-2"]
    assert read.breaker is not None
    assert read.breaker.detail == "targets of 2 workloads denied within 10m, of at most 1"


def test_what_the_last_release_wrote_over_counts_in_both_budgets() -> None:
    """It drops what it does not know: afterwards less is allowed, never more."""
    state, _ = steps([isolating(1)], rails())[-1]
    written = msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(state.cluster), type=LastLedger))
    (entry,) = msgspec.json.decode(written, type=Ledger).entries
    assert all(entry.counts_in(budget) for budget in Budget)
    breaker = {"tripped_at": NOW, "detail": "d", "paging_since": NOW, "scope": "namespace=other", "budget": "isolation"}
    narrow = msgspec.convert({"breaker": breaker}, Ledger)
    assert held_by(narrow, pod(1)) is None
    wide = msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(narrow), type=LastLedger))
    assert held_by(msgspec.json.decode(wide, type=Ledger), pod(1)) is not None


def test_what_is_not_known_is_a_group_of_its_own() -> None:
    """A pod whose workload was not read, or was read as two, counts for itself in a storm."""
    for value in ("", "*"):
        assert LedgerEntry(target="u", kind="pods", scopes={"owner": value}).group == "pods=u"
    assert LedgerEntry(target="u", kind="nodes", scopes={"node_pool": "p"}).group == "node_pool=p"
    assert pod(1).group == "owner=web"
