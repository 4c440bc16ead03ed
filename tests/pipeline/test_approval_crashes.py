"""A process killed at any point while it plans or carries out what was approved: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.cluster import objects
from tests.findings import data
from tests.kills import Noted, killed_at
from tests.kits.responder import NODE, finding_about, mutations, policy, turn, write_policies
from tests.pipeline.approval_program import case_of, main

ROOT = Path(__file__).parents[2]
SIDE_BY_SIDE = 2
STEPS = policy("label_pod", "capture_evidence", "delete_pod", mode="approve")
WRITES = ["patch pods", "patch pods", "delete pods"]


@contextmanager
def scene(folder: Path, steps: str = STEPS, *, stop_seconds: float = 0) -> Iterator[SimulatedCluster]:
    """A deployment in the folder, in a cluster of its own, with a finding about one of its pods."""
    with SimulatedCluster(stop_seconds=stop_seconds) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        folder.mkdir()
        policies = write_policies(folder / "given", steps)
        deployment = StoryFolder(folder)
        deployment.lay_out(cluster, policies)
        turn(deployment.journal)
        document = finding_about(cluster.objects("Pod", "shop")[0])
        (deployment.findings / "finding.json").write_bytes(data(document))
        yield cluster


def run(what: str, folder: Path, **environment: str) -> int:
    """One delivery or approval in a process of its own, and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "tests.pipeline.approval_program", what, str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/functions:{ROOT}", **environment},
        capture_output=True,
        check=False,
        timeout=120,
    ).returncode


def points_of(folder: Path, what: str, steps: str = STEPS, before: int = 0) -> list[str]:
    """The failpoints of one undisturbed run, in the order they were passed; `before`: where a delivery was killed."""
    log = folder.with_suffix(".log")
    with scene(folder, steps):
        if before:
            run("deliver", folder, FAILPOINT=str(before))
        if what == "approve":
            main("deliver", folder)
        assert run(what, folder, FAILPOINTS_LOG=str(log)) == 0
    return log.read_text().splitlines()


def at_each(
    tmp_path: Path, what: str, killed: Callable[[int], Any], noted: Noted, *, steps: str = STEPS, before: int = 0
) -> dict[str, Any]:
    """What comes of being killed at each point (see `killed_at`), by its number and name."""
    names = points_of(tmp_path / "whole", what, steps, before)
    assert len(names) > 20
    numbers = killed_at(f"`{what}`", names, noted, each=2)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip((f"{n} {names[n - 1]}" for n in numbers), pool.map(killed, numbers), strict=True))


def test_killed_while_it_plans(tmp_path: Path, record_property: Noted) -> None:
    """After a redelivery one plan waits, with the digest that was published, and nothing was written to the cluster."""

    def killed(number: int) -> tuple[str, int, set[str], list[str]]:
        folder = tmp_path / str(number)
        with scene(folder) as cluster:
            assert run("deliver", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            main("deliver", folder)
            record = case_of(folder)
            told = [json.loads(line) for line in (folder / "published").read_bytes().splitlines()]
            digests = {item["approval"]["digest"] for item in told} ^ {record.plan.digest if record.plan else ""}
            expiries = len({item["approval"]["expires_at"] for item in told})
            return str(record.state), expiries, digests, list(mutations(cluster.audit))

    found = at_each(tmp_path, "deliver", killed, record_property)

    assert {name: what for name, what in found.items() if what != ("waiting", 1, set(), [])} == {}


def test_killed_while_it_carries_out(tmp_path: Path, record_property: Noted) -> None:
    """Approved again, the case goes on where it stopped: each write is made exactly once, by the audit log."""

    def killed(number: int) -> tuple[str, str, list[str], str]:
        folder = tmp_path / str(number)
        with scene(folder) as cluster:
            main("deliver", folder)
            assert run("approve", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            main("approve", folder)
            record, last = case_of(folder), main("approve", folder)
            state = str(record.plan.state) if record.plan else ""
            return str(record.state), state, list(mutations(cluster.audit)), last.reason

    found = at_each(tmp_path, "approve", killed, record_property)

    assert {name: what for name, what in found.items() if what != ("done", "used", WRITES, "approval_used")} == {}


def test_killed_and_delivered_again(tmp_path: Path) -> None:
    """A redelivery of the finding goes on with an approved case as well; it needs no second approval."""
    folder = tmp_path / "scene"
    with scene(folder) as cluster:
        main("deliver", folder)
        assert run("approve", folder, FAILPOINT="8") == -signal.SIGKILL
        main("deliver", folder)
        assert (case_of(folder).state, mutations(cluster.audit)) == ("done", WRITES)
