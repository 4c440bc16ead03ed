"""The settings of what runs in Cloud Run are evidence, without the secrets in them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.google.cloud_run.run_messages import (
    document_of,
    job_value,
    policy_value,
    revision_value,
    service_value,
)
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN, CaptureAgain
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.cloud_run.run_metrics import MetricPoint, RunMetric
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunTraffic
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import CloudRunTarget, Threat
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, NotPossible, sources_for
from scc_responder.execute.evidence.manifest import evidence_objects
from scc_responder.execute.evidence.sources.run_settings import run_settings
from scc_responder.workbench.needed_permissions import permissions_of
from scc_responder.workbench.variable_permissions import of_cloud_monitoring, of_cloud_run
from tests.kits.captures import given, read
from tests.kits.google.cloud_run.samples import (
    CHECKOUT,
    NIGHTLY,
    SECRET_VALUE,
    add_job,
    deploy,
    image,
    let_anyone_invoke,
)
from tests.kits.google.cloud_run.world import World
from tests.kits.journal_worlds import finding

THREAT = Threat(name="cloud_run_reverse_shell", surface="cloud_run", kind="behavioral", confidence="likely")
TARGET = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="checkout")


def facts(**more: Any) -> Context:
    """What is known of a finding about Cloud Run."""
    about = finding(cluster=None, pods=(), node="", containers=(), cloud_run=TARGET)
    return Context(finding=about, threat=THREAT, **more)


def known(reference: str = image("b")) -> Context:
    """A service with one revision, open to the internet, as it was read."""
    world = World()
    deploy(world, reference)
    let_anyone_invoke(world)
    service, name = type(world.services[CHECKOUT]).pb(world.services[CHECKOUT]), RunName.parse(CHECKOUT)
    assert name is not None
    (made,) = world.revisions.values()
    revision = type(made).pb(made)
    return facts(
        service=service_value(service, name),
        revision=revision_value(revision),
        iam_policy=policy_value(world.policies[CHECKOUT]),
        objects={
            "service": document_of(service),
            "revisions": {"read": 1, "complete": True, "items": [document_of(revision)]},
            "iam_policy": document_of(world.policies[CHECKOUT]),
        },
    )


def test_a_person_reads_what_runs_first() -> None:
    """Which revision and image, as whom, by whom it was changed, and whether anyone may call it."""
    items = run_settings.read(given(known()))
    assert [item.kind for item in items] == ["Service", "revisions", "IAM policy"]
    assert items[0].title == CHECKOUT
    assert items[0].summary == (
        f"checkout-00001-abc, sha256:{'b' * 64}, runs as checkout@example-project.iam.gserviceaccount.com, "
        "100 % to checkout-00001-abc, last changed by ci@example-project.iam.gserviceaccount.com, "
        "anyone may invoke it, instances and requests unknown: no_cloud_monitoring"
    )


def test_shares_and_tags_are_told() -> None:
    """The first few of them: a tag has an address of its own."""
    shares = [("checkout-00002-abc", 90, ""), ("checkout-00001-abc", 10, "canary"), ("checkout-00001-abc", 0, "old")]
    served = [RunTraffic(revision=name, percent=percent, tag=tag) for name, percent, tag in [*shares, *shares]]
    whole = known()
    assert whole.service is not None
    context = replace(whole, service=replace(whole.service, traffic_statuses=tuple(served)))
    told = run_settings.read(given(context))[0].summary
    assert (
        "90 % to checkout-00002-abc, 10 % by tag canary to checkout-00001-abc, 0 % by tag old to checkout-00001-abc, "
        "90 % to checkout-00002-abc, 2 more targets" in told
    )


NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REVISION = "checkout-00001-abc"


class Counted:
    """`ports.CloudMetrics` that has these instances and requests, or fails; `asked` are the revisions."""

    def __init__(self, answer: ApiError | tuple[int, int], minutes_ago: int = 2) -> None:
        self.answer = answer
        self.time = NOW - timedelta(minutes=minutes_ago)
        self.asked: list[tuple[RunMetric, str, str]] = []

    def series(self, metric: RunMetric, name: RunName, revision: str, *_times: datetime) -> Any:
        """One series of one point."""
        self.asked.append((metric, name.path, revision))
        if isinstance(self.answer, ApiError):
            raise self.answer
        value = self.answer[metric is RunMetric.REQUESTS]
        return [(MetricPoint(value=value, time=self.time),)]


def test_how_much_the_service_is_used_is_evidence() -> None:
    """Of the revision that is meant, with the time of what was counted."""
    metrics = Counted((3, 120))
    *_, used = run_settings.read(given(known(), metrics=metrics, clock=lambda: NOW))
    assert (used.kind, used.title, used.is_empty) == ("Cloud Monitoring", REVISION, False)
    assert used.summary == "3 instances (09:28:00 UTC), 120 requests in the last hour (09:28:00 UTC)"
    assert used.content["instances"]["value"] == 3
    assert metrics.asked == [(metric, CHECKOUT, REVISION) for metric in RunMetric]
    several = replace(known(), revision=None)
    assert run_settings.read(given(several, metrics=metrics, clock=lambda: NOW))[-1].title == CHECKOUT
    assert metrics.asked[-1][2] == ""


def test_an_old_count_does_not_prove_that_none_runs() -> None:
    """After a change only what was counted after it is said."""
    for minutes_ago, told in [(4, "instances unknown: metrics_before_change"), (1, "0 instances (09:29:00 UTC)")]:
        change = CaptureAgain(changed_at=NOW - timedelta(minutes=3))
        subject = given(known(), metrics=Counted((0, 7), minutes_ago), clock=lambda: NOW)
        *_, used = run_settings.read(dataclasses.replace(subject, change=change))
        assert used.summary.startswith(f"{told}, 7 requests")


def test_what_nobody_counted_has_its_reason() -> None:
    """The settings are kept all the same, and the permission that is missing is named."""
    denied = ApiError(Reason.MONITORING.of("permission_denied"), status=403, permission="monitoring.timeSeries.list")
    *kept, used = run_settings.read(given(known(), metrics=Counted(denied), clock=lambda: NOW))
    assert [item.kind for item in kept] == ["Service", "revisions", "IAM policy"]
    assert used.is_empty
    assert used.summary.startswith("instances unknown: monitoring_permission_denied (monitoring.timeSeries.list), ")


def test_a_tag_says_nothing_of_the_image() -> None:
    """So the digest is not known."""
    assert (
        ", digest_unknown, " in run_settings.read(given(known("registry.example.com/shop/checkout:latest")))[0].summary
    )


def test_no_secret_is_stored() -> None:
    """Values of variables are left out; their names, the secrets' names and what runs stay."""
    readings = read(given(known()), [run_settings])
    stored = b"".join(item.content for item in evidence_objects(finding().key, readings))
    assert SECRET_VALUE.encode() not in stored
    for kept in (b"API_KEY", b"DB_PASSWORD", b"db-password", image("b").encode(), b"allUsers", b"shop-ew1"):
        assert kept in stored, kept


def test_a_job_says_what_runs() -> None:
    """Its identity and image, and nothing of invokers."""
    job, name = type(made := add_job(World())).pb(made), RunName.parse(NIGHTLY)
    assert name is not None
    (item,) = run_settings.read(given(facts(job=job_value(job, name), objects={"job": document_of(job)})))
    assert (item.kind, item.title) == ("Job", NIGHTLY)
    assert item.summary.startswith(f"sha256:{'d' * 64}, runs as checkout@")


def test_what_could_not_be_read_is_told() -> None:
    """The rest is kept; where nothing was read, the permission that was missing is named."""
    whole = known()
    documents = {"service": whole.objects["service"]}
    part = facts(service=whole.service, objects=documents, missing={"iam_policy": "deadline"})
    told = run_settings.read(given(part))[-1]
    assert told == EvidenceItem(kind="read errors", content={"iam_policy": "deadline"}, summary="deadline")
    refused = ApiError(Reason.CLOUD_RUN.of("permission_denied"), status=403, permission="run.services.get")
    with pytest.raises(NotPossible, match="cloud_run_permission_denied") as caught:
        run_settings.read(given(facts(missing={"service": refused.reason}), errors={"service": refused}))
    assert caught.value.permission == "run.services.get"
    with pytest.raises(NotPossible, match="service_not_named"):
        run_settings.read(given(facts()))


def test_pods_have_no_such_source() -> None:
    """Nor do policies for pods need its permissions: they are asked for apart."""
    assert run_settings not in sources_for(CAPTURES_EVIDENCE)
    assert run_settings in sources_for(CAPTURES_EVIDENCE, of_cloud_run=True)
    assert sources_for(CAPTURES_AGAIN, of_cloud_run=True) == (run_settings,)
    assert sources_for(CAPTURES_AGAIN) == ()
    assert not set(run_settings.permissions) & set(permissions_of("capture_evidence"))
    asked = [need.permission for of in (of_cloud_run, of_cloud_monitoring) for need in of()]
    assert asked == [str(each) for each in run_settings.permissions]
    assert [need.permission for need in of_cloud_monitoring()] == ["monitoring.timeSeries.list"]


def test_documents_are_json() -> None:
    """Whatever the API says can be stored."""
    assert json.loads(json.dumps(known().objects))["service"]["template"]["containers"][0]["name"] == "app"
