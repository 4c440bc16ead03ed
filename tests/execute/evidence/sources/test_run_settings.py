"""The settings of what runs in Cloud Run are evidence, without the secrets in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scc_responder.adapters.google.cloud_run.run_messages import (
    document_of,
    job_value,
    policy_value,
    revision_value,
    service_value,
)
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import CloudRunTarget, Threat
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, NotPossible, sources_for
from scc_responder.execute.evidence.manifest import evidence_objects
from scc_responder.execute.evidence.sources.run_settings import run_settings
from scc_responder.workbench.needed_permissions import of_cloud_run, permissions_of
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
        "last changed by ci@example-project.iam.gserviceaccount.com, anyone may invoke it"
    )


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
    assert not set(run_settings.permissions) & set(permissions_of("capture_evidence"))
    assert [need.permission for need in of_cloud_run()] == [str(each) for each in run_settings.permissions]


def test_documents_are_json() -> None:
    """Whatever the API says can be stored."""
    assert json.loads(json.dumps(known().objects))["service"]["template"]["containers"][0]["name"] == "app"
