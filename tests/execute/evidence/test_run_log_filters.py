"""The questions about Cloud Run choose the service's or job's entries and no others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunRevision, RunService
from scc_responder.domain.context import Context
from scc_responder.domain.finding import CloudRunTarget, Threat
from scc_responder.execute.evidence.log_entries import LogNames
from scc_responder.execute.evidence.log_filters import identities, log_project, log_queries, resources
from tests.kits.decision_contexts import EVENT
from tests.kits.google.logging_filter import parse_filter
from tests.kits.google.logging_server import ACTIVITY, AUDIT_LOG, STDOUT
from tests.kits.journal_worlds import finding

ACCOUNT = "checkout@example-project.iam.gserviceaccount.com"
DEPLOYER = "ci@example-project.iam.gserviceaccount.com"
THREAT = Threat(name="cloud_run_reverse_shell", surface="cloud_run", kind="behavioral", confidence="likely")
SERVICE = RunName.parse("projects/example-project/locations/europe-west1/services/checkout")
assert SERVICE is not None


def facts(kind: str = "service", name: str = "checkout", revision: str = "", account: str = ACCOUNT) -> Context:
    """What is known of a finding about a service or job, and of its revision."""
    target = CloudRunTarget(kind=kind, project="example-project", location="europe-west1", name=name)
    about = finding(cluster=None, pods=(), node="", containers=(), cloud_run=target, event_time=EVENT)
    return Context(
        finding=about,
        threat=THREAT,
        service=RunService(name=SERVICE, uid="u", generation=1, etag="e", service_account=account),
        revision=RunRevision(name=revision, service=name, uid="r", service_account=account) if revision else None,
    )


def at(minutes: float) -> str:
    """So many minutes after the event."""
    return (EVENT + timedelta(minutes=minutes)).isoformat()


def audit(resource: str, method: str, who: str, minutes: float, service: str = "run.googleapis.com") -> dict[str, Any]:
    """An entry of Google Cloud's audit log."""
    payload = {
        "@type": AUDIT_LOG,
        "serviceName": service,
        "methodName": method,
        "resourceName": resource,
        "authenticationInfo": {"principalEmail": who},
    }
    labels = {"service_name": "checkout", "location": "europe-west1", "revision_name": ""}
    kind = {"type": "cloud_run_revision", "labels": labels}
    return {"logName": ACTIVITY, "timestamp": at(minutes), "resource": kind, "protoPayload": payload}


def line(minutes: float, kind: str = "cloud_run_revision", **labels: str) -> dict[str, Any]:
    """A line that a container wrote."""
    named = {"location": "europe-west1", **labels}
    resource = {"type": kind, "labels": named}
    return {"logName": STDOUT, "timestamp": at(minutes), "resource": resource, "textPayload": "hello"}


V2 = "projects/example-project/locations/europe-west1/services/checkout"
V1 = "namespaces/example-project/services/checkout"
REVISION = "checkout-00002-abc"
CASES: dict[str, tuple[str, dict[str, Any], Context, bool]] = {
    "deployed by v2": ("who", audit(V2, "google.cloud.run.v2.Services.UpdateService", DEPLOYER, -60), facts(), True),
    "deployed by v1": ("who", audit(V1, "google.cloud.run.v1.Services.ReplaceService", DEPLOYER, -60), facts(), True),
    "deployed two days ago": ("who", audit(V2, "x.UpdateService", DEPLOYER, -60 * 48), facts(), False),
    "another service": ("who", audit(V2.replace("checkout", "cart"), "x.UpdateService", DEPLOYER, -60), facts(), False),
    "what its identity did": ("who", audit("projects/x", "x.Get", ACCOUNT, 1, "storage.googleapis.com"), facts(), True),
    "what it did before": ("who", audit("projects/x", "x.Get", ACCOUNT, -90, "storage.googleapis.com"), facts(), False),
    "a line": ("written", line(-1, service_name="checkout"), facts(), True),
    "a line of another service": ("written", line(-1, service_name="checkout-2"), facts(), False),
    "a line of another region": (
        "written",
        {**line(-1, service_name="checkout", location="us-central1")},
        facts(),
        False,
    ),
    "a line of the revision": (
        "written",
        line(-1, service_name="checkout", revision_name=REVISION),
        facts(revision=REVISION),
        True,
    ),
    "a line of another revision": (
        "written",
        line(-1, service_name="checkout", revision_name="checkout-00001-abc"),
        facts(revision=REVISION),
        False,
    ),
    "an audit entry is no line": ("written", audit(V2, "x.UpdateService", DEPLOYER, -1), facts(), False),
    "a line of a job": ("written", line(-1, "cloud_run_job", job_name="nightly"), facts("job", "nightly"), True),
    "a job was changed": (
        "who",
        audit(V2.replace("services/checkout", "jobs/nightly"), "x.UpdateJob", DEPLOYER, -60),
        facts("job", "nightly"),
        True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_question_chooses_its_entries(case: str) -> None:
    """As the API reads it."""
    name, entry, known, expected = CASES[case]
    (query,) = [query for query in log_queries(known) if query.name == name]
    held = LogEntry()
    json_format.ParseDict(entry, LogEntry.pb(held))
    assert parse_filter(query.filter)(json_format.MessageToDict(LogEntry.pb(held))) is expected


def test_a_service_has_a_project_and_two_questions() -> None:
    """By the finding's own resource, where no display name says the project."""
    assert log_project(facts()) == "example-project"
    assert [query.name for query in log_queries(facts())] == ["who", "written"]
    assert log_queries(facts("worker_pool", "pool")) == ()


@pytest.mark.parametrize("text", ['x" OR "', "a b", "", "x@", 'a@b" OR timestamp>="'])
def test_no_account_becomes_a_part_of_a_filter(text: str) -> None:
    """What has not the form of an account asks nothing."""
    assert identities(facts(account=text)) == ()
    assert all("principalEmail" not in query.filter for query in log_queries(facts(account=text)))


@pytest.mark.parametrize("text", ['x" OR "', "a b", "", "Ä"])
def test_no_service_name_becomes_a_part_of_a_filter(text: str) -> None:
    """An odd name asks nothing at all."""
    assert log_queries(facts(name=text)) == ()


def test_the_case_says_who_deployed_it() -> None:
    """By exact names; what the service's identity did is counted."""
    known = facts()
    names = LogNames(resources(known), identities(known))
    entries = [
        audit(V2, "google.cloud.run.v2.Services.UpdateService", DEPLOYER, -34),
        audit(f"{V2}-2", "google.cloud.run.v2.Services.UpdateService", "other@example.com", -3),
        audit(V2, "google.cloud.run.v2.Services.GetService", "reader@example.com", -3),
        audit("projects/x", "storage.objects.get", ACCOUNT, 1, "storage.googleapis.com"),
    ]
    assert names.said_by_audit(entries) == (
        f"update of services/checkout by {DEPLOYER} 08:57, 1 calls of the service's identity"
    )
    assert names.said_by_lines([line(-1), line(-2)]) == "2 entries of the service"
    of_job = facts("job", "nightly")
    assert LogNames(resources(of_job), ()).said_by_lines([line(-1, "cloud_run_job")]) == "1 entries of the job"
