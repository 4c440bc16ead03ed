"""The questions to Cloud Logging choose the finding's entries and no others, and no name becomes a part of a filter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format
from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.execute.evidence.log_filters import MOST_CHARACTERS, identities, log_project, log_queries, resources
from tests.kits.decision_contexts import EVENT, NODE, REF, context
from tests.kits.google.logging_filter import FilterError, parse_filter
from tests.kits.google.logging_server import DATA_ACCESS, audit_entry, line_entry, node_entry

INSTANCE = "4711000000000000001"


def facts(**more: Any) -> Context:
    """What is known of the reverse shell's pod, with the node's instance."""
    return context(node=replace(NODE, instance_id=INSTANCE), **more)


def at(minutes: float) -> str:
    """So many minutes after the event."""
    return (EVENT + timedelta(minutes=minutes)).isoformat()


def chosen(name: str, entry: dict[str, Any], known: Context | None = None) -> bool:
    """Whether the question of this name chooses the entry, as the API reads it."""
    (query,) = [query for query in log_queries(known or facts()) if query.name == name]
    held = LogEntry()
    json_format.ParseDict(entry, LogEntry.pb(held))
    return parse_filter(query.filter)(json_format.MessageToDict(LogEntry.pb(held)))


POD = "core/v1/namespaces/shop/pods/web-1"
DEPLOYMENT = "apps/v1/namespaces/shop/deployments/web"
ACCOUNT = "system:serviceaccount:shop:default"
SUBJECT = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/ns/shop/sa/default"
)
CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "exec": ("who", audit_entry(f"{POD}/exec", "io.k8s.core.v1.pods.exec.create", "alice@example.com", at(-3)), True),
    "exec-in-data-access": (
        "who",
        audit_entry(f"{POD}/exec", "io.k8s.core.v1.pods.exec.get", "a@example.com", at(-3), DATA_ACCESS),
        True,
    ),
    "read-in-data-access": (
        "who",
        audit_entry(POD, "io.k8s.core.v1.pods.get", "a@example.com", at(-3), DATA_ACCESS),
        False,
    ),
    "deployed": (
        "who",
        audit_entry(DEPLOYMENT, "io.k8s.apps.v1.deployments.patch", "ci@example.com", at(-60 * 20)),
        True,
    ),
    "deployed-long-ago": (
        "who",
        audit_entry(DEPLOYMENT, "io.k8s.apps.v1.deployments.patch", "ci@example.com", at(-60 * 25)),
        False,
    ),
    "other-namespace": (
        "who",
        audit_entry("core/v1/namespaces/cart/pods/web-1/exec", "io.k8s.core.v1.pods.exec.create", "a@x.com", at(0)),
        False,
    ),
    "identity-in-cluster": ("who", audit_entry("core/v1/secrets", "io.k8s.core.v1.secrets.list", ACCOUNT, at(1)), True),
    "identity-at-google": (
        "who",
        audit_entry("x", "storage.objects.get", "", at(1), resource_type="gcs_bucket", principalSubject=SUBJECT),
        True,
    ),
    "identity-long-before": ("who", audit_entry("core/v1/secrets", "list", ACCOUNT, at(-70)), False),
    "other-identity": ("who", audit_entry("core/v1/secrets", "list", ACCOUNT + "-admin", at(1)), False),
    "line": ("written", line_entry("hello", at(-59)), True),
    "line-after": ("written", line_entry("hello", at(600)), True),
    "line-before": ("written", line_entry("hello", at(-61)), False),
    "line-of-a-sibling": ("written", line_entry("hello", at(0), pod="web-2"), False),
    "line-of-another-namespace": ("written", line_entry("hello", at(0), namespace="cart"), False),
    "line-of-another-cluster": ("written", line_entry("hello", at(0), cluster_name="prod-2"), False),
    "line-of-ours": ("written", line_entry("x", at(0), container_name="scc-responder-look-0a0a0a0a0a0a"), False),
    "line-of-one-that-is-named-so": ("written", line_entry("x", at(0), container_name="not-scc-responder-look"), True),
    "node": ("written", node_entry("oom", at(0), INSTANCE), True),
    "other-node": ("written", node_entry("oom", at(0), "1"), False),
}


@pytest.mark.parametrize(("name", "entry", "expected"), CASES.values(), ids=CASES)
def test_a_question_chooses_its_entries(name: str, entry: dict[str, Any], *, expected: bool) -> None:
    """By resource, names and time."""
    assert chosen(name, entry) is expected


def test_two_requests_are_enough() -> None:
    """However long the names are, each is within what the API reads."""
    assert [query.name for query in log_queries(facts())] == ["who", "written"]
    long = facts(pod={"namespace": "n" * 63, "name": "p" * 253, "service_account": "s" * 253})
    assert max(len(query.filter) for query in log_queries(long)) < MOST_CHARACTERS


HOSTILE = ['x" OR timestamp>="2000', "a b", "", "x\ny", "é", "../x", "X", 'a"', "a\\", "(a)", "x" * 300]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["namespace", "name", "service_account"])
def test_what_is_no_name_enters_no_filter(field: str, text: str) -> None:
    """Its question is left out, and the others are asked."""
    queries = log_queries(facts(pod={field: text}))
    assert all(not text or f'"{text}"' not in query.filter for query in queries)
    for query in queries:
        parse_filter(query.filter)
    assert "gce_instance" in queries[-1].filter


@pytest.mark.parametrize("text", HOSTILE)
def test_an_unusable_cluster_asks_nothing(text: str) -> None:
    """Without it, entries of another cluster would be chosen."""
    assert log_queries(facts(finding={"cluster": replace(REF, location=text)})) == ()
    assert log_queries(facts(finding={"cluster": replace(REF, name=text)})) == ()
    assert log_queries(facts(finding={"cluster": None})) == ()


def test_without_a_pod_the_node_is_asked_for() -> None:
    """A finding about a node has its console."""
    (query,) = log_queries(facts(pod=False))
    assert (query.name, "k8s_container" in query.filter) == ("written", False)


@pytest.mark.parametrize(
    ("display_name", "project", "expected"),
    [
        ("example-project", "100000000001", "example-project"),
        ("", "100000000001", "100000000001"),
        ("Example Project", "example-project", "example-project"),
        ('x" OR "', "example.com:proj-one", "example.com:proj-one"),
    ],
)
def test_the_project_is_named_by_its_id(display_name: str, project: str, expected: str) -> None:
    """A number stands in for it where nothing else is known."""
    known = facts(finding={"project_display_name": display_name, "cluster": replace(REF, project=project)})
    assert log_project(known) == expected


def test_the_names_of_a_workload_are_those_of_audit_logs() -> None:
    """The pod first, then its owners; and the identity in both its spellings."""
    assert resources(facts()) == (
        "namespaces/shop/pods/web-1",
        "namespaces/shop/replicasets/web-6d5f",
        "namespaces/shop/deployments/web",
    )
    assert identities(facts(pod={"service_account": "cart"})) == (
        "system:serviceaccount:shop:cart",
        "/subject/ns/shop/sa/cart",
    )
    assert (resources(facts(pod=False)), identities(facts(pod=False))) == ((), ())


def test_the_stand_in_binds_as_the_api_does() -> None:
    """`OR` before `AND`; what it does not know it refuses."""
    entry = {"severity": "INFO", "textPayload": "Hello"}
    assert not parse_filter('severity="INFO" OR textPayload="x" AND textPayload="y"')(entry)
    assert parse_filter('severity="info" AND NOT textPayload:"bye" AND textPayload:"ELL"')(entry)
    for text in ('severity="INFO" AND', "severity=INFO", 'spanId="x"', '(severity="x"', 'timestamp>="x"', "'x'"):
        with pytest.raises(FilterError):
            parse_filter(text)({"timestamp": "2026-01-01T00:00:00Z"})
