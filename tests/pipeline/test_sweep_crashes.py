"""A process killed at any point, its message lost: the sweep brings the case to its end, whatever kills that too."""

from __future__ import annotations

import signal
from pathlib import Path

from scc_responder.journal.listed_cases import cases_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kills import Noted
from tests.kits.responder import mutations, policy
from tests.pipeline.approval_program import case_of, main, services_of
from tests.pipeline.test_approval_crashes import WRITES, at_each, run, scene

STEPS = policy("label_pod", "capture_evidence", "delete_pod")


def ended(folder: Path, cluster: SimulatedCluster) -> tuple[str, list[str], str]:
    """The case's state, the writes to the cluster, and what another sweep does."""
    main("sweep", folder)
    main("sweep", folder)
    return str(case_of(folder).state), list(mutations(cluster.audit)), main("sweep", folder).reason


def test_a_delivery_killed_and_lost(tmp_path: Path, record_property: Noted) -> None:
    """A sweep goes on where the delivery stopped: each write is made exactly once, by the audit log."""

    def killed(number: int) -> tuple[str, list[str], str]:
        folder = tmp_path / str(number)
        with scene(folder, STEPS) as cluster:
            assert run("deliver", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            if not cases_of(services_of(folder).journal.cases()).records:
                # It ended before the claim: nothing was recorded, and Pub/Sub still has the message.
                main("deliver", folder)
            return ended(folder, cluster)

    found = at_each(tmp_path, "deliver", killed, record_property, steps=STEPS)

    assert {name: what for name, what in found.items() if what != ("done", WRITES, "swept")} == {}


def test_a_sweep_killed(tmp_path: Path, record_property: Noted) -> None:
    """Killed itself at any point, the next sweep or the one after it goes on."""

    def killed(number: int) -> tuple[str, list[str], str]:
        folder = tmp_path / str(number)
        with scene(folder, STEPS) as cluster:
            assert run("deliver", folder, FAILPOINT="6") == -signal.SIGKILL
            assert run("sweep", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            return ended(folder, cluster)

    found = at_each(tmp_path, "sweep", killed, record_property, steps=STEPS, before=6)

    assert {name: what for name, what in found.items() if what != ("done", WRITES, "swept")} == {}
