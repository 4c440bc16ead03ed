"""A finding's Cloud Run resource in every spelling, and what its parts disagree on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.finding import CloudRunTarget, Finding
from scc_responder.intake.cloud_run_resource import MAX_LENGTH, read_cloud_run
from scc_responder.intake.notification import content_digest, parse_notification
from tests.findings import data, notification
from tests.strategies import JSON

PLACE = "projects/example-project/locations/europe-west1"
SERVICE = f"//run.googleapis.com/{PLACE}/services/checkout"
REVISION = f"{SERVICE}/revisions/checkout-00042-abc"
JOB = f"//run.googleapis.com/{PLACE}/jobs/nightly"
NUMBERED = "//run.googleapis.com/projects/100000000001/locations/europe-west1/services/checkout"
PROJECT = "//cloudresourcemanager.googleapis.com/projects/100000000001"


def target(kind: str, name: str, project: str = "example-project", **more: str) -> CloudRunTarget:
    return CloudRunTarget(kind=kind, project=project, location="europe-west1", name=name, **more)


CHECKOUT = target("service", "checkout")
CHECKOUT_42 = target("service", "checkout", revision="checkout-00042-abc")
OWN_42 = target("revision", "checkout-00042-abc", service="checkout", revision="checkout-00042-abc")
LOOSE_42 = target("revision", "checkout-00042-abc", revision="checkout-00042-abc")
NIGHTLY_X = target("job", "nightly", execution="nightly-x7k2p")
SPELT = {"type": "google.run.Service", "displayName": "checkout", "location": "europe-west1"}


@pytest.mark.parametrize(
    ("names", "resource", "source", "expected"),
    [
        ([SERVICE], {}, {}, CHECKOUT),
        ([REVISION], {}, {}, OWN_42),
        ([SERVICE, REVISION], {}, {}, CHECKOUT_42),
        ([f"//run.googleapis.com/{PLACE}/revisions/checkout-00042-abc"], {}, {}, LOOSE_42),
        ([f"//run.googleapis.com/{PLACE}/revisions/checkout-00042-abc", SERVICE], {}, {}, OWN_42),
        ([f"{JOB}/executions/nightly-x7k2p"], {}, {}, NIGHTLY_X),
        ([SERVICE], {"displayName": "checkout"}, {}, CHECKOUT),
        ([SERVICE], {"displayName": "The shop's checkout"}, {}, CHECKOUT),
        ([SERVICE], {"displayName": f"{PLACE}/services/checkout/revisions/checkout-00042-abc"}, {}, CHECKOUT_42),
        ([SERVICE], {"type": "google.run.Revision", "displayName": "checkout-00042-abc"}, {}, CHECKOUT_42),
        ([REVISION], {"type": "google.run.Revision", "displayName": "checkout"}, {}, OWN_42),
        ([JOB], {"type": "run.googleapis.com/Execution", "displayName": "nightly-x7k2p"}, {}, NIGHTLY_X),
        ([SERVICE], {}, {"Revision_Name": '"checkout-00042-abc"'}, CHECKOUT_42),
        ([SERVICE], {}, {"revision_name": "checkout-00042-abc", "service_name": "checkout"}, CHECKOUT_42),
        ([SERVICE], {}, {"properties": {"cloudRunRevisionName": "checkout-00042-abc"}}, CHECKOUT_42),
        ([SERVICE], {}, {"labels": [{"key": "revision_name", "value": "checkout-00042-abc"}]}, CHECKOUT_42),
        ([SERVICE], {}, {"Resource": REVISION, "serviceName": "run.googleapis.com"}, CHECKOUT_42),
        ([JOB], {}, {"Execution_Name": "nightly-x7k2p"}, NIGHTLY_X),
        ([SERVICE], {}, {"Revision_Name": "x" * (MAX_LENGTH + 1), "Job_Name": 7, "Location": None}, CHECKOUT),
        ([NUMBERED], {}, {}, target("service", "checkout", project="100000000001")),
        ([NUMBERED, SERVICE], {}, {}, CHECKOUT),
        ([PROJECT], {**SPELT, "gcpMetadata": {"project": PROJECT}}, {}, target("service", "checkout", "100000000001")),
        ([], {**SPELT, "project": PROJECT}, {}, target("service", "checkout", "100000000001")),
        ([], SPELT, {}, None),
        ([PROJECT], {"type": "google.run.Revision", "displayName": "checkout-00042-abc"}, {}, None),
        ([PROJECT], {"type": "google.cloud.resourcemanager.Project"}, {"Service_Name": "checkout"}, None),
        ([], {}, {}, None),
    ],
)
def test_every_spelling_names_the_resource(
    names: list[str], resource: dict[str, Any], source: dict[str, Any], expected: CloudRunTarget | None
) -> None:
    """What one part leaves open another one says; nothing contradicts."""
    parts = read_cloud_run(names, resource, source)
    assert (parts.cloud_run, parts.contradictions) == (expected, ())


@pytest.mark.parametrize(
    ("names", "resource", "source", "contradictions"),
    [
        ([SERVICE, SERVICE.replace("checkout", "ledger")], {}, {}, ("cloud_run",)),
        ([SERVICE, JOB], {}, {}, ("cloud_run",)),
        ([SERVICE], {}, {"Service_Name": "ledger"}, ("cloud_run",)),
        ([SERVICE], {"displayName": f"{PLACE}/services/ledger"}, {}, ("cloud_run",)),
        ([REVISION], {}, {"Revision_Name": "checkout-00041-xyz"}, ("revision",)),
        ([SERVICE], {}, {"Revision_Name": "ledger-00041-xyz"}, ("revision",)),
        ([f"{SERVICE}/revisions/ledger-00041-xyz"], {}, {}, ("revision",)),
        ([JOB], {}, {"Execution_Name": "other-x7k2p"}, ("execution",)),
        ([SERVICE], {"location": "us-central1"}, {}, ("location",)),
        ([SERVICE], {}, {"Location": "us-central1"}, ("location",)),
        ([SERVICE, SERVICE.replace("example-project", "other-project")], {}, {}, ("project",)),
        ([NUMBERED], {"gcpMetadata": {"project": PROJECT.replace("1", "2")}}, {}, ("project",)),
    ],
)
def test_parts_that_disagree_are_named(
    names: list[str], resource: dict[str, Any], source: dict[str, Any], contradictions: tuple[str, ...]
) -> None:
    """No part is believed against another."""
    parts = read_cloud_run(names, resource, source)
    assert parts.contradictions == contradictions
    assert parts.cloud_run is not None


@given(st.lists(st.sampled_from([SERVICE, REVISION, JOB, NUMBERED, PROJECT])), JSON, JSON)
def test_any_json_is_read_without_an_error(names: list[str], resource: Any, source: Any) -> None:
    """A detector that is newer than this version may say anything."""
    parts = read_cloud_run(
        names, resource if isinstance(resource, dict) else {}, source if isinstance(source, dict) else {}
    )
    assert parts.cloud_run or not parts.contradictions


def parsed(resource: str = SERVICE, **source: str) -> Finding:
    """The golden about a resource, with properties of the source."""
    document = notification(
        "cloud_run_container_escape", finding={"resourceName": resource, "sourceProperties": source}
    )
    document["resource"] |= {"name": resource, "displayName": resource.rpartition("/")[2]}
    return parse_notification(data(document))


def test_a_contradiction_is_one_of_the_finding() -> None:
    """It holds every change, as those of a pod's finding do."""
    found = parsed(Service_Name="ledger")
    assert (found.cloud_run, found.contradictions) == (CHECKOUT, ("cloud_run",))


@pytest.mark.parametrize(
    ("rest", "digest"),
    [
        ("services/checkout", "779dd2be9fd3"),
        ("services/checkout/revisions/checkout-00042-abc", "aa59fa5cfc73"),
        ("revisions/checkout-00042-abc", "d60b89460447"),
        ("jobs/nightly/executions/nightly-x7k2p", "b4d640d242de"),
    ],
)
def test_a_finding_keeps_the_digest_of_earlier_versions(rest: str, digest: str) -> None:
    """After an upgrade a copy of a known finding is still a copy."""
    assert content_digest(parsed(f"//run.googleapis.com/{PLACE}/{rest}")).startswith(digest)


def test_a_revision_that_is_news_changes_the_digest() -> None:
    """A finding that says more than its resource name is no copy of one that does not."""
    named = parsed(Revision_Name="checkout-00042-abc")
    assert content_digest(named) != content_digest(parsed())
