"""`explain` on the runbook's golden of Cloud Run: the plan that a person would approve, and what people will feel."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.collect.target import collect
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.cluster_snapshot import NoFindings
from scc_responder.workbench.explanation import ContextFacts
from tests.cli.commands import called
from tests.findings import FOLDER, data, notification
from tests.kits.checkout_deployment import run_policy
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image, let_anyone_invoke
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.responder import SHIPPED, OneCluster, write_policies

GOLDEN = FOLDER / "cloud_run_container_escape.json"
STEPS = ("capture_evidence", "roll_back_service", "cut_ingress", "remove_invokers", "scale_to_zero", "notify")
FELT = [
    ["requests go to checkout-00001-abc 100 %; what is deployed later gets none until this is undone"],
    ["callers from outside its networks are refused, external load balancers too"],
    ["callers who are let in as allUsers are refused; not rehearsed"],
    ["the whole service is down: every request fails, and nothing of it calls out any more"],
]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context file with what a local Cloud Run says of the golden's service, as the pipeline reads it."""
    finding = parse_notification(data(notification("cloud_run_container_escape")))
    world = World()
    no_cluster: Any = None
    for reference in (image("a"), finding.containers[0].image_id):
        deploy(world, reference)
    let_anyone_invoke(world)
    for number, item in enumerate([world.services[CHECKOUT], *world.revisions.values()]):
        item.create_time = finding.event_time - timedelta(days=9 - number)
    with CloudRunServer(world) as server, ThreadPoolExecutor(4) as pool:
        api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
        found = collect(finding, OneCluster(no_cluster), NoFindings(), pool, 10, run=api).context
        api.close()
    named = {name: getattr(found, name) for name in ContextFacts.__struct_fields__ if name != "related"}
    path = tmp_path_factory.mktemp("explained") / "context.json"
    path.write_bytes(msgspec.json.encode({name: value for name, value in named.items() if value is not None}))
    return path


def explained(tmp_path: Path, context: Path, *more: str) -> str:
    """What `explain` prints, with a policy that asks a person."""
    policies = write_policies(tmp_path / "policies", run_policy(*STEPS))
    result = called("explain", str(GOLDEN), "--context", str(context), "--policies", str(policies), *more)
    assert result.returncode == 0, result
    return result.stdout


def test_it_shows_the_plan_a_person_would_approve(tmp_path: Path, context: Path) -> None:
    """Every step that waits, exactly as it would be planned, and what people will feel of it."""
    told: dict[str, Any] = json.loads(explained(tmp_path, context, "--format", "json"))
    (policy,) = told["policies"]
    waiting = [action for action in policy["actions"] if action["result"] == "waiting"]
    assert [action["action"] for action in waiting] == list(STEPS[1:5])
    assert [action["felt"] for action in waiting] == FELT
    assert told["context"]["identity"]["level"] == "proved"


def test_its_text_names_the_revision_and_what_is_felt(tmp_path: Path, context: Path) -> None:
    """For a person who has no JSON at hand."""
    text = explained(tmp_path, context)
    assert f"service   {CHECKOUT}, revision checkout-00002-abc" in text
    for (words,) in FELT:
        assert f"felt {words}" in text


def test_the_shipped_pack_shows_the_plan() -> None:
    """With the shipped policies, and the context file that stands beside the golden."""
    beside = GOLDEN.with_suffix(".context.json")
    result = called("explain", str(GOLDEN), "--context", str(beside), "--policies", str(SHIPPED), "--format", "json")
    told: dict[str, Any] = json.loads(result.stdout)
    asking = next(policy for policy in told["policies"] if policy["name"] == "isolate-cloud-run-attack")
    waiting = {action["action"]: action["felt"] for action in asking["actions"] if action["result"] == "waiting"}
    wanted = zip(STEPS[1:5], FELT, strict=True)
    assert asking["mode"] == "approve"
    assert waiting == {step: words for step, words in wanted if step != "remove_invokers"}
