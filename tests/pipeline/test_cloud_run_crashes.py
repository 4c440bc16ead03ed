"""A process killed at any point of a Cloud Run case: nothing lost, nothing doubled, by the server's own log."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scc_responder.domain.mode import Mode
from tests.findings import data
from tests.kills import Noted, killed_at
from tests.kits.checkout_deployment import (
    BAD,
    GOOD,
    SERVICES,
    WRITER,
    aged_world,
    escape,
    job_escape,
    run_policy,
    split,
)
from tests.kits.google.cloud_run.samples import CHECKOUT
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.responder import RUN_SOURCE, turn, write_policies
from tests.pipeline.approval_program import case_of, main
from tests.pipeline.test_approval_crashes import run

STEPS = ("capture_evidence", "roll_back_service", "cut_ingress", "remove_invokers", "scale_to_zero", "notify")
WRITES = ["SetIamPolicy", *["UpdateService"] * 3]
SIDE_BY_SIDE = 2


@contextmanager
def scene(folder: Path, policy: str, document: dict[str, Any]) -> Iterator[CloudRunServer]:
    """A deployment in the folder that reaches a Cloud Run of its own, with this finding."""
    world = aged_world()
    split(world, {BAD: 100}, tagged=BAD)
    with CloudRunServer(world) as server:
        (folder / "findings").mkdir(parents=True)
        write_policies(folder / "policies", policy)
        given = {
            "CLUSTERS": "projects/example-project/locations/*/clusters/*",
            "SOURCES": RUN_SOURCE,
            "SERVICES": SERVICES,
            "RUN_WRITER": WRITER,
            "STORE": f"sqlite:///{folder / 'journal.db'}",
            "EVIDENCE": f"file://{folder / 'evidence'}",
            "FINDINGS": str(folder / "findings"),
            "RUN_ENDPOINT": server.endpoint,
        }
        settings = {f"SCC_RESPONDER_{name}": value for name, value in given.items()}
        (folder / "settings.json").write_text(json.dumps(settings))
        turn(settings["SCC_RESPONDER_STORE"], Mode.ENFORCE)
        (folder / "findings" / "finding.json").write_bytes(data(document))
        yield server


def served(server: CloudRunServer) -> dict[str, int]:
    """The share of each revision that has one."""
    statuses = server.world.services[CHECKOUT].traffic_statuses
    return {item.revision: item.percent for item in statuses if item.percent}


def writes(server: CloudRunServer) -> list[str]:
    """The methods of the writes that the server carried out."""
    return sorted(method for method, _ in server.world.writes)


Outcome = tuple[Any, ...]


def at_each(
    tmp_path: Path, what: str, policy: str, document: dict[str, Any], came_of: Callable[[Path, CloudRunServer], Outcome]
) -> Callable[[Noted], dict[str, Outcome]]:
    """What comes of being killed at each point, once somebody goes on: by the point's number and name."""

    def ready(folder: Path) -> None:
        if what == "approve":
            main("deliver", folder)

    def killed(number: int) -> Outcome:
        folder = tmp_path / str(number)
        with scene(folder, policy, document) as server:
            ready(folder)
            assert run(what, folder, FAILPOINT=str(number)) == -signal.SIGKILL
            main(what, folder)
            return came_of(folder, server)

    def all_of_them(noted: Noted) -> dict[str, Outcome]:
        log = tmp_path / "whole.log"
        with scene(tmp_path / "whole", policy, document):
            ready(tmp_path / "whole")
            assert run(what, tmp_path / "whole", FAILPOINTS_LOG=str(log)) == 0
        names = log.read_text().splitlines()
        numbers = killed_at(f"`{what}` on Cloud Run", names, noted, each=2)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return dict(zip((f"{n} {names[n - 1]}" for n in numbers), pool.map(killed, numbers), strict=True))

    return all_of_them


def outcome(folder: Path, server: CloudRunServer) -> Outcome:
    """How the case ended, what was written, and which revision has the requests."""
    return str(case_of(folder).state), writes(server), served(server)


def test_killed_while_a_plan_is_made(tmp_path: Path, record_property: Noted) -> None:
    """After a redelivery one plan waits, and nothing was written."""
    found = at_each(tmp_path, "deliver", run_policy(*STEPS), escape(), outcome)(record_property)
    assert {name: what for name, what in found.items() if what != ("waiting", [], {BAD: 100})} == {}


def test_killed_while_a_plan_is_carried_out(tmp_path: Path, record_property: Noted) -> None:
    """Approved again, the case goes on where it stopped: each write is made once."""
    found = at_each(tmp_path, "approve", run_policy(*STEPS), escape(), outcome)(record_property)
    assert {name: what for name, what in found.items() if what != ("done", WRITES, {GOOD: 100})} == {}


def test_killed_while_an_execution_is_cancelled(tmp_path: Path, record_property: Noted) -> None:
    """What cannot be undone is reserved first; a redelivery finds its own work by what is read back."""
    policy = run_policy("capture_evidence", "cancel_execution", mode="enforce")
    found = at_each(tmp_path, "deliver", policy, job_escape(), outcome)(record_property)
    expected = ("done", ["CancelExecution"], {BAD: 100})
    assert {name: what for name, what in found.items() if what != expected} == {}
