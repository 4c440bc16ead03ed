"""A deployment of the responder that reaches a local Cloud Run, with a service whose second revision is compromised."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.cloud.run_v2.types import TrafficTarget
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.adapters.google.cloud_run.image_digests import ImageDigests
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.clock import utc_now
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.approvals import AnswerRequest, answer_plan
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.needed_permissions import enabled, needed
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.revision_choice import choose_revision
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.variable_permissions import RUN_READS, RUN_WRITES, by_variable
from tests.findings import notification
from tests.kits.google.cloud_run.digests import DigestsServer
from tests.kits.google.cloud_run.samples import (
    CHECKOUT,
    IMAGE,
    add_job,
    deploy,
    image,
    let_anyone_invoke,
    start_execution,
)
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.responder import RAILS, Deployment, api_of, policy, write_policies

GOOD, BAD = "checkout-00001-abc", "checkout-00002-abc"
HERE = {"content-type": "application/json", "host": "127.0.0.1:8080"}
SERVICES = "projects/*/locations/*/services/*,projects/*/locations/*/jobs/*"
WRITER = "scc-responder-writer@example-project.iam.gserviceaccount.com"
READS_AS, CHANGES_AS = "runtime", "writer"
"""The tokens of the two identities, each of which has what the module grants for the policies, and no more."""
AGE = timedelta(days=9)


def run_policy(*steps: str, mode: str = "approve", name: str = "contain") -> str:
    """A policy for findings of Cloud Run."""
    return policy(*steps, name=name, when="surface: cloud_run", mode=mode)


def aged_world(reconcile_seconds: float = 0.05) -> World:
    """A Cloud Run with the service `checkout`, open to anyone, made days ago; its revisions were made a day apart.

    An execution of the job `nightly` runs.
    """
    world = World(reconcile_seconds=reconcile_seconds)
    for letter in ("a", "b"):
        deploy(world, image(letter))
    let_anyone_invoke(world)
    execution = start_execution(world, add_job(world))
    age(world.services[CHECKOUT], *world.revisions.values(), *world.jobs.values(), execution)
    return world


def age(*made: Any) -> None:
    """Let these have been made days ago, a day apart."""
    for number, item in enumerate(made):
        item.create_time = utc_now() - AGE + timedelta(days=number)


def superseded_world(reconcile_seconds: float = 0.05) -> World:
    """The same, where a third revision was deployed that gets no request: the compromised one may be deleted."""
    world = aged_world(reconcile_seconds)
    deploy(world, image("c"))
    split(world, {BAD: 100})
    return world


def split(world: World, shares: dict[str, int], tagged: str = "") -> None:
    """Give the revisions of the service these shares of the requests, and one of them an address of its own."""
    kind = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    service = world.services[CHECKOUT]
    targets = [TrafficTarget(type_=kind, revision=name, percent=share) for name, share in shares.items()]
    service.traffic = [*targets, *([TrafficTarget(type_=kind, revision=tagged, tag="canary")] if tagged else [])]
    world.serve(service)


def escape(finding_id: str = "", **finding: Any) -> dict[str, Any]:
    """The notification of an escape in the compromised revision, now, whose image it names."""
    container = {"name": "app", "imageId": f"{IMAGE}@sha256:{'b' * 64}"}
    now = utc_now().isoformat().replace("+00:00", "Z")
    return notification(
        "cloud_run_container_escape",
        event_time=now,
        finding_id=finding_id,
        finding={"containers": [container], **finding},
    )


def run_notification(name: str = f"//run.googleapis.com/{CHECKOUT}", **resource: str) -> dict[str, Any]:
    """The same of another resource, or of the service in another spelling; `resource` are fields of its resource."""
    document = escape(resourceName=name)
    document["resource"] |= {"name": name, "displayName": name.rpartition("/")[2], **resource}
    return document


def job_escape(finding_id: str = "", execution: str = "") -> dict[str, Any]:
    """The notification of an escape in an execution of the job `nightly`, now; it names none where that is empty."""
    named = {"sourceProperties": {"Execution": execution}} if execution else {}
    text = json.dumps(escape(finding_id, containers=[{"name": "app", "imageId": image("d")}], **named))
    return dict(json.loads(text.replace("/services/checkout", "/jobs/nightly").replace("run.Service", "run.Job")))


def granted(policies: Path) -> dict[str, Collection[str]]:
    """What the Terraform module grants for a folder of policies, by the token of who has it."""
    sections = by_variable(needed(enabled(load_policies(policies).policies)))
    who = {READS_AS: RUN_READS, CHANGES_AS: RUN_WRITES}
    return {token: {need.permission for need in sections[variable]} for token, variable in who.items()}


class RunDeployment(Deployment):
    """A responder, and the Cloud Run that it reaches, `server`. What is listed there may be changed."""

    server: CloudRunServer
    digests: DigestsServer

    @property
    def world(self) -> World:
        """What there is."""
        return self.server.world

    def served(self) -> dict[str, int]:
        """The share of the requests that each revision of the service gets; tags count as 0."""
        return {item.revision: item.percent for item in self.world.services[CHECKOUT].traffic_statuses}

    def escaped(self) -> dict[str, Any]:
        """Push a finding about the compromised revision, and return its notification."""
        document = escape()
        self.respond_to(document)
        return document

    def answer(self, document: Mapping[str, Any], verb: str = "approve") -> Ending:
        """Answer the plan that waits, as a person on this machine does."""
        record = self.case(document)
        digest = record.plan.digest if record.plan else ""
        body = json.dumps({"case": record.finding_key[:12], "plan": digest, "reason": "looked at it"}).encode()
        return answer_plan(AnswerRequest(verb=verb, body=body, headers=HERE, peer="127.0.0.1"), self.services)

    def sweep(self) -> Ending:
        """One sweep."""
        return sweep(HERE, "127.0.0.1", self.services)

    def choose(self, document: Mapping[str, Any], revision: str) -> str:
        """`case resume CASE --revision NAME`, and a sweep after it; the reason of the first."""
        key = self.case(document).finding_key
        reason = self.services.journal.apply(
            key, lambda record, held: choose_revision(record, held, revision, now=self.services.clock())
        )[0].reason
        self.sweep()
        return reason

    def writes(self) -> list[str]:
        """The methods of the writes that the server carried out, in order."""
        return [method for method, _ in self.world.writes]


@contextmanager
def run_deployed(
    folder: Path,
    cluster: SimulatedCluster,
    *policies: str,
    world: World | None = None,
    guardrails: str = RAILS,
    **settings: str,
) -> Iterator[RunDeployment]:
    """A deployment with these policies and settings; it is closed at the end."""
    with CloudRunServer(world or aged_world()) as server, DigestsServer() as digests_server:
        written = write_policies(folder / "policies", *policies, guardrails=guardrails)
        made = RunDeployment(folder, api_of(cluster), written, services=SERVICES, run_writer=WRITER, **settings)
        made.server, made.digests = server, digests_server
        server.rights = granted(written)
        identities = {"token": lambda: READS_AS, "writer": lambda: CHANGES_AS}
        digests = ImageDigests(endpoint=made.digests.endpoint, token=lambda: made.digests.token)
        api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0, digests=digests, **identities)
        made.services.run = api
        made.services.wait = lambda seconds: time.sleep(min(seconds, 0.05))
        try:
            yield made
        finally:
            api.close()
