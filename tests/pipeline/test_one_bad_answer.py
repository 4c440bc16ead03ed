"""No answer to any one request of a delivery keeps evidence from being kept, or an independent step from being done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.pipeline.unread_facts import LOOKS
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Cases
from tests.kits.fault_proxy import FaultProxy, Forward
from tests.kits.one_request import BAD_ANSWERS, CHANGES, NEEDED_BY, Once, Script, each, purpose
from tests.kits.responder import ALL, Deployment, finding_about, policy, write_policies

SHORT = 0.25
"""Seconds after which a request is given up: as long as a silence lasts here."""


@dataclass(frozen=True)
class Delivered:
    """What came of a finding: the kinds of requests, the actions done in full, and whether evidence is complete."""

    requests: frozenset[str]
    done: frozenset[str]
    is_kept: bool


def delivered(folder: Path, cluster: SimulatedCluster, script: Script) -> Delivered:
    """Deliver a finding until it is settled, or no more steps are waited for."""
    document = finding_about(cluster.objects("Pod", "shop")[0])
    with FaultProxy(cluster.url, script=script, tls=False) as proxy:
        api = connect(proxy.url, proxy.ca_pem, lambda: cluster.token("responder"), timeout_seconds=SHORT)
        deployment = Deployment(folder, api, write_policies(folder / "policies", policy(*ALL)))
        ending = deployment.respond_to(document)
        for _ in range(LOOKS):
            if ending.status == 503:
                ending = deployment.deliver(document)
        api.close()
    steps = deployment.case(document).steps
    undone = {step.action for step in steps if step.status != "done" and not step.is_so_already}
    return Delivered(
        requests=frozenset(map(purpose, proxy.calls)),
        done=frozenset(step.action for step in steps) - undone,
        # A manifest is written last: what it names is complete.
        is_kept=any(folder.glob("evidence/**/manifest-*.json")),
    )


MOST = {"patch pods": 4, "create networkpolicies": 1, "patch nodes": 1, "delete pods": 1}
"""The writes that contain a pod."""


def assert_nothing_twice(cluster: SimulatedCluster) -> None:
    """By the audit log: no write was accepted more often than the pod's containment takes."""
    accepted = (event for event in cluster.audit if event.user == "responder" and event.code < 300)
    writes = Counter(f"{event.verb} {event.resource}" for event in accepted if event.verb not in {"get", "list"})
    assert writes <= Counter(MOST)


def test_the_table_names_each_request_of_the_ladder(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Without a fault everything is done, by the requests that the table names, and no other."""
    result = delivered(tmp_path, cluster, lambda _: Forward())
    assert result == Delivered(requests=frozenset(NEEDED_BY), done=frozenset(ALL), is_kept=True)


FEW = ("403", "422", "500", "stall-before", "another-uid", "another-object", "half-an-answer")
LASTING = Cases(
    "requests times lasting faults",
    [(kind, fault) for kind in NEEDED_BY for fault in FEW],
    [(kind, fault) for kind in NEEDED_BY for fault in BAD_ANSWERS],
)


@pytest.mark.parametrize(("kind", "fault"), LASTING.chosen)
def test_a_lasting_bad_answer_stops_what_needs_it_alone(
    tmp_path: Path, cluster: SimulatedCluster, kind: str, fault: str
) -> None:
    """Whatever one request is answered each time, evidence is kept and what does not need the answer is done."""
    result = delivered(tmp_path, cluster, each(kind, BAD_ANSWERS[fault]))

    assert result.is_kept
    assert result.done >= CHANGES - NEEDED_BY[kind]
    assert_nothing_twice(cluster)


NUMBERS = range(1, 23)
ONCE = Cases(
    "requests times faults of one answer",
    [(number, fault) for number in NUMBERS for fault in FEW],
    [(number, fault) for number in NUMBERS for fault in BAD_ANSWERS],
)


@pytest.mark.parametrize(("number", "fault"), ONCE.chosen)
def test_one_bad_answer_stops_what_needs_it_alone(
    tmp_path: Path, cluster: SimulatedCluster, number: int, fault: str
) -> None:
    """Whichever one request is answered so once, evidence is kept and what does not need the answer is done."""
    once = Once(lambda call: call.number == number, BAD_ANSWERS[fault])

    result = delivered(tmp_path, cluster, once)

    assert result.is_kept
    assert result.done >= CHANGES - NEEDED_BY[once.kind]
    assert_nothing_twice(cluster)
