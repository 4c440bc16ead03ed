"""A look into a container: once for a case, read from the start, and resumed after a crash with the same key."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from scc_responder.domain.changes import Inspected
from scc_responder.domain.changes.inspect_container import InspectContainer
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.collector_stream import Truncated
from scc_responder.domain.kubernetes.ephemeral_containers import LookRequest, WantedFile, request_argument
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run

REQUEST = request_argument(LookRequest(binaries=(WantedFile(path="/tmp/x", sha256="a" * 64),)))


class Looking(OneCluster):
    """`changes.Means` that notes what a look told."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        super().__init__(cluster)
        self.told: list[str] = []
        self.own_form = False
        self.crash = False

    def keep_inspection(self, inspected: Inspected) -> Result:
        """Note the names of the documents, and whether all came."""
        if self.crash:
            raise RuntimeError("a crash of ours")
        self.own_form = inspected.own_form
        try:
            frames = [*inspected.frames]
        except Truncated:
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.INSPECTED_IN_PART)
        self.told = [frame.json()["name"] for frame in frames if frame.kind.value == "J"]
        return done(Reason.INSPECTED)


def change(cluster: SimulatedCluster) -> InspectContainer:
    """A look into the pod's one container."""
    return InspectContainer(**pod_target(cluster), container="web", request=REQUEST)


def puts(cluster: SimulatedCluster) -> list[bool]:
    """The patches of ephemeral containers, each whether it was a rehearsal."""
    return [event.dry_run for event in cluster.audit if event.subresource == "ephemeralcontainers"]


def test_a_look_is_rehearsed_then_put_in_and_read() -> None:
    """One rehearsal, one request; the key stays until the case says what came of it."""
    with one_cluster() as (cluster, _):
        means = Looking(cluster)
        result = change(cluster).carry_out(step_run(), means)
        assert (result.reason, puts(cluster)) == (Reason.INSPECTED, [True, False])
        assert means.told[:4] == ["run", "matches", "processes", "files"]
        assert means.collector.key is not None


def test_a_rehearsal_puts_nothing_in() -> None:
    """In mode `dry_run` the cluster is asked whether it would let us."""
    with one_cluster() as (cluster, _):
        result = change(cluster).carry_out(step_run(dry_run=True), Looking(cluster))
        assert (result.status, result.reason, puts(cluster)) == (StepStatus.DRY_RUN, Reason.WOULD_INSERT, [True])


def test_a_crash_before_the_reading_loses_nothing() -> None:
    """The next process finds the container by its name, and reads its log with the stored key."""
    with one_cluster() as (cluster, _):
        means = Looking(cluster)
        means.crash = True
        with pytest.raises(RuntimeError):
            change(cluster).carry_out(step_run(), means)
        means.crash = False
        result = change(cluster).carry_out(step_run(intended=True), means)
        assert (result.reason, puts(cluster)) == (Reason.INSPECTED, [True, False])


def test_a_target_that_lends_its_form_proves_nothing() -> None:
    """Where root is not let in, the target's own form is, and the look says so."""

    def no_root(_target: Any, _stored: Any, new: Any) -> str:
        items = new["spec"].get("ephemeralContainers", ())
        root = any(item["securityContext"].get("runAsUser") == 0 for item in items)
        return 'violates PodSecurity "restricted:latest"' if root else ""

    with one_cluster(admission=no_root) as (cluster, _):
        means = Looking(cluster)
        result = change(cluster).carry_out(step_run(), means)
        assert (result.reason, puts(cluster), means.own_form) == (Reason.INSPECTED, [True, True, False], True)


def test_a_pod_that_is_gone_is_not_looked_into() -> None:
    """Nor is the next one of its name."""
    with one_cluster() as (cluster, _):
        look = change(cluster)
        means = Looking(cluster)
        other = InspectContainer(**{**pod_target(cluster), "uid": "another"}, container="web", request=REQUEST)
        assert other.carry_out(step_run(), means).status is StepStatus.TARGET_REPLACED
        means.api.delete(api_paths.pod("shop", look.name), {"gracePeriodSeconds": 0})
        assert look.carry_out(step_run(), means).status is StepStatus.TARGET_GONE
        assert puts(cluster) == []


def running(get: Callable[[str], Any]) -> Callable[[str], Any]:
    """What reads a pod whose containers of ours go on."""
    started = utc_now().isoformat()

    def read(path: str) -> Any:
        pod = get(path)
        for status in pod["status"].get("ephemeralContainerStatuses", ()):
            status["state"] = {"running": {"startedAt": started}}
        return pod

    return read


def test_a_look_that_never_ends_is_read_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops our container keeps the case open for two minutes: then what was told is all there is."""

    def endless(*_arguments: Any, **_options: Any) -> Iterator[bytes]:
        raise ApiError(Reason.TIMEOUT, "no end of it")
        yield b""

    with one_cluster() as (cluster, _):
        means, looking = Looking(cluster), change(cluster)
        monkeypatch.setattr(means.api, "read_log", endless)
        monkeypatch.setattr(means.api, "get", running(means.api.get))
        with pytest.raises(RetryableError, match="no end of it"):
            looking.carry_out(step_run(), means)
        later = dataclasses.replace(step_run(), clock=lambda: utc_now() + timedelta(minutes=3))
        assert looking.carry_out(later, means).reason == Reason.INSPECTED_IN_PART
