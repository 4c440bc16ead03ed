"""First shots in a simulation: what waits, who decides when, and what it leaves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.guard.limits.ledger_document import DisruptionRequest
from scc_responder.guard.trust.first_shot import MOST_WAITING, FirstShotState
from scc_responder.workbench.foretold import shot_request
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulation.held_steps import still_waiting
from scc_responder.workbench.simulation.replayed_first_shots import (
    MOST_FINDINGS,
    MOST_TARGETS_NAMED,
    ReplayedFirstShots,
    WaitingFinding,
)
from tests.kits.decision_contexts import EVENT, context
from tests.kits.decisions import decided, step
from tests.kits.responder import CLUSTER, RAILS, policy, write_policies

WARM = f"{RAILS}warm_up: 60s\nlimits: {{cluster: [{{most: 2, within: 10m}}], namespace: [], owner: []}}\n"


@pytest.fixture
def shots(tmp_path: Path) -> ReplayedFirstShots:
    """Those of one policy, where two pods of a cluster may be deleted at once."""
    return ReplayedFirstShots(
        load_policies(write_policies(tmp_path / "policies", policy("delete_pod"), guardrails=WARM))
    )


def asked(number: int) -> DisruptionRequest:
    """The deletion of one of many pods."""
    request = shot_request(context(), actions()["delete_pod"])
    assert request is not None
    return replace(request, target=f"pod-{number}", action_id=f"{number} delete_pod")


def ask(shots: ReplayedFirstShots, number: int, seconds: int = 0, place: str = CLUSTER) -> str:
    """What a deletion is answered so many seconds after the first."""
    return shots.ask("contain", place, asked(number), EVENT + timedelta(seconds=seconds)) or "done"


def test_all_that_fits_passes_together(shots: ReplayedFirstShots) -> None:
    """At the end of the first one's warm-up; what comes later does not wait."""
    assert [ask(shots, 1), ask(shots, 2, 50)] == ["warming_up", "warming_up"]
    assert list(shots.due(EVENT + timedelta(seconds=59))) == []
    (shot,) = shots.due(EVENT + timedelta(seconds=60))
    assert (shot.waited, shot.document.state) == (2, FirstShotState.PASSED)
    assert [ask(shots, 1, 60), ask(shots, 3, 70)] == ["done", "done"]
    (report,) = shots.reports()
    assert (report.since, report.decided_at) == (EVENT, EVENT + timedelta(seconds=60))
    assert (report.notice, report.later) == (None, 0)


def test_too_much_is_refused_as_a_whole(shots: ReplayedFirstShots) -> None:
    """None is done, one notice says so, and what comes later is counted as held by it."""
    assert [ask(shots, number, number) for number in range(3)] == ["warming_up"] * 3
    (shot,) = shots.due(None)
    answers = [ask(shots, number, 60) for number in range(3)] + [ask(shots, 9, 99)]
    assert answers == ["first_shot_too_wide"] * 4
    (report,) = shots.reports()
    assert (report.state, report.targets, report.later) == (FirstShotState.REFUSED, 3, 1)
    assert report.notice is not None
    assert report.detail == report.notice["detail"] == shot.document.detail
    assert "3 targets at once; cluster: 2 pods within 10m" in report.detail


def test_places_are_apart(shots: ReplayedFirstShots) -> None:
    """A policy that has passed in one cluster is new in another."""
    ask(shots, 1)
    list(shots.due(None))
    assert ask(shots, 2, 70, place="projects/p/locations/l/clusters/other") == "warming_up"
    assert shots.count == 2


def test_what_has_to_wait_is_decided_in_time_order(shots: ReplayedFirstShots) -> None:
    """Two places, the one that began first, first."""
    ask(shots, 1, 30)
    ask(shots, 2, 0, place="elsewhere")
    assert [shot.document.place for shot in shots.due(None)] == ["elsewhere", CLUSTER]


def test_a_flood_is_refused_without_keeping_it(shots: ReplayedFirstShots) -> None:
    """Once as many wait as a document holds, nothing can make it pass."""
    answers = [ask(shots, number) for number in range(MOST_WAITING + 2)]
    assert answers[-3:] == ["warming_up", "first_shot_too_wide", "first_shot_too_wide"]
    (shot,) = shots.due(None)
    assert shot.document.state is FirstShotState.REFUSED
    assert shots.reports()[0].later == 2


def test_findings_of_one_target_are_bounded(shots: ReplayedFirstShots) -> None:
    """A thousand that wait for one pod are enough to know what becomes of it."""
    ask(shots, 1)
    for _ in range(MOST_FINDINGS):
        shots.wait(waiting("web-1"))
    assert ask(shots, 1, 1) == "done"


def waiting(name: str) -> WaitingFinding:
    """A finding about a pod of this name whose deletion waits."""
    before = decided(contain=[step("delete_pod")])
    held = decided(contain=[step("delete_pod", "held", Reason.WARMING_UP)])
    return WaitingFinding(
        context=context(pod={"name": name, "uid": name}),
        decision=held,
        waiting=still_waiting(before, held),
        done=set(),
    )


def test_what_waits_is_kept_until_it_is_settled(shots: ReplayedFirstShots) -> None:
    """Its findings stand with the shot, which counts what they came to."""
    ask(shots, 1)
    shots.wait(waiting("web-1"))
    (shot,) = shots.due(None)
    assert [found.context.pod.name for found in shot.findings if found.context.pod] == ["web-1"]
    shot.came_to(
        decided(contain=[step("delete_pod"), step("notify", "held", Reason.NEEDS.of("delete_pod"))]).policies[0]
    )
    assert shots.reports()[0].then == {"delete_pod": 1, "notify: needs_delete_pod": 1}
    assert len(shots.reports()[0].named) <= MOST_TARGETS_NAMED


def test_without_a_warm_up_nothing_is_kept(tmp_path: Path) -> None:
    """Guardrails that do not name it are as they were."""
    shots = ReplayedFirstShots(load_policies(write_policies(tmp_path / "policies", policy("delete_pod"))))
    assert ask(shots, 1) == "done"
    assert (shots.count, shots.reports()) == (0, ())
