"""One rule says which findings are related, and production, the local folder and `simulate` all follow it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.related_findings import MAX_RELATED, candidate, is_related, related_among
from scc_responder.intake.threats import catalogue, classify, runs_on
from scc_responder.workbench.simulation.recent_findings import RecentFindings
from tests.findings import notification
from tests.kits.google.grpc_servers import SecurityCenterServer, item
from tests.kits.google.scc_findings import SOURCES

Document = dict[str, Any]

NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
CLUSTER = "projects/{}/{}/europe-west1/clusters/{}"
RUN = "//run.googleapis.com/projects/{}/locations/europe-west1/{}"
CTD, CRTD = "catalogue/container_threat_detection", "catalogue/cloud_run_threat_detection"
ETD, VMTD = "catalogue/event_threat_detection", "catalogue/virtual_machine_threat_detection"


def made(golden: str, *, minutes: float = 0, finding_id: str = "f1", **more: Any) -> Document:
    """A golden of that name, so many minutes after noon."""
    time = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return notification(golden, event_time=time, finding_id=finding_id, **more)


def shell(**more: Any) -> Document:
    """A reverse shell in the pod."""
    return made("reverse_shell", **more)


def other(golden: str = "added_binary_executed", **more: Any) -> Document:
    """Another finding, a minute earlier."""
    return made(golden, **{"minutes": -1, "finding_id": "f2", **more})


def in_cluster(project: str = "example-project", place: str = "locations", name: str = "prod-1") -> Document:
    return {"cluster": CLUSTER.format(project, place, name)}


def in_pods(*names: str) -> Document:
    """The finding's pods, which stand in its typed fields alone."""
    pods = {"pods": [{"ns": "shop", "name": name} for name in names]}
    return {"finding": {"kubernetes": pods, "sourceProperties": {}}}


def in_half_a_pod(name: str, namespace: str = "shop") -> Document:
    """A pod whose typed fields leave its name out, and whose source properties say it."""
    properties = {"Pod_Namespace": namespace, "Pod_Name": name}
    return {"finding": {"kubernetes": {"pods": [{"ns": namespace}]}, "sourceProperties": properties}}


def without_pods(container: str = "app", node: str = "gke-prod-1-pool-1-3f2a1b0c-q7wz") -> Document:
    """A finding whose pod was not known in time, on a node."""
    named = {"containers": [{"name": container}], "kubernetes": {}, "sourceProperties": {"VM_Instance_Name": node}}
    return {"finding": named}


def renamed(document: Document, old: str, new: str) -> Document:
    """The document with one text in place of another wherever it stands."""
    changed: Document = json.loads(json.dumps(document).replace(old, new))
    return changed


def on_run(document: Document, resource: str, project: str = "example-project") -> Document:
    """The document, about that resource of Cloud Run."""
    return renamed(document, document["finding"]["resourceName"], RUN.format(project, resource))


def escape(resource: str = "services/checkout") -> Document:
    return on_run(made("cloud_run_container_escape"), resource)


def run_shell(resource: str = "services/checkout", project: str = "example-project") -> Document:
    """Another threat in Cloud Run."""
    return on_run(other(f"{CRTD}/cloud_run_reverse_shell"), resource, project)


def bound(principal: str, golden: str = "gke_control_plane_create_sensitive_binding", **more: Any) -> Document:
    """What a principal did in a cluster, about no pod and no node."""
    document = made(f"{ETD}/{golden}", **more)
    document["finding"]["access"]["principalEmail"] = principal
    return document


def granted(principal: str, **more: Any) -> Document:
    return bound(principal, "gke_anonymous_users_granted_access", **{"minutes": -1, "finding_id": "f2", **more})


DEPLOYER, BUILDER = "deployer@example-project.iam.gserviceaccount.com", "system:serviceaccount:shop:builder"
UNLISTED = renamed(other(), "1" * 19, "9" * 19)

PAIRS = {
    "another threat in the pod": (shell(), other(), True),
    "a threat of another detector in the pod": (shell(), other("affected_resource_pod"), True),
    "the same threat in the pod": (shell(), other("reverse_shell"), False),
    "no threat of the catalogue": (shell(), other("unknown_category"), False),
    "the finding itself": (shell(), other(finding_id="f1"), False),
    "a pod that only the source properties name in full": (shell(**in_pods("a")), other(**in_half_a_pod("a")), True),
    "another pod that only they name in full": (shell(**in_pods("a")), other(**in_half_a_pod("b")), False),
    "an hour before": (shell(), other(minutes=-60), True),
    "longer ago": (shell(), other(minutes=-60.001), False),
    "inactive": (shell(), other(finding={"state": "INACTIVE"}), False),
    "muted": (shell(), other(finding={"mute": "MUTED"}), False),
    "a vulnerability": (shell(), other(finding={"findingClass": "VULNERABILITY"}), False),
    "a source that settings do not list": (shell(), UNLISTED, False),
    "pods (a) and (a, b)": (shell(**in_pods("a")), other(**in_pods("a", "b")), True),
    "pods (a, b) and (b)": (shell(**in_pods("a", "b")), other(**in_pods("b")), True),
    "pods (a) and (b, c)": (shell(**in_pods("a")), other(**in_pods("b", "c")), False),
    "the pod, no containers": (shell(finding={"containers": []}), other(finding={"containers": []}), True),
    "the pod's name in another namespace": (shell(), other(namespace="bank"), False),
    "the pod's name in another cluster": (shell(), other(**in_cluster(name="prod-2")), False),
    "zones/ and locations/": (shell(), other(**in_cluster(place="zones")), True),
    "a project's id and its number": (shell(), other(**in_cluster("100000000001")), True),
    "a project's number and its id": (shell(**in_cluster("100000000001")), other(), True),
    "another project's number": (shell(), other(**in_cluster("100000000002")), False),
    "another project's id": (shell(), other(**in_cluster("another-project")), False),
    "no pods, other containers, one node": (shell(**without_pods("a")), other(**without_pods("b")), True),
    "no pods, other nodes": (shell(**without_pods()), other(**without_pods(node="gke-prod-1-pool-1-0-b")), False),
    "a pod and its node": (shell(), other(**without_pods()), False),
    "a node and its pod": (shell(**without_pods()), other(), False),
    "a node and its instance": (shell(**without_pods()), other(f"{VMTD}/vm_rootkit"), True),
    "an instance twice": (made(f"{VMTD}/vm_rootkit"), other(f"{VMTD}/vm_unexpected_ftrace_handler"), True),
    "nodes of one name in two clusters": (
        shell(**without_pods()),
        renamed(other(**without_pods()), "clusters/prod-1", "clusters/prod-2"),
        False,
    ),
    "a Cloud Run service": (escape(), run_shell(), True),
    "another service": (escape(), run_shell("services/cart"), False),
    "a service and its revision": (escape(), run_shell("services/checkout/revisions/checkout-00001-abc"), True),
    "a service and a job of its name": (escape(), run_shell("jobs/checkout"), False),
    "a job and its execution": (escape("jobs/nightly"), run_shell("jobs/nightly/executions/nightly-x2x9q"), True),
    "a service, project by number": (escape(), run_shell(project="100000000001"), True),
    "a principal": (bound(DEPLOYER), granted(DEPLOYER), True),
    "a principal in two clusters": (bound(DEPLOYER), granted(DEPLOYER, **in_cluster(name="prod-2")), True),
    "two principals": (bound(DEPLOYER), granted("other@example.com"), False),
    "a user of Kubernetes": (bound(BUILDER), granted(BUILDER), True),
    "users of two clusters": (bound(BUILDER), granted(BUILDER, **in_cluster(name="prod-2")), False),
    "a principal of another project": (bound(DEPLOYER), renamed(granted(DEPLOYER), "100000000001", "2"), False),
    "a pod and who made it": (other("affected_resource_pod"), granted(DEPLOYER, minutes=-2, finding_id="f3"), False),
}


@pytest.fixture(scope="module")
def security_center() -> Iterator[SecurityCenterServer]:
    with SecurityCenterServer() as server:
        yield server


@pytest.fixture(scope="module")
def production(security_center: SecurityCenterServer) -> Iterator[SecurityCenter]:
    adapter = SecurityCenter(sources=SOURCES, endpoint=security_center.endpoint)
    yield adapter
    adapter.close()


def by_rule(finding: Document, others: list[Document]) -> list[str]:
    candidates = [candidate(parse_notification(document)) for document in others]
    found = related_among(candidates, candidate(parse_notification(finding)), SOURCES)
    return [related.name for related in found]


def by_folder(finding: Document, others: list[Document]) -> list[str]:
    with TemporaryDirectory() as folder:
        for number, document in enumerate([finding, *others]):
            (Path(folder) / f"{number}.json").write_text(json.dumps(document))
        found = FindingsFolder(Path(folder), SOURCES).related(parse_notification(finding))
    return [related.name for related in found]


def by_simulation(finding: Document, others: list[Document]) -> list[str]:
    recent = RecentFindings(SOURCES)
    for other in sorted(map(parse_notification, others), key=lambda other: other.event_time):
        recent.add(other)
    return [related.name for related in recent.add(parse_notification(finding))]


@pytest.mark.parametrize(("finding", "other", "expected"), list(PAIRS.values()), ids=list(PAIRS))
def test_all_follow_one_rule(
    finding: Document,
    other: Document,
    expected: bool,
    security_center: SecurityCenterServer,
    production: SecurityCenter,
) -> None:
    """Whether a finding is related to another is one answer, wherever it is asked."""
    security_center.items = [item(finding), item(other)]
    names = [parse_notification(other).canonical_name] if expected else []
    assert by_rule(finding, [other]) == names
    assert by_folder(finding, [other]) == names
    assert by_simulation(finding, [other]) == names
    assert [related.name for related in production.related(parse_notification(finding))] == names


def test_all_say_what_happened_first_at_first(
    security_center: SecurityCenterServer, production: SecurityCenter
) -> None:
    """Several related findings stand in the order of time, in whatever order they are read."""
    others = [other(minutes=minutes, finding_id=f"f{-minutes}") for minutes in (-5, -50, -20)]
    names = [f"projects/100000000001/sources/{'1' * 19}/locations/global/findings/f{age}" for age in (50, 20, 5)]
    security_center.items = [item(document) for document in (others[0], shell(), *others[1:])]
    assert by_rule(shell(), others) == by_folder(shell(), others) == by_simulation(shell(), others) == names
    assert [related.name for related in production.related(parse_notification(shell()))] == names


POOL = [document for first, second, _ in PAIRS.values() for document in (first, second)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.tuples(st.sampled_from(POOL), st.integers(-61, 0)), min_size=2, max_size=8))
def test_all_agree_on_any_findings(
    chosen: list[tuple[Document, int]], security_center: SecurityCenterServer, production: SecurityCenter
) -> None:
    """However findings are mixed, all choose the same ones, oldest first."""
    moved = [at(document, minutes, f"f{number}") for number, (document, minutes) in enumerate(chosen)]
    finding, *others = sorted(moved, key=lambda document: str(document["finding"]["eventTime"]), reverse=True)
    security_center.items = [item(document) for document in moved]
    expected = by_rule(finding, others)
    assert by_folder(finding, others) == expected
    assert by_simulation(finding, others) == expected
    assert [related.name for related in production.related(parse_notification(finding))] == expected


def at(document: Document, minutes: int, finding_id: str) -> Document:
    """A copy as a finding of its own, so many minutes from noon."""
    copy = renamed(document, f"findings/{document['finding']['name'].rpartition('/')[2]}", f"findings/{finding_id}")
    copy["finding"]["eventTime"] = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return copy


@given(st.sampled_from(POOL), st.sampled_from(POOL))
def test_two_related_findings_are_related_both_ways(finding: Document, other: Document) -> None:
    """Where both can be acted on and are listed, each is another threat about the target of the other."""
    one, two = (candidate(parse_notification(document)) for document in (finding, other))
    if one.refused is two.refused is None and "unknown" not in {one.threat, two.threat}:
        assert is_related(one, two, None) == is_related(two, one, None)


def test_a_later_finding_is_related_too() -> None:
    """Whoever reads late knows of what followed within the hour."""
    assert by_folder(shell(), [later := other(minutes=60)]) == by_rule(shell(), [later]) != []
    assert by_folder(shell(), [later := other(minutes=60.001)]) == by_rule(shell(), [later]) == []


def test_findings_of_one_start_raise_nothing() -> None:
    """A program that loads four unknown libraries as it starts makes four findings: one threat, as likely as one."""
    four = [made(f"{CTD}/added_library_loaded", minutes=-number / 60, finding_id=f"f{number}") for number in range(4)]
    finding = parse_notification(four[0])
    related = related_among([candidate(parse_notification(each)) for each in four], candidate(finding), SOURCES)
    assert (related, classify(finding, related).confidence) == ((), "possible")


def test_no_target_has_more_threats_than_are_kept() -> None:
    """Of a storm each threat is kept: what a policy asks of the threats nearby has the answer of the whole list."""
    assert max(Counter(runs_on(row.surface) for row in catalogue()).values()) <= MAX_RELATED
    storm = [other(finding_id=f"a{number}") for number in range(2 * MAX_RELATED)]
    storm += [other("affected_resource_pod", finding_id="late")]
    found = related_among(
        [candidate(parse_notification(each)) for each in storm], candidate(parse_notification(shell())), SOURCES
    )
    assert (len(found), len({related.category for related in found})) == (MAX_RELATED, 2)


def test_findings_of_one_agent_are_related() -> None:
    """Another threat in the runtime of the same agent is related; of another agent, or what nobody knows, is not."""
    names = ("agent_engine_reverse_shell", "agent_engine_malicious_url_observed")
    shell_there, url = (notification(f"catalogue/agent_platform_threat_detection/{name}") for name in names)
    one, two = (candidate(parse_notification(document)) for document in (shell_there, url))
    assert is_related(two, one, None)
    url["finding"]["resourceName"] = url["resource"]["name"] = url["finding"]["resourceName"][:-1] + "6"
    assert not is_related(candidate(parse_notification(url)), one, None)
    assert not is_related(candidate(parse_notification(notification("agent_anomaly"))), one, None)


def test_no_source_is_refused_where_no_settings_are_known() -> None:
    """Whoever simulates without naming sources sees what all of them came to."""
    one, two = (candidate(parse_notification(document)) for document in (shell(), UNLISTED))
    assert is_related(two, one, None)
    assert not is_related(two, one, SOURCES)
