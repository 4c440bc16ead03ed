"""One finding's notifications, one after the other: what is news is worked on, what is not asks nobody."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import FOLDER
from tests.kits.responder import Deployment, deployed, finding_about, mutations, policy

SEQUENCES = sorted((FOLDER / "sequences").glob("*.json"))
MARKED = ["patch pods"]

Object = dict[str, Any]


def shifted(event_time: str, seconds: int) -> str:
    moment = datetime.fromisoformat(event_time) + timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


def played(deployment: Deployment, pod: Object, steps: list[Object]) -> list[tuple[str, str, bool]]:
    """How each step ended: what it is about, the reason, and whether the cluster was asked."""
    ended = []
    for step in steps:
        document = finding_about(pod)
        event_time = shifted(document["finding"]["eventTime"], step["seconds"])
        document["finding"] |= {"eventTime": event_time, **step["finding"]}
        before = deployment.clusters.asked
        ending = deployment.respond_to(document)
        assert ending.status == 204
        ended.append((step["about"], ending.reason, deployment.clusters.asked > before))
    return ended


@pytest.mark.parametrize("path", SEQUENCES, ids=lambda path: path.stem)
def test_each_sequence_ends_as_it_says(tmp_path: Path, cluster: SimulatedCluster, pod: Object, path: Path) -> None:
    """Each notification ends as its sequence says; only those that bring something new ask the cluster."""
    steps = json.loads(path.read_text())["steps"]
    deployment = deployed(tmp_path, cluster, policy("label_pod", "notify"))

    ended = played(deployment, pod, steps)

    assert ended == [(step["about"], step["ends"], step["asks"]) for step in steps]
    assert mutations(cluster.audit) == MARKED


def test_sequences_are_covered() -> None:
    """Create, update, mute, unmute, inactive and our own marks each have a sequence."""
    told = {step["ends"] for path in SEQUENCES for step in json.loads(path.read_text())["steps"]}
    assert told == {"done", "duplicate", "stale", "muted", "inactive"}
    assert {"updated", "our_marks", "our_mute", "our_state", "muted_first", "resolved_first"} <= {
        path.stem for path in SEQUENCES
    }


def test_the_whole_chain_is_not_repeated(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The pod that was deleted stays the only one, whatever our marks, mutes and state changes bring back."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence", "delete_pod", "notify"))
    steps = [
        step for path in SEQUENCES for step in json.loads(path.read_text())["steps"] if path.stem.startswith("our_")
    ]
    steps = sorted(steps, key=lambda step: int(step["seconds"]))
    first = {"about": "created", "seconds": 0, "finding": {}}

    played(deployment, pod, [first, *steps])

    assert [entry for entry in mutations(cluster.audit) if entry.startswith("delete")] == ["delete pods"]
    assert len(cluster.objects("Pod", "shop")) == 2
