"""The case as it is stored: what is left out where it is too large, and what a version can read of another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, Closing
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.chain.step_chain import extended, fault_of
from scc_responder.journal.plan import Plan, PlanState
from tests.kits.journal_worlds import step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = CaseRecord(finding_key="k", finding_name="n", event_time=NOW, digest="d")


def test_too_large_a_record_leaves_out_the_decision_then_settled_changes_but_no_step() -> None:
    """What keeps an action from being repeated is kept longest."""
    settled = [step(number, StepStatus.DONE, change={"labels": "x" * 1500}) for number in range(80)]
    steps = (*settled, step(99, change={"labels": "kept"}))
    stored = decode(encode(replace(RECORD, steps=steps, decision={"why": "y" * 9000})))
    assert stored.decision == {"left_out": "too_large"}
    assert [each.action_id for each in steps] == [each.action_id for each in stored.steps]
    assert (stored.steps[0].change, stored.steps[-1].change) == ({}, {"labels": "kept"})


def closing(count: int, **fields: Any) -> Closing:
    """What was closed, with so many large steps that were taken back."""
    return Closing(
        state=CaseState.DONE, epoch=0, taken_back=tuple(step(n, StepStatus.DONE, **fields) for n in range(count))
    )


def test_what_was_taken_back_is_shortened_and_then_forgotten_the_oldest_first() -> None:
    """Before a step of now is. The chain is that of what is stored."""
    few = replace(RECORD, history=(closing(80, change={"labels": "x" * 1500}),), steps=(step(1, StepStatus.DONE),))
    stored = decode(encode(few))
    assert [each.change for each in stored.history[0].taken_back] == [{}] * 80
    many = replace(RECORD, history=(closing(300), closing(2), *[closing(120)] * 2), steps=(step(1, StepStatus.DONE),))
    chain = extended(None, "k", many.chained, 1)
    stored = decode(encode(replace(many, chain=chain, seq=1)))
    assert [len(each.taken_back) for each in stored.history] == [0, 2, 120, 120]
    assert (len(stored.steps), fault_of(stored.chain, "k", stored.chained, 1)) == (1, None)


def test_fields_of_a_later_version_are_kept_in_what_was_taken_back() -> None:
    """Each step there is kept whole, as those of now are."""
    fields = json.loads(encode(replace(RECORD, history=(closing(1),))))
    fields["history"][0]["taken_back"][0]["later"] = {"x": 1}
    assert json.loads(encode(decode(json.dumps(fields).encode()))) == fields


def test_fields_of_a_later_version_are_kept() -> None:
    """An older version that serves during a roll-back loses nothing."""
    fields = json.loads(encode(RECORD))
    stored = encode(decode(json.dumps(fields | {"approvals": ["someone@example.com"]}).encode()))
    assert json.loads(stored) == fields | {"approvals": ["someone@example.com"]}


def test_fields_of_a_later_version_are_kept_in_a_plan_that_ended() -> None:
    """What becomes of a case afterwards does not take them away."""
    ended = Plan(digest="d", policy_digest="p", steps=(), created_at=NOW, expires_at=NOW, state=PlanState.VOID)
    fields = json.loads(encode(replace(RECORD, plan=ended)))
    fields["plan"]["ticket"] = "INC-1"
    assert json.loads(encode(decode(json.dumps(fields).encode()))) == fields


SHAPES: list[dict[str, Any]] = [
    {"pod": ["web-1"]},
    {"cloud_run": "checkout"},
    {"threat": []},
    {"policies": [{"name": "contain", "mode": "enforce", "matched": [], "actions": []}]},
    {"policies": [{"mode": "at once"}]},
    {"identity": {"checks": {"one_revision_of": ["a", "b"]}}},
    {"images": "sha256:0a"},
    {"missing": ["pod"]},
]


@pytest.mark.parametrize("decision", SHAPES, ids=str)
def test_a_decision_of_another_form_is_unreadable(decision: dict[str, Any]) -> None:
    """Whoever may write the store could stop each sweep and look by one such record; so it is counted, and left."""
    fields = json.loads(encode(RECORD)) | {"decision": decision}
    with pytest.raises(RetryableError, match="the record is damaged") as caught:
        decode(json.dumps(fields).encode())
    assert caught.value.reason == "record_unreadable"


UNREADABLE = [
    (b"\xff", "record_unreadable"),
    (b"[]", "record_unreadable"),
    (b'{"schema":1,"note":"\xff"}', "record_unreadable"),
    (b'{"schema":1,"steps":' + b"[" * 50_000, "record_unreadable"),
    (b'{"schema":1}', "record_unreadable"),
    (b"{}", "record_newer"),
    (b'{"schema":3}', "record_newer"),
]


@pytest.mark.parametrize(("value", "reason"), UNREADABLE)
def test_an_unreadable_record_says_why(value: bytes, reason: str) -> None:
    """What is no record, and what a later version wrote, are told apart."""
    with pytest.raises(RetryableError) as caught:
        decode(value)
    assert caught.value.reason == reason
