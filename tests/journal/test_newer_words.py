"""A case with words of a later version is left alone, and loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import RetryableError
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.newer_words import newer_words
from scc_responder.journal.step import Step

NOW = datetime(2026, 3, 2, 9, 38, 12, tzinfo=UTC)
LABEL = {
    "change": "patch",
    "kind": "Pod",
    "namespace": "shop",
    "name": "web-1",
    "uid": "u",
    "labels": {"a": "b"},
}
FREEZE = {"change": "freeze"}
ISOLATION = {
    "change": "create_network_policy",
    "namespace": "shop",
    "name": "p",
    "pod_name": "web-1",
    "pod_uid": "u",
    "selector": {"a": "b"},
    "effective": "enforced",
}
CUT = {"change": "sever_connections", "isolation": ISOLATION}
INTENT = {"action_id": "1", "policy": "contain", "action": "label_pod", "status": "intent", "change": LABEL}
RECORD = json.loads(
    encode(CaseRecord(finding_key="a" * 64, finding_name="f", event_time=NOW, digest="d", opened_at=NOW))
)
PLAN = {
    "digest": "d",
    "policy_digest": "p",
    "steps": [{"policy": "contain", "action": "label_pod", "changes": [LABEL]}],
    "created_at": "2026-03-02T09:38:12Z",
    "expires_at": "2026-03-02T10:38:12Z",
}
PLANNED = PLAN["steps"][0]  # type: ignore[index]


DONE = INTENT | {"status": "done", "epoch": 1}


def of(**fields: Any) -> dict[str, Any]:
    return RECORD | fields


NEWER = [
    pytest.param(of(state="frozen"), "state 'frozen'", id="state"),
    pytest.param(
        of(history=[{"state": "done", "epoch": 1, "taken_back": [DONE | {"status": "thawing"}]}]),
        "step.status 'thawing'",
        id="status-of-what-was-taken-back",
    ),
    pytest.param(of(history=[{"state": "frozen", "epoch": 1}]), "history.state 'frozen'", id="state before"),
    pytest.param(of(steps=[INTENT | {"status": "queued"}]), "step.status 'queued'", id="status"),
    pytest.param(
        of(steps=[INTENT | {"status": "queued", "undoes": "1/0"}]), "step.status 'queued'", id="undo's status"
    ),
    pytest.param(of(steps=[INTENT | {"action": "freeze_pod"}]), "action 'freeze_pod'", id="action"),
    pytest.param(of(steps=[INTENT | {"change": FREEZE}]), "change 'freeze'", id="kind of change"),
    pytest.param(of(steps=[INTENT | {"status": "unknown", "change": FREEZE}]), "change 'freeze'", id="of an open end"),
    pytest.param(
        of(plan=PLAN | {"state": "approved", "not_before": "x"}), "plan.not_before", id="approved plan's field"
    ),
    pytest.param(of(plan=PLAN | {"state": "used", "not_before": "x"}), "plan.not_before", id="used plan's field"),
    pytest.param(of(steps=[INTENT | {"change": LABEL | {"only_if": "x"}}]), "change.only_if", id="field of a change"),
    pytest.param(
        of(steps=[INTENT | {"action": "sever_connections", "change": CUT | {"isolation": ISOLATION | {"only_if": 0}}}]),
        "change.isolation.only_if",
        id="field inside a change",
    ),
    pytest.param(
        of(steps=[DONE | {"reason": "budget_awaited", "change": LABEL | {"only_if": ""}}]),
        "change.only_if",
        id="field of a change that comes again",
    ),
    pytest.param(
        of(steps=[INTENT | {"change": ISOLATION | {"obstacle": "gvisor"}}]),
        "change: Invalid enum value 'gvisor' - at `$.obstacle`",
        id="word of a change",
    ),
    pytest.param(
        of(state="waiting", plan=PLAN | {"steps": [PLANNED | {"changes": [ISOLATION | {"effective": "partly"}]}]}),
        "change: Invalid enum value 'partly' - at `$.effective`",
        id="planned word of a change",
    ),
    *(
        pytest.param(
            of(state=state, steps=[DONE | {"action": "freeze_pod"}]),
            "action 'freeze_pod'",
            id=f"done in a case {state}",
        )
        for state in ("open", "waiting", "held")
    ),
    pytest.param(
        of(state="held", plan=PLAN | {"state": "used", "not_before": "x"}), "plan.not_before", id="held by the switch"
    ),
    pytest.param(of(plan=PLAN | {"state": "deferred"}), "plan.state 'deferred'", id="plan's state"),
    pytest.param(of(plan=PLAN | {"not_before": "x"}), "plan.not_before", id="plan's field"),
    pytest.param(
        of(plan=PLAN | {"approvals": [{"by": "a@example.com", "at": "2026-03-02T09:40:00Z", "only": "label_pod"}]}),
        "plan.approval.only",
        id="field of an approval",
    ),
    pytest.param(of(plan=PLAN | {"steps": [PLANNED | {"window": 1}]}), "plan.step.window", id="planned step's field"),
    pytest.param(
        of(plan=PLAN | {"steps": [PLANNED | {"changes": [FREEZE]}]}),
        "change 'freeze'",
        id="planned",
    ),
]


@pytest.mark.parametrize(("stored", "word"), NEWER)
def test_a_newer_word_leaves_the_case_alone(stored: dict[str, Any], word: str) -> None:
    """With the word and where it stands."""
    assert newer_words(stored) == word
    with pytest.raises(RetryableError, match="does not know") as refused:
        decode(json.dumps(stored).encode())
    assert refused.value.reason == "record_newer"


SETTLED = INTENT | {"status": "done", "reason": "of_a_later_version"}


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(of(steps=[INTENT]), id="what is known"),
        pytest.param(of(steps=[INTENT | {"change": ISOLATION}]), id="what may be left out"),
        pytest.param(
            of(steps=[INTENT | {"undoes": "1/0", "change": {"change": "release_object"}}]),
            id="what a person takes back",
        ),
        pytest.param(
            of(state="done", steps=[DONE | {"action": "freeze_pod", "change": FREEZE}]), id="of a closed case"
        ),
        pytest.param(
            of(history=[{"state": "done", "epoch": 1}], steps=[DONE | {"action": "freeze_pod"}], epoch=2),
            id="before the case was opened again",
        ),
        pytest.param(of(steps=[SETTLED | {"change": FREEZE}]), id="settled"),
        pytest.param(of(state="done", plan=PLAN | {"not_before": "x"}), id="a plan of a closed case"),
        pytest.param(of(plan=PLAN | {"state": "void", "not_before": "x"}), id="a plan that is void"),
    ],
)
def test_what_is_not_to_be_done_may_be_newer(stored: dict[str, Any]) -> None:
    """It is kept as it stands."""
    assert decode(json.dumps(stored).encode()).steps == decode(encode(decode(json.dumps(stored).encode()))).steps


def test_unknown_fields_of_steps_survive_rewriting() -> None:
    """Of the case and its history too, also where a step is settled anew: the later version finds them again."""
    before = {"state": "done", "epoch": 0, "told_at": "x"}
    stored = of(steps=[SETTLED | {"measured": {"packets": 0}}], looked_at="x", history=[before])
    read = decode(json.dumps(stored).encode())
    (step,) = read.steps
    changed = read.with_steps((replace(step, detail="more", extra={}), Step(action_id="2")))
    written = json.loads(encode(changed))
    assert (written["looked_at"], written["steps"][0]["measured"]) == ("x", {"packets": 0})
    assert written["history"][0]["told_at"] == "x"
    assert all("extra" not in item for item in (written, *written["steps"], *written["history"]))


@pytest.mark.parametrize("steps", [7, ["x"], [{"change": 5}]])
def test_a_damaged_record_is_unreadable(steps: Any) -> None:
    """And not newer."""
    with pytest.raises(RetryableError) as refused:
        decode(json.dumps(of(steps=steps)).encode())
    assert refused.value.reason == "record_unreadable"
