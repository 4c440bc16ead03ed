"""A process killed at any point between a case and a receiver: the notice arrives, under one id, twice at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.kills import Noted, killed_at
from tests.kits.notices import mount
from tests.kits.responder import mutations, policy
from tests.kits.web_service import Posted, Says, WebService, web_service
from tests.pipeline.notices.notice_program import main, services_of
from tests.pipeline.test_approval_crashes import ROOT, scene

STEPS = policy("label_pod", "notify")
ROUTES = """\
routes:
  ops: {receiver: signed_webhook, address: ops-hook}
fallback: [ops]
"""


@contextmanager
def told_by_route(folder: Path) -> Iterator[tuple[SimulatedCluster, WebService]]:
    """A deployment whose one route is a webhook on this machine."""
    with scene(folder, STEPS) as cluster, web_service() as hook:
        (StoryFolder(folder).policies / "routes.yaml").write_text(ROUTES)
        mount(folder / "secrets", {"ops": f"{hook.url}/hook"})
        yield cluster, hook


def run(what: str, folder: Path, **environment: str) -> int:
    """One delivery or sweep in a process of its own, and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "tests.pipeline.notices.notice_program", what, str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/functions:{ROOT}", **environment},
        capture_output=True,
        check=False,
        timeout=120,
    ).returncode


def points(folder: Path, what: str, *, down: bool, later: str = "0") -> list[str]:
    """The points of one undisturbed run; `down`: the receiver refused the delivery before it."""
    log = folder.with_suffix(".log")
    with told_by_route(folder) as (_, hook):
        if down:
            fail_once(hook)
            main("deliver", folder)
        assert run(what, folder, FAILPOINTS_LOG=str(log), LATER=later) == 0
    return log.read_text().splitlines()


def fail_once(hook: WebService) -> None:
    """Let the first request be refused, as by a service that is down."""
    refused: list[Posted] = []

    def judge(posted: Posted) -> Says:
        if not refused:
            refused.append(posted)
            hook.posted.remove(posted)
            return Says(503)
        return Says()

    hook.judge = judge


def arrived(hook: WebService) -> tuple[int, int]:
    """How many ids arrived, and how often the one that came most."""
    ids = [posted.headers["webhook-id"] for posted in hook.posted]
    return len(set(ids)), max(map(ids.count, ids), default=0)


def waits(folder: Path) -> int:
    return len(services_of(folder).store.scan("outbox/").entries)


def test_a_delivery_killed_anywhere(tmp_path: Path, record_property: Noted) -> None:
    """Its message comes again, and sweeps follow: the pod is changed once, and people hear once, or twice of one id."""
    names = points(tmp_path / "whole", "deliver", down=False)
    assert {"before store.create outbox", "after receiver.send", "after store.delete outbox"} <= set(names)
    wrong = {}
    for number in killed_at("a delivery that tells by a route", names, record_property):
        folder = tmp_path / str(number)
        with told_by_route(folder) as (cluster, hook):
            assert run("deliver", folder, FAILPOINT=str(number)) == -signal.SIGKILL
            main("deliver", folder)
            for later in (120, 600):
                main("sweep", folder, later)
            ids, most = arrived(hook)
            if (ids, most in {1, 2}, [*mutations(cluster.audit)], waits(folder)) != (1, True, ["patch pods"], 0):
                wrong[f"{number} {names[number - 1]}"] = (ids, most, waits(folder))
    assert wrong == {}


def test_a_sweep_killed_anywhere(tmp_path: Path, record_property: Noted) -> None:
    """What the receiver refused before is said by that sweep or the next, under its id."""
    names = points(tmp_path / "whole", "sweep", down=True, later="120")
    assert {"after store.replace outbox", "before receiver.send", "before store.delete outbox"} <= set(names)
    wrong = {}
    for number in killed_at("a sweep that tells by a route", names, record_property):
        folder = tmp_path / str(number)
        with told_by_route(folder) as (_, hook):
            fail_once(hook)
            main("deliver", folder)
            assert run("sweep", folder, FAILPOINT=str(number), LATER="120") == -signal.SIGKILL
            for later in (600, 3600):
                main("sweep", folder, later)
            ids, most = arrived(hook)
            if (ids, most in {1, 2}, waits(folder)) != (1, True, 0):
                wrong[f"{number} {names[number - 1]}"] = (ids, most, waits(folder))
    assert wrong == {}
