"""A service to begin with: `checkout`, open to anyone, with a good revision, and a compromised one after it."""

from __future__ import annotations

from datetime import timedelta

from google.cloud.run_v2.types import Container, RevisionTemplate, Service, ServiceScaling, TrafficTarget
from google.cloud.run_v2.types import IngressTraffic as Ingress
from google.iam.v1 import policy_pb2

from scc_responder.workbench.simulated_cloud_run.run_refusals import time_of_objects
from scc_responder.workbench.simulated_cloud_run.run_world import LATEST, RunWorld
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE, COMPROMISED_DIGEST

_IMAGE = "europe-docker.pkg.dev/example-project/shop/checkout"
_IDENTITY = "checkout@example-project.iam.gserviceaccount.com"
_DEPLOYER = "ci@example-project.iam.gserviceaccount.com"


def checkout_world(reconcile_seconds: float) -> RunWorld:
    """A Cloud Run with this service alone. Its revisions were made a day apart, the last one a day ago."""
    world = RunWorld(reconcile_seconds=reconcile_seconds)
    uri = "https://checkout-abcdefghij-ew.a.run.app"
    service = world.services[CHECKOUT_SERVICE] = Service(
        name=CHECKOUT_SERVICE,
        uid="00000000-0000-4000-a000-000000000001",
        creator=_DEPLOYER,
        create_time=time_of_objects() - timedelta(days=30),
        ingress=Ingress.INGRESS_TRAFFIC_ALL,
        uri=uri,
        urls=[uri],
        template=RevisionTemplate(service_account=_IDENTITY),
        traffic=[TrafficTarget(type_=LATEST, percent=100)],
        scaling=ServiceScaling(scaling_mode=ServiceScaling.ScalingMode.AUTOMATIC),
    )
    for days, digest in ((2, f"sha256:{'a' * 64}"), (1, COMPROMISED_DIGEST)):
        deployed = time_of_objects() - timedelta(days=days)
        service.generation += 1
        service.template.containers = [Container(name="app", image=f"{_IMAGE}@{digest}")]
        service.etag, service.update_time, service.last_modifier = f'"{service.generation}"', deployed, _DEPLOYER
        world.add_revision(service).create_time = deployed
        world.serve(service)
    anyone = policy_pb2.Binding(role="roles/run.invoker", members=["allUsers"])
    world.policies[CHECKOUT_SERVICE] = policy_pb2.Policy(version=1, etag=b"BwOpen", bindings=[anyone])
    return world
