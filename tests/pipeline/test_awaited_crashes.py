"""A process killed at any point of a deletion that is awaited: it is sent once, and its end is told."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from scc_responder.journal.contained import containment
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kills import Noted, killed_at
from tests.kits.responder import api_of, mutations, policy
from tests.pipeline.approval_program import case_of, main
from tests.pipeline.test_approval_crashes import run, scene

GRACE = 7
OVER = str(GRACE + 11)
STEPS = policy("label_pod", "capture_evidence", f"delete_pod {{grace_period_seconds: {GRACE}}}", "notify")
WRITES = ["patch pods", "patch pods", "delete pods"]
TOLD = ("done", "processes_ended", WRITES)


def ends(cluster: SimulatedCluster) -> None:
    """The kubelet stops the containers; a finalizer keeps the object, so that the end can be read at any time."""
    (name,) = (
        item["metadata"]["name"] for item in cluster.objects("Pod", "shop") if "deletionTimestamp" in item["metadata"]
    )
    path = f"/api/v1/namespaces/shop/pods/{name}"
    api_of(cluster, "admin").patch(path, {"metadata": {"finalizers": ["example.com/hold"]}})
    cluster.stop_pods()


def seen(folder: Path, cluster: SimulatedCluster) -> tuple[str, str, list[str]]:
    """State and containment of the case, and the writes of the responder to the cluster."""
    record = case_of(folder)
    ours = [event for event in cluster.audit if event.user == "responder"]
    return str(record.state), str(containment(record.current_steps) or ""), list(mutations(ours))


def points(folder: Path, what: str) -> list[str]:
    """The failpoints of one undisturbed delivery of which the end is awaited, or of the sweep that tells the end."""
    log = folder.with_suffix(".log")
    with scene(folder, STEPS, stop_seconds=3600) as cluster:
        if what == "sweep":
            main("deliver", folder)
            ends(cluster)
        assert run(what, folder, FAILPOINTS_LOG=str(log), LATER="0" if what == "deliver" else OVER) == 0
    return log.read_text().splitlines()


def test_a_delivery_killed_while_it_deletes(
    tmp_path: Path, record_property: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered again, the deletion is sent once and awaited; the sweep after the grace period tells its end."""

    def killed(number: int) -> tuple[tuple[str, str, list[str]], tuple[str, str, list[str]]]:
        folder = tmp_path / str(number)
        with scene(folder, STEPS, stop_seconds=3600) as cluster:
            assert run("deliver", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            main("deliver", folder)
            awaited = seen(folder, cluster)
            ends(cluster)
            with monkeypatch.context() as later:
                later.setenv("LATER", OVER)
                main("sweep", folder)
            return awaited, seen(folder, cluster)

    names = points(tmp_path / "whole", "deliver")
    numbers = killed_at("an awaited deletion", names, record_property, each=2)
    found = {f"{n} {names[n - 1]}": killed(n) for n in numbers}
    assert {name: what for name, what in found.items() if what != (("open", "", WRITES), TOLD)} == {}


def test_a_sweep_killed_while_it_looks(tmp_path: Path, record_property: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next sweep, or the one after it, reads the pod again, sends nothing, and tells the end."""

    def killed(number: int) -> tuple[str, str, list[str]]:
        folder = tmp_path / str(number)
        with scene(folder, STEPS, stop_seconds=3600) as cluster:
            main("deliver", folder)
            ends(cluster)
            assert run("sweep", folder, FAILPOINT=str(number), LATER=OVER) == -signal.SIGKILL
            with monkeypatch.context() as later:
                later.setenv("LATER", OVER)
                main("sweep", folder)
                main("sweep", folder)
            return seen(folder, cluster)

    names = points(tmp_path / "whole", "sweep")
    found = {f"{n} {names[n - 1]}": killed(n) for n in killed_at("a sweep that looks", names, record_property)}
    assert {name: what for name, what in found.items() if what != TOLD} == {}
