"""A console on this machine for tests: a deployment in the simulated cluster, its pages, and who decides there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from scc_responder.cli.console.desk_answers import DeskAnswers
from scc_responder.cli.console.page_server import served_console
from scc_responder.journal.case import CaseRecord
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.undo.undo_services import UndoServices
from tests.kits.compromised_pod import small
from tests.kits.responder import Deployment, OneCluster, api_of, deployed, finding_about, policy

ASKED = ("label_pod", "isolate_pod", "capture_evidence")


class DeskConsole(NamedTuple):
    """The address that lets a browser in, the deployment, its notification, and the cluster."""

    addresses: list[str]
    deployment: Deployment
    document: dict[str, Any]
    cluster: SimulatedCluster

    @property
    def record(self) -> CaseRecord:
        return self.deployment.case(self.document)


def desk_answers(deployment: Deployment, cluster: SimulatedCluster) -> DeskAnswers:
    """Who decides on this machine: the function's services, and those of an undo with an identity of its own."""
    services = deployment.services
    undo = UndoServices(services.settings, services.store)
    undo.clusters = OneCluster(api_of(cluster, "undo"))
    undo.notifier = deployment.published
    undo.wait = lambda _seconds: None
    return DeskAnswers(services, undo)


@contextmanager
def waiting_pod(
    folder: Path, *steps: str, **rails: str
) -> Iterator[tuple[Deployment, dict[str, Any], SimulatedCluster]]:
    """A reverse shell in a pod, whose isolation waits for a person."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        pod = small(cluster).objects("Pod", "shop")[0]
        deployment = deployed(folder, cluster, policy(*(steps or ASKED), mode="approve"))
        document = finding_about(pod)
        deployment.respond_to(document)
        yield deployment, document, cluster


@contextmanager
def desk_console(folder: Path) -> Iterator[DeskConsole]:
    """Its console."""
    with waiting_pod(folder) as (deployment, document, cluster):
        addresses: list[str] = []
        answers = desk_answers(deployment, cluster)
        with served_console(deployment.services.journal, answers, addresses.append, user="anna"):
            yield DeskConsole(addresses, deployment, document, cluster)
