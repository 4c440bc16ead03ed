"""A look into the container in the middle of a case: what it tells decides once more, and a deletion may need it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.one_change import IMAGE
from tests.kits.responder import NODE, Deployment, Interposed, deployed, finding_about, policy

Object = dict[str, Any]
NEEDS = policy("inspect_container", "delete_pod") + "    needs: [inspect_container]\n"
BINARY = {"binary": {"path": "/tmp/x", "sha256": "a" * 64, "size": "9", "hashedSize": "9"}, "args": ["/tmp/x"]}
HELD = [*(2 * ["delete_pod: needs_inspect_container"]), "notify: published"]
"""A deletion that is held, of which people are told."""

NAMING = {"processes": [BINARY]}
"""A finding that names a file; the simulated cluster has another one at its path."""


def looking(folder: Path, cluster: SimulatedCluster, *policies: str) -> Deployment:
    """A deployment with a collector."""
    return deployed(folder, cluster, *policies, collector=IMAGE)


def insertions(cluster: SimulatedCluster) -> list[bool]:
    """The patches of ephemeral containers, each whether it was a rehearsal."""
    return [event.dry_run for event in cluster.audit if event.subresource == "ephemeralcontainers"]


def test_what_a_look_tells_decides_once_more(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that matches only then is carried out by the same delivery, and people are told once."""
    later = policy("isolate_pod", "notify", name="later") + 'condition: artefact.hash == "differs"\n'
    never = policy("cordon_node", name="never") + 'condition: artefact.hash == "matches"\n'
    deployment = looking(tmp_path, cluster, policy("label_pod", "inspect_container", "notify"), later, never)
    document = finding_about(pod, finding=NAMING)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "label_pod: patched",
        "inspect_container: inspected",
        "isolate_pod: patched",
        "isolate_pod: isolated",
        "notify: published",
    ]
    case = deployment.case(document)
    assert case.inspection is not None
    assert case.inspection.artefact is not None
    assert (case.inspection.artefact.hash, case.inspection.artefact.kept) == ("differs", True)
    assert (insertions(cluster), len(deployment.published.messages)) == ([True, False], 1)
    (entry,) = deployment.services.store.scan("collector-key/").entries
    assert json.loads(entry.value) == {"private": None}


def test_a_resumed_look_decides_too(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A process that ends between the request and the reading loses nothing: the next one reads, and decides by it."""
    later = policy("isolate_pod", name="later") + 'condition: artefact.hash == "differs"\n'
    deployment = looking(tmp_path, cluster, policy("inspect_container"), later)
    document = finding_about(pod, finding=NAMING)
    api = deployment.clusters.api

    def crash(_number: int, _verb: str, path: str) -> None:
        if path.endswith("/log"):
            raise KeyError("a crash of ours")

    deployment.clusters.api = Interposed(api, crash)
    assert deployment.respond_to(document).status == 503
    deployment.clusters.api = api
    assert deployment.deliver(document).status == 204
    assert deployment.outcomes(document) == [
        "inspect_container: inspected",
        "isolate_pod: patched",
        "isolate_pod: isolated",
    ]
    assert insertions(cluster) == [True, False]


def test_a_look_ends_with_its_delivery(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Its log is followed no longer than the delivery lasts; the next one reads it from the start."""
    deployment = deployed(tmp_path, cluster, policy("inspect_container"), collector=IMAGE, timeout_seconds="12")
    document = finding_about(pod, finding=NAMING)
    followed: list[float] = []

    class Silent(Interposed):
        def read_log(self, path: str, **options: Any) -> Iterator[bytes]:
            followed.append(options["seconds"])
            if len(followed) == 1:
                raise ApiError(Reason.TIMEOUT, "no end of it")
            yield from super().read_log(path, **options)

    deployment.clusters.api = Silent(deployment.clusters.api)
    assert deployment.respond_to(document).status == 503
    assert deployment.deliver(document).status == 204
    assert deployment.outcomes(document) == ["inspect_container: inspected"]
    assert [0 < seconds <= 10 for seconds in followed] == [True, True]
    assert insertions(cluster) == [True, False]


def test_a_copy_of_the_finding_looks_no_second_time(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A container is put in once for a case."""
    deployment = looking(tmp_path, cluster, policy("inspect_container"))
    document = finding_about(pod, finding=NAMING)
    for _ in range(2):
        deployment.respond_to(document)
    assert insertions(cluster) == [True, False]


def test_a_deletion_that_needs_a_look_follows_it(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Once the file is kept, the pod may go."""
    deployment = looking(tmp_path, cluster, NEEDS)
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == [
        "inspect_container: inspected",
        "delete_pod: armed",
        "delete_pod: processes_ended",
    ]
    parts = [*(tmp_path / "evidence").rglob("artefact-part-*.bin")]
    assert [path.read_bytes()[:4] for path in parts] == [b"\x7fELF"]


@pytest.mark.parametrize(
    ("finding", "outcomes"),
    [
        (NAMING, ["inspect_container: no_collector_image", *HELD]),
        (
            {"processes": []},
            ["inspect_container: no_collector_image", "delete_pod: armed", "delete_pod: processes_ended"],
        ),
    ],
)
def test_without_a_look_the_pod_stays(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, finding: Object, outcomes: list[str]
) -> None:
    """What could not be kept is not deleted; a finding that names no file has nothing to lose."""
    deployment = deployed(tmp_path, cluster, NEEDS)
    document = finding_about(pod, finding=finding)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == outcomes
    assert insertions(cluster) == []


def test_a_cluster_that_refuses_says_who(tmp_path: Path) -> None:
    """The step is not possible, with the words of what refused; the deletion waits for a person."""

    def nothing(_target: Any, stored: Any, new: Any) -> str:
        added = new.get("spec", {}).get("ephemeralContainers") != stored.get("spec", {}).get("ephemeralContainers")
        return 'violates PodSecurity "restricted:latest"' if added else ""

    with SimulatedCluster(admission=nothing, stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        deployment = looking(tmp_path, cluster, NEEDS)
        document = finding_about(cluster.objects("Pod", "shop")[0], finding=NAMING)
        deployment.respond_to(document)
        step, *_ = deployment.case(document).steps
    assert (step.status, step.reason) == ("not_possible", "collector_refused")
    assert "PodSecurity" in step.detail
    assert deployment.outcomes(document)[1:] == HELD


def test_without_the_action_nothing_is_asked(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that asks for no look costs no request and no entry in the store."""
    deployment = looking(tmp_path, cluster, policy("label_pod", "isolate_pod"))
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert insertions(cluster) == []
    assert deployment.services.store.scan("collector-key/").entries == ()
