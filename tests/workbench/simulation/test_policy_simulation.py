"""One set of policies over findings in the order of time: what waits for a warm-up is counted once it is decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.context import Context
from scc_responder.guard.trust.first_shot import FirstShotState
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulation.impact import BoundedSet
from scc_responder.workbench.simulation.policy_simulation import Simulation
from tests.kits.responder import RAILS, policy, write_policies
from tests.workbench.simulation.test_replay import finding, told

WIDE = "limits: {owner: [], namespace: []}\n"
DELETES = policy("label_pod", "delete_pod", "notify")
Made = Callable[..., Simulation]


@pytest.fixture
def simulated(tmp_path: Path) -> Made:
    """Makes a simulation with a warm-up of a minute."""

    def make(*policies: str, rails: str = WIDE, **options: Any) -> Simulation:
        guardrails = f"{RAILS}warm_up: 60s\n{rails}"
        loaded = load_policies(write_policies(tmp_path / "policies", *(policies or (DELETES,)), guardrails=guardrails))
        return Simulation(loaded, BoundedSet(), **options)

    return make


def pods(count: int, every: float = 0.2) -> list[Context]:
    """So many findings, so many minutes apart, each about a pod of a workload of its own."""
    made = [finding(number, pod=f"web{number}-6d5f9c7b4-aaaaa", minutes=1 + number * every) for number in range(count)]
    return [context_of(item, told(item)) for item in made]


def total(simulation: Simulation, name: str = "contain") -> tuple[dict[str, int], dict[str, int]]:
    """What a policy did, and what was held of it."""
    count = next(report.total for report in simulation.reports() if report.name == name)
    return count.acts, count.held


def test_what_waits_counts_once_it_is_done(simulated: Made) -> None:
    """Marks and messages count at once; the deletions at the end of the warm-up, all of them."""
    simulation = simulated()
    for each in pods(3):
        simulation.add(each)
    assert total(simulation) == ({"label_pod": 3, "notify": 3}, {})
    simulation.settle()
    assert total(simulation) == ({"delete_pod": 3, "label_pod": 3, "notify": 3}, {})
    assert simulation.matched == 3
    (shot,) = simulation.shots.reports()
    assert (shot.waited, shot.targets, shot.then) == (3, 3, {"delete_pod": 3})
    assert shot.named[0].shown == "Pod shop/web0-6d5f9c7b4-aaaaa in prod-1"


def test_a_later_finding_settles_what_waited(simulated: Made) -> None:
    """Time goes on with findings: one after the warm-up does not wait, and is no part of the first shot."""
    simulation = simulated()
    for each in pods(2, every=2):
        simulation.add(each)
    assert total(simulation)[0]["delete_pod"] == 2
    (shot,) = simulation.shots.reports()
    assert shot.waited == 1


def test_a_refused_first_shot_deletes_nothing(simulated: Made) -> None:
    """More than the limit allows at once: none is done, nor what comes later, and the ledger counts none."""
    simulation = simulated(rails="limits: {owner: [], namespace: [], cluster: [{most: 2, within: 1h}]}\n")
    for each in [*pods(3), *pods(6)[-1:]]:
        simulation.add(each)
    simulation.settle()
    acts, held = total(simulation)
    assert ("delete_pod" in acts, held) == (False, {"delete_pod: first_shot_too_wide": 4})
    (shot,) = simulation.shots.reports()
    assert (shot.state, shot.then) == (FirstShotState.REFUSED, {"delete_pod: first_shot_too_wide": shot.waited})
    assert simulation.limits.trips == []


def test_what_passes_still_meets_the_limits(simulated: Made) -> None:
    """Those that a known policy used up meanwhile are not there for a new one."""
    rails = "limits: {owner: [], namespace: [], cluster: [{most: 2, within: 1h}]}\n"
    asks = policy("delete_pod", name="asks", mode="approve", when="{threat: reverse_shell, namespace: shop}")
    simulation = simulated(DELETES.replace("reverse_shell", "'*'"), asks.replace("\n  {", " {"), rails=rails)
    for each in pods(3):
        simulation.add(each)
    simulation.settle()
    assert total(simulation, "asks") == ({"delete_pod": 2}, {"delete_pod: limit_cluster": 1})


def test_what_needs_the_waiting_step_is_decided_with_it(simulated: Made) -> None:
    """It is not told as held for a need meanwhile."""
    needy = DELETES + "  - action: cordon_node\n    needs: [delete_pod]\n"
    simulation = simulated(needy)
    simulation.add(pods(1)[0])
    assert (total(simulation)[1], simulation.notices.report().messages) == ({}, 0)
    simulation.settle()
    assert total(simulation) == ({"cordon_node": 1, "delete_pod": 1, "label_pod": 1, "notify": 1}, {})


def test_two_policies_wait_each_for_its_own(simulated: Made) -> None:
    """Each is new in the cluster; both count what they ask for."""
    simulation = simulated(DELETES, policy("delete_pod", name="other"))
    for each in pods(2):
        simulation.add(each)
    simulation.settle()
    assert [total(simulation, name)[0]["delete_pod"] for name in ("contain", "other")] == [2, 2]
    assert [shot.policy for shot in simulation.shots.reports()] == ["contain", "other"]


def test_the_whole_is_what_no_wait_keeps_from_showing(simulated: Made) -> None:
    """What a refusal hides is there to compare with."""
    rails = "limits: {owner: [], namespace: [], cluster: [{most: 1, within: 1h}]}\n"
    simulation = simulated(rails=rails, compared=True)
    for each in pods(2):
        simulation.add(each)
    simulation.settle()
    assert simulation.whole is not None
    reached = {(action, target.name) for target, action, mode, _ in simulation.reach.entries() if mode}
    whole = {(action, target.name) for target, action, mode, _ in simulation.whole.entries() if mode}
    assert {action for action, _ in whole - reached} == {"delete_pod"}
    assert len(whole - reached) == 2


def test_the_next_day_counts_what_is_done_then(simulated: Made) -> None:
    """A deletion that waits over midnight is of the day on which it is done."""
    simulation = simulated()
    late = finding(1, minutes=15 * 60 - 0.5)
    simulation.add(context_of(late, told(late)))
    simulation.settle()
    (report,) = simulation.reports()
    assert [(str(day.day), day.count.matched, day.count.acts) for day in report.days] == [
        ("2026-03-02", 1, {"label_pod": 1, "notify": 1}),
        ("2026-03-03", 0, {"delete_pod": 1}),
    ]
