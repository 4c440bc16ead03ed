"""A responder that rolls back a compromised service of a local Cloud Run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.clock import utc_now
from tests.findings import notification
from tests.kits.google.cloud_run.samples import CHECKOUT, IMAGE, deploy, image
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.responder import Deployment, deployed, policy

GOOD, BAD = "checkout-00001-abc", "checkout-00002-abc"
NAME = f"//run.googleapis.com/{CHECKOUT}"
_ROLLS_BACK = policy("capture_evidence", "roll_back_service", "notify", when="surface: cloud_run")


@dataclass
class RunDeployment:
    """A responder, and the Cloud Run that it reaches."""

    deployment: Deployment
    server: CloudRunServer

    def respond(self) -> dict[str, Any]:
        """Push a finding about the service, and return its notification."""
        document = run_notification()
        self.deployment.respond_to(document)
        return document


def run_notification(name: str = NAME, **resource: str) -> dict[str, Any]:
    """A finding about this resource, now: it ran the image of the second revision."""
    now = utc_now().isoformat().replace("+00:00", "Z")
    container = {"name": "app", "imageId": f"{IMAGE}@sha256:{'b' * 64}"}
    inner = {"containers": [container], "resourceName": name}
    document = notification("cloud_run_container_escape", event_time=now, finding=inner)
    document["resource"] |= {"name": name, "displayName": name.rpartition("/")[2], **resource}
    return document


@contextmanager
def run_deployment(tmp_path: Path, cluster: Any) -> Iterator[RunDeployment]:
    """The service `checkout`, some days old, whose first revision is safe and whose second one has all requests."""
    world = World(reconcile_seconds=0.1)
    for letter in ("a", "b"):
        deploy(world, image(letter))
    for number, item in enumerate([world.services[CHECKOUT], *world.revisions.values()]):
        item.create_time = utc_now() - timedelta(days=9 - number)
    with CloudRunServer(world) as server:
        server.project_numbers["100000000001"] = "example-project"
        services = "projects/example-project/locations/*/services/*"
        made = deployed(tmp_path, cluster, _ROLLS_BACK, services=services)
        api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
        made.services.run = api
        try:
            yield RunDeployment(made, server)
        finally:
            api.close()
