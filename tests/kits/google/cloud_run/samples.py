"""Services, jobs and executions to begin with, as they are after a deploy that ended well."""

from __future__ import annotations

from typing import Any

from google.cloud.run_v2.types import (
    Container,
    EnvVar,
    EnvVarSource,
    Execution,
    ExecutionReference,
    ExecutionTemplate,
    Job,
    NodeSelector,
    RevisionTemplate,
    SecretKeySelector,
    Service,
    TaskTemplate,
    TrafficTarget,
    VpcAccess,
)
from google.cloud.run_v2.types import IngressTraffic as Ingress
from google.iam.v1 import policy_pb2

from tests.kits.google.cloud_run.world import LATEST, World, condition, now

PLACE = "projects/example-project/locations/europe-west1"
CHECKOUT = f"{PLACE}/services/checkout"
NIGHTLY = f"{PLACE}/jobs/nightly"
IDENTITY = "checkout@example-project.iam.gserviceaccount.com"
DEPLOYER = "ci@example-project.iam.gserviceaccount.com"
IMAGE = "europe-west1-docker.pkg.dev/example-project/shop/checkout"
INVOKER = "roles/run.invoker"
SECRET_VALUE = "hunter2-in-the-environment"


def image(letter: str) -> str:
    """An image by its digest: 64 times this letter."""
    return f"{IMAGE}@sha256:{letter * 64}"


def deploy(world: World, reference: str, name: str = CHECKOUT) -> str:
    """Deploy this image, to a service that may be there already, and let it be ready; its revision's short name."""
    service = world.services.get(name)
    if service is None:
        service = world.services[name] = _service(name)
    service.generation += 1
    service.template.containers = [_container(reference)]
    service.etag, service.update_time, service.last_modifier = f'"deploy-{service.generation}"', now(), DEPLOYER
    made = world.add_revision(service)
    world.serve(service)
    return made.name.rpartition("/")[2]


def let_anyone_invoke(world: World, name: str = CHECKOUT) -> None:
    """The IAM policy of a service that is open to the internet."""
    binding = policy_pb2.Binding(role=INVOKER, members=["allUsers", f"serviceAccount:{DEPLOYER}"])
    world.policies[name] = policy_pb2.Policy(version=1, etag=b"BwOpen", bindings=[binding])


def add_job(world: World, name: str = NIGHTLY, reference: str = image("d")) -> Job:
    """A job that is ready."""
    template = TaskTemplate(containers=[_container(reference)], service_account=IDENTITY)
    made = Job(
        name=name,
        uid="00000000-0000-4000-9000-000000000001",
        generation=1,
        observed_generation=1,
        creator=DEPLOYER,
        last_modifier=DEPLOYER,
        create_time=now(),
        update_time=now(),
        etag='"job-1"',
        template=ExecutionTemplate(template=template, task_count=1),
        terminal_condition=condition("Ready"),
    )
    world.jobs[name] = made
    return made


def start_execution(world: World, job: Job, short: str = "nightly-x7k2p", **more: Any) -> Execution:
    """An execution of a job, which runs."""
    fields = {"running_count": 1, "task_count": 1, "start_time": now(), "create_time": now(), **more}
    made = Execution(
        name=f"{job.name}/executions/{short}",
        uid=f"00000000-0000-4000-9000-{len(world.executions) + 2:012d}",
        generation=1,
        creator=DEPLOYER,
        job=job.name.rpartition("/")[2],
        template=job.template.template,
        etag='"execution-1"',
        **fields,
    )
    world.executions[made.name] = made
    job.latest_created_execution = ExecutionReference(name=short, create_time=made.create_time)
    return made


def _service(name: str) -> Service:
    short = name.rpartition("/")[2]
    uri = f"https://{short}-abcdefghij-ew.a.run.app"
    access = VpcAccess(
        egress=VpcAccess.VpcEgress.PRIVATE_RANGES_ONLY,
        network_interfaces=[VpcAccess.NetworkInterface(network="shop", subnetwork="shop-ew1")],
    )
    return Service(
        name=name,
        uid="00000000-0000-4000-a000-000000000001",
        generation=0,
        labels={"team": "payments"},
        creator=DEPLOYER,
        create_time=now(),
        ingress=Ingress.INGRESS_TRAFFIC_ALL,
        uri=uri,
        urls=[uri],
        template=RevisionTemplate(service_account=IDENTITY, vpc_access=access, node_selector=NodeSelector()),
        traffic=[TrafficTarget(type_=LATEST, percent=100)],
    )


def _container(reference: str) -> Container:
    selector = SecretKeySelector(secret="db-password", version="latest")
    variables = [
        EnvVar(name="API_KEY", value=SECRET_VALUE),
        EnvVar(name="DB_PASSWORD", value_source=EnvVarSource(secret_key_ref=selector)),
    ]
    return Container(name="app", image=reference, env=variables)
