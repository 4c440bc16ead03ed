"""Names of Google's APIs and of Kubernetes, read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain import resource_names
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.resource_names import FindingName, Instance, is_this_machine, parse_cloud_run


def test_all_spellings_of_a_finding_have_one_key() -> None:
    """v1, v2 and canonical names differ in their ancestor alone."""
    names = [
        "organizations/1/sources/2/findings/f",
        "folders/9/sources/2/locations/global/findings/f",
        "projects/example-project/sources/2/locations/global/findings/f",
    ]
    parsed = [FindingName.parse(name) for name in names]
    assert len({found.key for found in parsed if found}) == 1
    assert None not in parsed


@pytest.mark.parametrize(
    "name", ["", "organizations/x/sources/2/findings/f", "organizations/1/sources/2/findings/f/x", "a/b"]
)
def test_anything_else_is_no_finding(name: str) -> None:
    """Nothing is guessed."""
    assert FindingName.parse(name) is None


@pytest.mark.parametrize(
    ("parent", "source"), [("organizations/1/sources/22", "22"), ("x/sources/3/y", "3"), ("x", ""), ("", "")]
)
def test_a_parent_names_its_source(parent: str, source: str) -> None:
    """By its number, or not at all."""
    assert resource_names.source_of(parent) == source


RUN = "//run.googleapis.com/projects/p/locations/l"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{RUN}/services/s", {"kind": "service", "name": "s"}),
        (f"{RUN}/services/s/revisions/r", {"kind": "revision", "name": "r", "service": "s", "revision": "r"}),
        (f"{RUN}/revisions/r", {"kind": "revision", "name": "r", "revision": "r"}),
        (f"{RUN}/jobs/j", {"kind": "job", "name": "j"}),
        (f"{RUN}/jobs/j/executions/e", {"kind": "job", "name": "j", "execution": "e"}),
        (f"{RUN}/jobs/j/executions/e/tasks/t", {"kind": "job", "name": "j", "execution": "e"}),
        (f"{RUN}/workerPools/w", {"kind": "worker_pool", "name": "w"}),
        (f"{RUN}/services", None),
        ("//other.googleapis.com/projects/p/locations/l/services/s", None),
    ],
)
def test_a_cloud_run_name_says_its_kind(name: str, expected: Any) -> None:
    """A revision names its service; an execution stands for its job."""
    target = CloudRunTarget(project="p", location="l", **expected) if expected else None
    assert parse_cloud_run(name) == target


def test_an_instance_has_project_zone_and_name() -> None:
    """By its full name alone."""
    found = Instance.parse("//compute.googleapis.com/projects/p/zones/z/instances/i")
    assert found == Instance(path="projects/p/zones/z/instances/i", project="p", zone="z", name="i")
    assert Instance.parse("projects/p/zones/z/instances/i") is None


@pytest.mark.parametrize(
    ("name", "namespace", "object_name"),
    [
        ("shop", True, True),
        ("a.b", False, True),
        ("A", False, False),
        ("", False, False),
        ("-a", False, False),
        ("../x", False, False),
    ],
)
def test_names_are_those_of_kubernetes(name: str, namespace: bool, object_name: bool) -> None:
    """A label for a namespace, a subdomain for an object."""
    assert resource_names.is_namespace(name) is namespace
    assert resource_names.is_object_name(name) is object_name


@pytest.mark.parametrize(
    ("one", "other", "same"), [("p", "p", True), ("p", "q", False), ("p", "12", True), ("12", "13", False)]
)
def test_a_number_may_be_any_project(one: str, other: str, same: bool) -> None:
    """A number says nothing against an id."""
    assert resource_names.same_project(one, other) is same


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", False), ("8", False), ("10.0.0.1", False), ("0.0.0.0", False)],
)
def test_this_machine_is_a_loopback_address(host: str, *, expected: bool) -> None:
    """A name could be resolved to anything."""
    assert is_this_machine(host) is expected
