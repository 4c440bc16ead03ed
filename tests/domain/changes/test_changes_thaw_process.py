"""Only what the case froze goes on again, and only where that was read back is it said."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from scc_responder.domain.changes.thaw_process import ThawProcess
from scc_responder.domain.status import FrozenProcess, Result
from tests.kits.collector_logs import document
from tests.kits.one_change import one_cluster, pod_target, step_run
from tests.kits.scripted_collector import ScriptedApi, says, thaw

FROZEN = (FrozenProcess(pid=43, start_ticks=8043), FrozenProcess(pid=44, start_ticks=8044))


def thawed(stopped: tuple[FrozenProcess, ...], *documents: bytes) -> tuple[Result, list[dict[str, Any]]]:
    """The outcome, and what was put into the pod."""
    with one_cluster() as (cluster, means):
        played = means.api = ScriptedApi(means.api)
        played.answers["thaw"] = says(*documents)
        means.stopped = stopped
        pod = pod_target(cluster)
        names = cluster.objects("Pod", "shop")[0]["spec"]["containers"]
        result = ThawProcess(**pod, container=names[0]["name"]).carry_out(step_run(), means)
        return result, cluster.objects("Pod", "shop")[0]["spec"].get("ephemeralContainers", [])


def test_what_was_frozen_goes_on() -> None:
    """The request names each process by its pid and its start."""
    result, (container,) = thawed(FROZEN, thaw(p43="thawed", p44="gone"))
    assert (str(result.status), result.reason, result.containment) == ("done", "thawed", None)
    assert result.detail == "1 of 2 processes go on: pid 43 thawed, pid 44 gone"
    text = next(word for word in container["args"] if word.startswith("-request=")).removeprefix("-request=")
    asked = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert asked["frozen"] == [{"pid": 43, "start_ticks": 8043}, {"pid": 44, "start_ticks": 8044}]


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ([thaw(p43="thawed", p44="still_stopped")], "not_thawed"),
        ([thaw(p43="other_process")], "not_thawed"),
        ([document("run")], "answer_truncated"),
    ],
)
def test_what_was_not_read_back_is_not_said(documents: list[bytes], reason: str) -> None:
    """One that stands still keeps the others from being enough."""
    result, _ = thawed(FROZEN, *documents)
    assert (str(result.status), result.reason) == ("not_effective", reason)


def test_more_than_one_request_names_are_told() -> None:
    """Admission bounds the request: those that fit go on, and the others are not said to."""
    many = tuple(FrozenProcess(pid=100_000 + number, start_ticks=10_000_000) for number in range(500))
    result, (container,) = thawed(many, thaw(p100000="thawed"))
    assert (str(result.status), result.reason) == ("not_effective", "not_thawed")
    assert result.detail.startswith("499 more stand still")
    text = next(word for word in container["args"] if word.startswith("-request=")).removeprefix("-request=")
    assert 100 < len(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["frozen"]) < 500


def test_where_nothing_is_frozen_nothing_is_put_in() -> None:
    """There is nothing to undo."""
    result, containers = thawed(())
    assert (str(result.status), result.reason, containers) == ("skipped", "nothing_frozen", [])
