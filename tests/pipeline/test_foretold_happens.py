"""What `simulate` says of first shots and of messages is what the responder then does: on the same real parts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.guard.trust.first_shot import FirstShotState
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.cluster_snapshot import Snapshot, take_snapshot
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulation.replay import Replay
from scc_responder.workbench.simulation.replay_report import ReplayReport
from tests.kits.responder import CLUSTER, Deployment, api_of, deployed, policy
from tests.pipeline.test_first_shots import (
    LATER,
    RAILS,
    deleted,
    deletions,
    deliver_all,
    pods,
    refusals,
    swept,
    told_of,
)

Object = dict[str, Any]
REF = ClusterRef.parse(CLUSTER)
assert REF is not None
DESCRIBED = Cluster(ref=REF, autopilot=False, enforces_network_policy=True)
NARROW = f"{RAILS}limits: {{owner: [], namespace: [], cluster: [{{most: 2, within: 1h}}]}}\n"


def simulated(cluster: SimulatedCluster, policies: Path, documents: list[Object]) -> ReplayReport:
    """The report on these findings, with the cluster as it is now."""
    snapshot = Snapshot(take_snapshot(api_of(cluster, "admin"), DESCRIBED, datetime.now(UTC), progress=lambda *_: None))
    replay = Replay(load_policies(policies))
    for finding in sorted(map(parse_notification, documents), key=lambda item: item.event_time):
        replay.add(finding, snapshot.facts(finding))
    return replay.report()


@pytest.mark.parametrize(
    ("count", "state"), [(2, FirstShotState.PASSED), (4, FirstShotState.REFUSED)], ids=["fits", "too-wide"]
)
def test_a_first_shot_comes_to_what_was_foretold(
    tmp_path: Path, cluster: SimulatedCluster, count: int, state: FirstShotState
) -> None:
    """As many wait, as many are then deleted, and the notice, if there is one, says the same words."""
    made = deployed(tmp_path, cluster, policy("label_pod", "delete_pod"), guardrails=NARROW)
    documents = told_of(pods(cluster, count))
    (shot,) = simulated(cluster, tmp_path / "policies", documents).shots
    assert (shot.state, shot.waited, shot.targets) == (state, count, count)

    deliver_all(documents, made)
    assert deletions(made, documents) == {"warming_up": count}
    while swept(made, LATER).get("resumed"):
        pass

    assert deleted(cluster) == shot.then.get("delete_pod", 0) == (count if state is FirstShotState.PASSED else 0)
    told = refusals(made)
    assert [(message["detail"], message["remedy"]) for message in told] == (
        [(shot.notice["detail"], shot.notice["remedy"])] if shot.notice else []
    )


def test_people_are_told_what_was_foretold(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Of each severe finding that is held one message, with the command that the simulation named."""
    made = deployed(tmp_path, cluster, policy("label_pod", "delete_pod"), guardrails=NARROW.replace("60s", "0s"))
    documents = told_of(pods(cluster, 4))
    for document in documents:
        document["finding"]["severity"] = "HIGH"
    told = simulated(cluster, tmp_path / "policies", documents).told
    deliver_all(documents, made)
    assert (told.messages, told.as_one) == (len(messages(made)), 0)
    commands = {hold.hold.to_do: hold.count for hold in told.holds}
    sent = [command.replace(message["case"], "CASE") for message in messages(made) for command in message["to_do"]]
    assert commands == {command: sent.count(command) for command in sent}
    assert set(commands) == {"scc-responder case do CASE delete_pod --reason 'WHY'"}


def messages(made: Deployment) -> list[Object]:
    """The messages that say what a person can do now."""
    return [message for message in made.published.messages if message.get("to_do")]
