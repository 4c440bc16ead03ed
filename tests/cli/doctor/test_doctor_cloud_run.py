"""What doctor asks of Cloud Run: where settings read or change it, and nothing elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from scc_responder.cli.doctor.doctor_cloud_run import run_probes
from scc_responder.domain.clock import utc_now
from scc_responder.workbench.needed_permissions import Need
from tests.cli.commands import called
from tests.cli.doctor.test_doctor import settings_of
from tests.kits.google.cloud_run.samples import CHECKOUT as SERVED
from tests.kits.google.cloud_run.samples import deploy, image
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.google.fronts import IamCredentials
from tests.kits.responder import policy, write_policies
from tests.kits.settings import local_settings

OWN = "projects/example-project/locations/europe-west4/services/scc-responder"
CHECKOUT = "projects/shop-prod/locations/europe-west1/services/checkout"
PATTERN = "projects/shop-test/locations/*/services/*"
WRITER = "writer@example-project.iam.gserviceaccount.com"
LISTED = {"SERVICES": f"{CHECKOUT},{PATTERN}", "OWN_SERVICE": OWN}


class Answering:
    """A Cloud Run that is asked for something by name; it keeps where."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, method: str) -> Any:
        return lambda name, *_: self.asked.append(getattr(name, "path", name))


def probes(
    *projects: str, named: Sequence[str] = (), run: Any = None, metrics: Any = None, **given: str
) -> list[tuple[str, str]]:
    """What is probed, by name, where an action asks to update services."""
    needs = [Need(permission=each, by={}) for each in ("run.services.update", "run.operations.get")]
    services = SimpleNamespace(run=run or Answering(), run_writer=lambda: "token", metrics=metrics, clock=utc_now)
    return [(name, probed) for name, probed, _ in run_probes(services, local_settings(**given), projects, named, needs)]


def test_a_deployment_without_cloud_run_asks_nothing() -> None:
    """Nobody names a project or a service."""
    assert probes() == []
    assert probes(RUN_WRITER=WRITER, OWN_SERVICE=OWN) == []


def test_each_project_that_may_be_read_is_asked_once() -> None:
    """Those of Terraform, those of listed services, and those that are named."""
    assert probes("shop-prod", "shop-dev", named=[CHECKOUT.replace("prod", "new")], **LISTED) == [
        ("run.read", "shop-dev"),
        ("run.read", "shop-prod"),
        ("run.read", "shop-test"),
        ("run.read", "shop-new"),
    ]


def test_instances_are_counted_in_each_project_where_settings_let_them() -> None:
    """Beside what else is read there."""
    found = probes("shop-prod", metrics=object(), SERVICES=PATTERN)
    assert found == [(name, project) for project in ("shop-prod", "shop-test") for name in ("run.read", "metrics.list")]


def test_changes_are_asked_about_where_somebody_makes_them() -> None:
    """The token, each service that is named, each pattern that is not, and how changes end."""
    found = probes(named=[CHECKOUT], RUN_WRITER=WRITER, **LISTED)
    assert [each for each in found if each[0] != "run.read"] == [
        ("run.writer", WRITER),
        ("run.write", CHECKOUT),
        ("run.write", PATTERN),
        ("run.write", "shop-prod"),
        ("run.write", "shop-test"),
    ]


def test_a_location_is_that_of_a_service_or_our_own() -> None:
    """A pattern of locations names none."""
    api = Answering()
    services, settings = SimpleNamespace(run=api, metrics=None), local_settings(**LISTED)
    for _, _, ask in run_probes(services, settings, (), (), []):
        ask()
    places = {"/".join(path.split("/")[1:4:2]) for path in api.asked}
    assert places == {"shop-prod/europe-west1", "shop-test/europe-west4"}


def test_the_command_names_what_each_identity_lacks(tmp_path: Path) -> None:
    """As a person runs it: the function's identity may not read revisions, and the writer may not update."""
    world = World()
    deploy(world, image("a"))
    with CloudRunServer(world) as server, IamCredentials(WRITER) as front:
        server.rights = {
            "runtime": {need["permission"] for need in asked_for("cloud_run_projects")} - {"run.revisions.list"},
            "writer-1": {"run.operations.get"},
        }
        front.creators = {"runtime"}
        token = tmp_path / "token"
        token.write_text("runtime")
        file = settings_of(
            tmp_path,
            RUN_ENDPOINT=server.endpoint,
            IAM_CREDENTIALS_ENDPOINT=front.host,
            KUBERNETES_TOKEN_FILE=str(token),
            CLOUD_RUN_PROJECTS="example-project",
            SERVICES=SERVED,
            RUN_WRITER=WRITER,
        )
        write_policies(tmp_path / "policies", policy("roll_back_service", name="back", mode="approve"))
        done = called("doctor", "--settings", file, "--only", "cloud_run", "--format", "json")
    checks = [each for each in json.loads(done.stdout)["checks"] if each["name"].startswith("run.")]
    assert done.returncode == 1
    assert [(each["name"], each["result"], each["probed"]) for each in checks] == [
        ("run.read", "fault", "example-project: run.revisions.list"),
        ("run.read", "ok", "example-project"),
        ("run.writer", "ok", WRITER),
        ("run.write", "fault", f"{SERVED}: run.services.update"),
        ("run.act_as", "skipped", SERVED),
        ("run.write", "ok", "example-project"),
    ]
    assert world.writes == []


def test_a_service_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    """It is named in full, as in settings, without a pattern."""
    done = called("doctor", "--settings", settings_of(tmp_path), "--service", "projects/p/locations/*/services/a")
    assert (done.returncode, "--service: 'projects/p/locations/*/services/a' is not" in done.stderr) == (2, True)


def asked_for(section: str) -> list[dict[str, str]]:
    """What the module grants, by the name of its variable."""
    found: list[dict[str, str]] = json.loads(Path("terraform/permissions.json").read_text())[section]
    return found
