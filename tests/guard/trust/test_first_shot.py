"""What a first shot comes to: by how many targets it has, and by which limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from scc_responder.guard.limits.ledger_document import DisruptionRequest
from scc_responder.guard.trust.first_shot import (
    FORGOTTEN_AFTER,
    MOST_ON_TARGET,
    MOST_WAITING,
    FirstShot,
    FirstShotState,
    decided,
    first_shot_key,
    policy_content,
    with_act,
    with_times,
)
from scc_responder.guard.trust.refused_shots import let_pass
from scc_responder.policy.limits import Limit
from tests.guard.test_ledger import rails
from tests.policy.test_decide import policy_of

START = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
NEW = FirstShot(place="projects/p", policy="contain", content="c")
THREE = Limit(most=3, within="10m")


def request(target: str, action: str = "a", **scopes: str) -> DisruptionRequest:
    return DisruptionRequest(action_id=action, target=target, kind="pods", scopes=scopes, policy="contain")


def waiting(*requests: DisruptionRequest) -> FirstShot:
    """A first shot of these, all since the start."""
    shot = NEW
    for each in requests:
        shot = with_act(shot, each, START)
    return shot


def of(count: int, **scopes: str) -> FirstShot:
    return waiting(*(request(f"pod-{number}", **scopes) for number in range(count)))


SHOP = {"namespace": "shop"}
DECISIONS = [
    pytest.param(of(3), (), {"cluster": (THREE,)}, "", id="as-many-as-the-limit"),
    pytest.param(of(4), (), {"cluster": (THREE,)}, "4 targets at once; cluster: 3 pods", id="one-more"),
    pytest.param(of(4), (THREE,), {}, "4 targets at once; policy contain: 3 pods", id="the-policys-own"),
    pytest.param(of(4, **SHOP), (), {"namespace": (THREE,)}, "4 targets at once; namespace shop", id="one-namespace"),
    pytest.param(
        waiting(*(request(f"pod-{n}", namespace=f"team-{n}") for n in range(4))),
        (),
        {"namespace": (THREE,)},
        "",
        id="four-namespaces",
    ),
    pytest.param(
        waiting(*(request("pod-1", f"action-{n}") for n in range(4))), (), {"cluster": (THREE,)}, "", id="one-target"
    ),
    pytest.param(of(MOST_WAITING), (), {}, f"{MOST_WAITING} acts and more", id="more-than-are-counted"),
]


@pytest.mark.parametrize(("shot", "own", "limits", "detail"), DECISIONS)
def test_all_or_none(
    shot: FirstShot, own: tuple[Limit, ...], limits: dict[str, tuple[Limit, ...]], detail: str
) -> None:
    """All that wait are done where they fit every limit by themselves; else none is, and it says by which."""
    after = decided(shot, own, rails(**limits), START)
    assert after.state is (FirstShotState.REFUSED if detail else FirstShotState.PASSED)
    assert after.detail.startswith(detail)
    assert bool(after.detail) == bool(detail)


def test_an_act_is_noted_once() -> None:
    """The same act stays as it is; many findings on one target are noted a few times, and wait with the latest."""
    shot = waiting(request("pod-1"))
    later = START + timedelta(seconds=5)
    assert with_act(shot, request("pod-1"), later) is shot
    for number in range(9):
        shot = with_act(shot, request("pod-1", f"other-{number}"), later)
    assert (len(shot.acts), shot.targets) == (MOST_ON_TARGET, 1)
    assert shot.since(request("pod-1")) == START
    assert shot.since(request("pod-1", "another")) == later
    assert shot.since(request("pod-2")) is None


def test_what_nobody_came_back_for_is_forgotten() -> None:
    """A target whose finding ended long ago decides nothing for those of today."""
    shot = with_act(of(4), request("pod-9"), START + FORGOTTEN_AFTER)
    assert [act.request.target for act in shot.acts] == ["pod-9"]


def test_the_first_act_waits_since_the_document_was_made() -> None:
    """Only the store's answer says when that was."""
    made = with_act(NEW, request("pod-1"), None)
    assert made.since(request("pod-1")) is None
    assert with_times(made, START).since(request("pod-1")) == START


def test_a_document_is_of_one_content_and_place() -> None:
    """An edited policy, or another cluster, has another document."""
    one, edited = policy_of(), replace(policy_of(), description="Another one.")
    keys = {
        first_shot_key(place, policy_content(each)) for place in ("projects/a", "projects/b") for each in (one, edited)
    }
    assert len(keys) == 4
    assert policy_content(one) == policy_content(policy_of())


def test_a_person_lets_it_pass() -> None:
    """It is kept who did, and why."""
    passed = let_pass(decided(of(4), (THREE,), rails(), START), "oncall@example.com", "a worm", START)
    assert (passed.state, passed.by, passed.said) == (FirstShotState.PASSED, "oncall@example.com", "a worm")
