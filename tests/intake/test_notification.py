"""Every shape of a notification becomes one finding; what is missing, doubled or contradictory is known to be."""

from __future__ import annotations

import copy
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.finding import (
    CloudRunTarget,
    ClusterRef,
    Connection,
    Finding,
    FindingContainer,
    FindingFile,
    KubernetesObject,
    PodRef,
)
from scc_responder.domain.text import MAX_TEXT_BYTES, visible
from scc_responder.intake.notification import content_digest, parse_notification
from tests.counts import Count
from tests.findings import data, names, notification
from tests.strategies import JSON, NOTIFICATIONS, mutated_goldens

CLUSTER = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
POD = PodRef(namespace="shop", name="web-6d5f9c7b4-x2x9q")
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"


def parse(document: Any) -> Finding:
    return parse_notification(data(document))


def golden(name: str, **changes: Any) -> Finding:
    return parse(notification(name, **changes))


def changed(change: Callable[[dict[str, Any]], object], name: str = "reverse_shell") -> Finding:
    """The golden after a change made to its finding."""
    document = notification(name)
    change(document["finding"])
    return parse(document)


@pytest.mark.parametrize("name", names())
def test_every_golden_is_read_without_doubt_or_with_a_named_one(name: str) -> None:
    """Only the goldens made for it contradict themselves."""
    doubts = {"two_pods": ("several_pods",), "contradiction": ("pod", "node")}
    assert golden(name).contradictions == doubts.get(name, ())


def test_a_golden_is_read_in_full() -> None:
    """What the runbook asks an analyst to note is in the finding."""
    finding = golden("added_binary_executed")
    process = finding.processes[0]
    assert (finding.category, finding.severity, finding.finding_class) == ("Added Binary Executed", "LOW", "THREAT")
    assert (finding.cluster, finding.pod, finding.node) == (CLUSTER, POD, NODE)
    assert finding.containers[0].image == "europe-docker.pkg.dev/example-project/shop/web:1.4.2"
    assert (process.binary, process.args) == ("/tmp/kworkerd", ("/tmp/kworkerd", "--config=/tmp/.c"))
    assert (process.pid, process.parent_pid, process.user_id) == (48213, 1, 1000)
    assert finding.event_time == datetime(2026, 3, 2, 9, 31, 12, 458000, UTC)
    assert finding.contacts == ("security@example.com", "shop-oncall@example.com")
    assert finding.detector == "container_threat_detection"
    assert (finding.mitre_tactic, finding.mitre_techniques) == ("EXECUTION", ("INGRESS_TOOL_TRANSFER", "NATIVE_API"))
    assert finding.project_display_name == "example-project"


def test_a_reverse_shell_tells_where_it_went() -> None:
    """The address to block stands in the finding."""
    assert golden("reverse_shell").connections == (
        Connection(
            destination_ip="203.0.113.66",
            destination_port=4444,
            source_ip="192.0.2.17",
            source_port=51522,
            protocol="TCP",
        ),
    )


def test_a_library_is_known_by_path_and_hash() -> None:
    """The modified library is named beside the innocent interpreter that loaded it."""
    process = golden("modified_malicious_library_loaded").processes[0]
    assert process.libraries == ("/usr/lib/x86_64-linux-gnu/libz.so.1.3",)
    assert [file.whole_file for file in process.library_files] == [True]


def test_a_hash_of_a_prefix_is_marked_as_one() -> None:
    """Nobody asks VirusTotal about a hash that is no file's."""
    process = golden("cloud_run_container_escape").processes[0]
    assert process.binary_file is not None
    assert (process.binary_file.whole_file, process.binary_file.size) == (False, 9961472)


def test_a_cloud_run_finding_has_a_service_and_no_cluster() -> None:
    """The surface is read off the resource."""
    finding = golden("cloud_run_container_escape")
    target = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="checkout")
    assert (finding.cloud_run, finding.cluster, finding.pods) == (target, None, ())


@pytest.mark.parametrize(
    ("rest", "kind", "name", "service"),
    [
        ("services/checkout", "service", "checkout", ""),
        ("services/checkout/revisions/checkout-00007-abc", "revision", "checkout-00007-abc", "checkout"),
        ("revisions/checkout-00007-abc", "revision", "checkout-00007-abc", "checkout"),
        ("jobs/nightly", "job", "nightly", ""),
        ("jobs/nightly/executions/nightly-x7k2p", "job", "nightly", ""),
        ("workerPools/queue", "worker_pool", "queue", ""),
    ],
)
def test_services_jobs_and_revisions_are_told_apart(rest: str, kind: str, name: str, service: str) -> None:
    """What can be done differs between them."""
    resource = f"//run.googleapis.com/projects/example-project/locations/europe-west1/{rest}"
    found = changed(lambda finding: finding.update(resourceName=resource), "cloud_run_container_escape").cloud_run
    assert found is not None
    assert (found.kind, found.name, found.service) == (kind, name, service)


def test_v1_and_v2_of_one_finding_agree() -> None:
    """An old notification config makes no difference to what is done."""
    new = golden("reverse_shell")
    old = golden("v1_shape", finding_id=new.finding_id)
    assert old.key == new.key
    assert (old.cluster, old.pods, old.node) == (new.cluster, new.pods, new.node)
    assert old.processes[0].args == new.processes[0].args
    assert old.containers == new.containers
    assert (old.shape, new.shape) == ("v1", "v2")


SOURCE = "sources/1111111111111111111"


@pytest.mark.parametrize(
    "name",
    [
        f"organizations/123456789012/{SOURCE}/findings/17c985fd",
        f"organizations/123456789012/{SOURCE}/locations/global/findings/17c985fd",
        f"projects/100000000001/{SOURCE}/findings/17c985fd",
        f"projects/example-project/{SOURCE}/locations/global/findings/17c985fd",
        f"folders/42/{SOURCE}/locations/global/findings/17c985fd",
    ],
)
def test_all_spellings_of_a_name_have_one_key(name: str) -> None:
    """One finding is one case, whichever way it comes."""
    assert golden("reverse_shell", finding={"name": name}).key == golden("reverse_shell", finding_id="17c985fd").key


@pytest.mark.parametrize(
    "name",
    [
        f"organizations/123456789012/{SOURCE}/locations/eu/findings/17c985fd",
        f"organizations/123456789012/{SOURCE}/locations/global/findings/17c985fe",
        "organizations/123456789012/sources/1111111111111111112/locations/global/findings/17c985fd",
    ],
)
def test_different_findings_have_different_keys(name: str) -> None:
    """Location, source and id each make a finding another one."""
    assert golden("reverse_shell", finding={"name": name}).key != golden("reverse_shell", finding_id="17c985fd").key


NOTICE = notification("reverse_shell")
BARE = notification("bare_finding")


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        pytest.param(NOTICE, "v2", id="notification"),
        pytest.param({"finding": NOTICE["finding"], "resource": NOTICE["resource"]}, "v2_list_item", id="list item"),
        pytest.param(
            {"listFindingsResults": [{"finding": NOTICE["finding"], "resource": NOTICE["resource"]}], "totalSize": 1},
            "v2_list_item",
            id="list answer with one",
        ),
        pytest.param(NOTICE["finding"], "v2_bare", id="bare"),
        pytest.param({**NOTICE["finding"], "resource": NOTICE["resource"]}, "v2_bare", id="resource inside a bare one"),
        pytest.param(
            {"notificationConfigName": "x", "finding": {**NOTICE["finding"], "resource": NOTICE["resource"]}},
            "v2",
            id="resource inside the finding",
        ),
        pytest.param({"notificationConfigName": "x", "finding": NOTICE["finding"]}, "v2", id="2019, without resource"),
        pytest.param(
            {
                "findings": {key: value for key, value in NOTICE["finding"].items() if key != "sourceProperties"},
                "sourceProperties": NOTICE["finding"]["sourceProperties"],
                "resource": {"name": NOTICE["resource"]["name"], "project_display_name": "example-project"},
            },
            "v2_console",
            id="the console's JSON tab",
        ),
    ],
)
def test_every_shape_gives_the_same_finding(document: dict[str, Any], shape: str) -> None:
    """What is done depends on the finding, not on how it was carried."""
    found = parse(document)
    assert found.shape == shape
    assert content_digest(found) == content_digest(golden("reverse_shell"))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param({}, "not_a_finding", id="empty"),
        pytest.param([], "not_a_finding", id="a list"),
        pytest.param({"hello": "world"}, "not_a_finding", id="foreign"),
        pytest.param({"finding": []}, "not_a_finding", id="no object"),
        pytest.param({"listFindingsResults": []}, "not_a_finding", id="empty list answer"),
        pytest.param({"listFindingsResults": [{"finding": {}}] * 2}, "several_findings", id="list answer with two"),
        pytest.param({"findings": [BARE, BARE]}, "several_findings", id="two in the console's shape"),
        pytest.param({"jsonPayload": {}, "logName": "projects/p/logs/x"}, "log_entry", id="a log export"),
        pytest.param({"finding": {**BARE, "name": "organizations/1/sources/2"}}, "malformed_finding_name", id="source"),
        pytest.param({"finding": {**BARE, "name": "x"}}, "malformed_finding_name", id="no name"),
        pytest.param({"finding": {**BARE, "name": BARE["name"] + "\n"}}, "malformed_finding_name", id="a line more"),
        pytest.param({"finding": {**BARE, "name": BARE["name"] + '"'}}, "malformed_finding_name", id="a quote more"),
        pytest.param({"finding": {**BARE, "eventTime": ""}}, "no_event_time", id="no event time"),
        pytest.param({"finding": {**BARE, "eventTime": "1970-01-01T00:00:00Z"}}, "no_event_time", id="the epoch"),
        pytest.param(
            {"finding": {**BARE, "eventTime": "2025-06-25T16:27:20-070057Z"}}, "no_event_time", id="a scrubbed time"
        ),
    ],
)
def test_what_is_no_finding_is_refused_with_a_named_reason(document: Any, reason: str) -> None:
    """Junk is told apart in the records and never guessed at."""
    with pytest.raises(RejectedMessage) as refused:
        parse(document)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not_json", id="nothing"),
        pytest.param(b"hello", "not_json", id="text"),
        pytest.param(data(NOTICE)[:-9], "not_json", id="cut off"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, "too_deep", id="10,000 lists"),
        pytest.param(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep", id="10,000 objects"),
        pytest.param(b'{"x":"\xff","a":' + b"[" * 10_000, "too_deep", id="deep and broken"),
        pytest.param(b"9" * 6000, "not_a_finding", id="a number of 6,000 digits"),
    ],
)
def test_bytes_that_cannot_be_read_are_refused(content: bytes, reason: str) -> None:
    """No input ends in an unhandled error."""
    with pytest.raises(RejectedMessage) as refused:
        parse_notification(content)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'"-i"', b'"\\ud800"', id="lone surrogate"),
        pytest.param(b'"-i"', b'"\xff\xfe"', id="broken UTF-8"),
        pytest.param(b'"48977"', b"NaN", id="NaN"),
        pytest.param(b'"48977"', b"1e999", id="infinity"),
    ],
)
def test_bytes_that_only_strict_parsers_refuse_hide_no_threat(old: bytes, new: bytes) -> None:
    """An argument that breaks the parser would otherwise be a way past the responder."""
    found = parse_notification(data(NOTICE).replace(old, new))
    assert (found.category, found.pod) == ("Reverse Shell", POD)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-02T09:38:12Z", datetime(2026, 3, 2, 9, 38, 12, 0, UTC)),
        ("2026-03-02T09:38:12.347Z", datetime(2026, 3, 2, 9, 38, 12, 347000, UTC)),
        ("2026-03-02T09:38:12.458107Z", datetime(2026, 3, 2, 9, 38, 12, 458000, UTC)),
        ("2026-03-02T09:38:12.046257728Z", datetime(2026, 3, 2, 9, 38, 12, 46000, UTC)),
        ("2026-03-02T09:38:12.9999Z", datetime(2026, 3, 2, 9, 38, 12, 999000, UTC)),
        ("2026-03-02T11:38:12.5+02:00", datetime(2026, 3, 2, 9, 38, 12, 500000, UTC)),
        ({"seconds": "1772444292", "nanos": 46257728}, datetime(2026, 3, 2, 9, 38, 12, 46000, UTC)),
        ({"seconds": 1772444292.0, "nanos": 4.6257728e7}, datetime(2026, 3, 2, 9, 38, 12, 46000, UTC)),
    ],
)
def test_times_are_cut_to_milliseconds(written: Any, read: datetime) -> None:
    """A notification and a later reading of the same finding show the same time."""
    assert golden("reverse_shell", finding={"eventTime": written}).event_time == read


@pytest.mark.parametrize(
    "written",
    ["2026-02-30T00:00:00Z", "2026-03-02", "2026-03-02T25:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"],
)
def test_times_that_are_none_are_not_set(written: str) -> None:
    """A container without a usable creation time has none."""
    found = changed(lambda finding: finding.update(createTime=written))
    assert found.create_time is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("48213", 48213),
        (48213, 48213),
        (48213.0, 48213),
        ("48213.0", 48213),
        (5.33346e8, 533346000),
        (True, None),
        (48213.5, None),
        ("", None),
        (None, None),
        ("0x10", None),
        (2**63, None),
        ([1], None),
        ("1" * 25, None),
    ],
)
def test_numbers_are_read_however_they_are_spelt(written: Any, read: int | None) -> None:
    """An int64 is text on one wire and a float on the other."""
    assert changed(lambda finding: finding["processes"][0].update(pid=written)).processes[0].pid == read


@pytest.mark.parametrize(
    ("field", "value", "attribute", "read"),
    [
        ("severity", "SEVERITY_UNSPECIFIED", "severity", ""),
        ("severity", None, "severity", ""),
        ("state", "STATE_UNSPECIFIED", "state", ""),
        ("mute", "MUTE_UNSPECIFIED", "mute", ""),
        ("findingClass", "FINDING_CLASS_UNSPECIFIED", "finding_class", ""),
        ("description", "NULL_VALUE", "description", ""),
        ("externalUri", "https://example.com/?a\\u003db\\u0026c", "external_uri", "https://example.com/?a=b&c"),
        ("externalUri", "javascript:alert(1)", "external_uri", ""),
        ("contacts", [], "contacts", ()),
        (
            "contacts",
            [{"key": "security", "value": {"contacts": [{"email": "a@example.com"}]}}],
            "contacts",
            ("a@example.com",),
        ),
        ("securityMarks", {"marks": []}, "marks", {}),
        ("securityMarks", {"marks": {"team": "shop"}}, "marks", {"team": "shop"}),
        ("securityMarks", {"marks": [{"key": "team", "value": "shop"}]}, "marks", {"team": "shop"}),
        ("mitreAttack", {"primaryTactic": "TACTIC_UNSPECIFIED"}, "mitre_tactic", ""),
        ("access", {"principalEmail": "a@example.com"}, "principal", "a@example.com"),
        ("indicator", {"ipAddresses": ["192.0.2.1"], "domains": []}, "indicators", ("192.0.2.1",)),
        (
            "indicator",
            {
                "signatures": [
                    {"yaraRuleSignature": {"yaraRule": "XMRig"}},
                    {"memoryHashSignature": {"binaryFamily": "x"}},
                ]
            },
            "indicators",
            ("XMRig", "x"),
        ),
        (
            "files",
            [{"diskPath": {"relativePath": "etc/cron.d/x"}, "operations": [{"type": "WRITE"}]}],
            "files",
            (FindingFile(path="etc/cron.d/x", operations=("WRITE",)),),
        ),
    ],
)
def test_what_is_not_set_reads_as_not_set(field: str, value: Any, attribute: str, read: Any) -> None:
    """Serialisers differ in what they leave out and how they write maps; the finding does not."""
    assert getattr(golden("reverse_shell", finding={field: value}), attribute) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-i", "-i"),
        ('"-i"', "-i"),
        ('"a\\"b\\u003dc"', 'a"b=c'),
        ('"broken\\"', '"broken\\"'),
        ('"', '"'),
        ("a\\u003db", "a=b"),
        ("x\n\u202ey", "x\\u000a\\u202ey"),
        ('"x\\ny"', "x\\u000ay"),
        (17, ""),
    ],
)
def test_arguments_are_decoded_and_made_visible(written: Any, read: str) -> None:
    """A second layer of JSON is undone where it is one, and never evaluated."""
    assert changed(lambda finding: finding["processes"][0].update(args=["bash", written])).processes[0].args[1] == read


CHECKOUT = "//run.googleapis.com/projects/example-project/locations/europe-west1/services/checkout"
CLUSTERS = "//container.googleapis.com/projects/example-project/"


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        (CLUSTERS + "locations/europe-west1/clusters/prod-1", CLUSTER),
        (CLUSTERS + "zones/europe-west1/clusters/prod-1", CLUSTER),
        (CLUSTERS + "regions/europe-west1/clusters/prod-1", CLUSTER),
        (CLUSTERS + "locations/europe-west1/clusters/prod-1/nodePools/x", None),
        (CLUSTERS + "locations/../clusters/prod-1", None),
        (CLUSTERS + "locations/europe-west1/clusters/prod-1?x=1", None),
        ("//container.googleapis.com/projects/*/locations/europe-west1/clusters/prod-1", None),
        ("//example.com/projects/p/locations/l/clusters/c", None),
    ],
)
def test_a_cluster_has_one_name_in_all_spellings(name: str, cluster: ClusterRef | None) -> None:
    """A cluster spelt `zones/` today and `locations/` tomorrow is one cluster; anything else is none."""
    document = notification("reverse_shell", finding={"resourceName": name})
    document["resource"]["name"] = name
    assert parse(document).cluster == cluster


def test_doubled_pods_are_one() -> None:
    """There is a record for each container of a pod; the pod is one all the same."""
    finding = golden("doubled_pods")
    assert (finding.pod, finding.contradictions) == (POD, ())
    assert [container.name for container in finding.containers] == ["app", "proxy"]


def test_two_pods_are_no_pod() -> None:
    """Nothing is done to one of two pods."""
    finding = golden("two_pods")
    assert (len(finding.pods), finding.pod, finding.contradictions) == (2, None, ("several_pods",))


def test_a_finding_without_a_pod_has_none() -> None:
    """The node alone is known."""
    finding = golden("missing_pod")
    assert (finding.pods, finding.containers, finding.node, finding.contradictions) == ((), (), NODE, ())


def _source(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda finding: finding["sourceProperties"].update(values)


def _kubernetes(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda finding: finding["kubernetes"].update(values)


@pytest.mark.parametrize(
    ("change", "contradictions"),
    [
        pytest.param(_source(Pod_Name="other"), ("pod",), id="pod name"),
        pytest.param(_source(Pod_Namespace="other"), ("pod",), id="pod namespace"),
        pytest.param(_source(Pod_Namespace="other", Pod_Name=""), ("pod",), id="namespace alone"),
        pytest.param(_source(VM_Instance_Name="other-node"), ("node",), id="node"),
        pytest.param(_source(Container_Name="sidecar"), ("container",), id="container"),
        pytest.param(_source(Container_Image_Uri="example.com/other:1"), ("image",), id="image"),
        pytest.param(_source(Container_Image_Id="sha256:" + "0" * 64), ("image",), id="image digest"),
        pytest.param(_source(Process_Binary_Fullpath="/bin/other"), ("process",), id="process"),
        pytest.param(
            _source(affectedResources=[{"gcpResourceName": "//k8s.io/core/v1/namespaces/shop/pods/other"}]),
            ("pod",),
            id="affected resource",
        ),
        pytest.param(
            _source(affectedResources=[{"gcpResourceName": CLUSTERS + "locations/europe-west1/clusters/prod-2"}]),
            ("cluster",),
            id="cluster",
        ),
        pytest.param(
            _source(affectedResources=[{"gcpResourceName": CHECKOUT}]),
            ("resource",),
            id="cluster and Cloud Run",
        ),
        pytest.param(_kubernetes(nodes=[{"name": "a"}, {"name": NODE}]), ("several_nodes", "node"), id="two nodes"),
        pytest.param(
            _kubernetes(
                nodes=[
                    {"name": f"//compute.googleapis.com/projects/other-project/zones/europe-west1-b/instances/{NODE}"}
                ]
            ),
            ("node",),
            id="a node of another project",
        ),
        pytest.param(
            _kubernetes(
                nodes=[{"name": f"//compute.googleapis.com/projects/example-project/zones/us-east1-b/instances/{NODE}"}]
            ),
            ("node",),
            id="a node of another region",
        ),
        pytest.param(
            lambda finding: finding.update(canonicalName=finding["canonicalName"] + "0"), ("finding_name",), id="names"
        ),
        pytest.param(
            lambda finding: finding.update(parent="organizations/1/sources/2/locations/global"),
            ("source",),
            id="parent",
        ),
    ],
)
def test_parts_that_disagree_are_named(
    change: Callable[[dict[str, Any]], object], contradictions: tuple[str, ...]
) -> None:
    """Nothing disruptive is done on a finding that contradicts itself."""
    assert changed(change).contradictions == contradictions


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_source(Pod_Namespace="", Pod_Name="", Container_Name=""), id="empty"),
        pytest.param(
            _source(VM_Instance_Name=f"projects/p/zones/z/instances/{NODE}"), id="another spelling of the node"
        ),
        pytest.param(
            _source(Container_Image_Id="sha256:0d85f5af1e0dfa09503f0bdb179ab8f37c4225b43d442a3a91e59c3c849bc99e"),
            id="the digest alone",
        ),
        pytest.param(
            _source(
                affectedResources=[
                    {
                        "gcpResourceName": CLUSTERS.replace("example-project", "100000000001")
                        + "zones/europe-west1/clusters/prod-1"
                    }
                ]
            ),
            id="the project's number",
        ),
        pytest.param(_source(Process_Binary_Fullpath='"/bin/bash"'), id="JSON-encoded path"),
        pytest.param(lambda finding: finding.update(sourceProperties=[]), id="no source properties"),
    ],
)
def test_spellings_and_gaps_are_no_contradiction(change: Callable[[dict[str, Any]], object]) -> None:
    """A finding that says less, or says it otherwise, is not held for that."""
    found = changed(change)
    assert (found.contradictions, found.pod, found.node) == ((), POD, NODE)


BY_ID, BY_NUMBER, BY_ANOTHER = (
    f"//container.googleapis.com/projects/{project}/locations/europe-west1/clusters/prod-1"
    for project in ("example-project", "100000000001", "100000000002")
)


@pytest.mark.parametrize(
    ("names", "project", "contradictions"),
    [
        pytest.param([BY_NUMBER, BY_ID], "example-project", (), id="a number, then the id"),
        pytest.param([BY_ID, BY_NUMBER], "example-project", (), id="the id, then a number"),
        pytest.param([BY_NUMBER, BY_NUMBER], "100000000001", (), id="numbers alone"),
        pytest.param([BY_NUMBER, BY_ID, BY_ANOTHER], "example-project", ("cluster",), id="two numbers beside an id"),
    ],
)
def test_a_cluster_is_known_by_its_projects_id(names: list[str], project: str, contradictions: tuple[str, ...]) -> None:
    """Settings list clusters by ids of projects: the id counts where another part gives the number."""

    document = notification("reverse_shell")
    document["finding"]["resourceName"] = document["resource"]["name"] = names[0]
    document["finding"]["sourceProperties"]["affectedResources"] = [{"gcpResourceName": name} for name in names[1:]]

    found = parse(document)
    assert (found.cluster and found.cluster.project, found.contradictions) == (project, contradictions)


@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("shop", "../../nodes/x"),
        ("shop", "web/exec"),
        ("shop", "Web"),
        ("shop", "a" * 254),
        ("a.b", "web"),
        ("..", "web"),
    ],
)
def test_a_pod_name_that_kubernetes_would_refuse_is_no_pod(space: str, name: str) -> None:
    """A name never becomes part of a path unless it could be a pod's."""
    finding = changed(
        lambda finding: finding.update(kubernetes={"pods": [{"ns": space, "name": name}]}, sourceProperties={})
    )
    assert (finding.pods, finding.contradictions) == ((), ("invalid_pod_name",))


def test_a_node_name_that_kubernetes_would_refuse_is_no_node() -> None:
    """The same holds for nodes."""
    finding = changed(lambda finding: finding.update(kubernetes={}, sourceProperties={"VM_Instance_Name": "a b"}))
    assert (finding.node, finding.contradictions) == ("", ("invalid_node_name",))


def test_typed_fields_alone_are_enough() -> None:
    """Newer findings carry no source properties."""
    finding = golden("reverse_shell", finding={"sourceProperties": None})
    assert (finding.pod, finding.node, finding.containers[0].name) == (POD, NODE, "app")
    assert finding.instance == f"projects/example-project/zones/europe-west1-b/instances/{NODE}"


def test_source_properties_fill_what_typed_fields_leave_out() -> None:
    """A typed container without its image takes the image from the source."""
    finding = changed(lambda finding: finding.update(containers=[{"name": "app"}], kubernetes={}))
    image = "europe-docker.pkg.dev/example-project/shop/web:1.4.2"
    assert finding.containers == (FindingContainer(name="app", image=image),)


def test_the_affected_container_comes_first() -> None:
    """Whoever needs one container takes the first: the one the finding is about."""
    document = notification("doubled_pods")
    document["finding"]["containers"] = [{"name": "proxy"}]
    document["finding"]["sourceProperties"] = {}
    assert [container.name for container in parse(document).containers] == ["proxy", "app"]


def test_an_event_finding_names_its_pod_in_affected_resources() -> None:
    """Event Threat Detection's only pointer to the pod is found; rule, caller and links are kept."""
    finding = golden("affected_resource_pod")
    assert (finding.pod, finding.rule) == (POD, "GKE_CONTROL_PLANE_LAUNCH_PRIVILEGED_CONTAINER")
    assert finding.principal == "deployer@example-project.iam.gserviceaccount.com"
    assert (finding.caller_ip, finding.method_name) == ("198.51.100.23", "io.k8s.core.v1.pods.create")
    assert "https://attack.mitre.org/techniques/T1548/" in finding.links


def test_roles_bindings_and_access_reviews_are_kept() -> None:
    """Who was given what is there for the analyst."""
    finding = golden(
        "affected_resource_pod",
        finding={
            "kubernetes": {
                "roles": [{"kind": "CLUSTER_ROLE", "name": "cluster-admin"}],
                "bindings": [
                    {
                        "name": "everyone",
                        "role": {"kind": "CLUSTER_ROLE", "name": "cluster-admin"},
                        "subjects": [
                            {"kind": "GROUP", "name": "system:anonymous"},
                            {"kind": "SERVICEACCOUNT", "ns": "shop", "name": "x"},
                        ],
                    }
                ],
                "accessReviews": [{"verb": "get", "resource": "secrets", "ns": "shop"}],
            }
        },
    )
    group = "rbac.authorization.k8s.io"
    assert finding.objects == (
        KubernetesObject(kind="ClusterRole", name="cluster-admin", group=group),
        KubernetesObject(
            kind="ClusterRoleBinding",
            name="everyone",
            group=group,
            role="cluster-admin",
            subjects=("Group system:anonymous", "ServiceAccount shop/x"),
        ),
    )
    assert finding.access_reviews == ("get secrets in shop",)


def test_snake_case_is_read_too() -> None:
    """Some serialisers keep the proto's own names."""
    finding = json.loads(
        json.dumps(BARE).replace('"eventTime"', '"event_time"').replace('"parentDisplayName"', '"parent_display_name"')
    )
    assert (parse(finding).event_time, parse(finding).detector) == (parse(BARE).event_time, parse(BARE).detector)


def test_a_custom_source_is_not_taken_for_googles() -> None:
    """The detector is what the source calls itself."""
    assert golden("reverse_shell", finding={"parentDisplayName": "Acme  Scanner!"}).detector == "acme_scanner"


def test_lists_are_bounded_and_say_so() -> None:
    """5,000 processes, pods and containers, and a megabyte of argument, end up small."""
    document = notification("reverse_shell")
    finding = document["finding"]
    process = finding["processes"][0]
    finding["processes"] = [process] * 5000
    process["args"] = ["x" * 1_000_000] + ["y"] * 5000
    finding["kubernetes"]["pods"] += [{"ns": "shop", "name": f"p-{i}"} for i in range(5000)]
    finding["containers"] += [{"name": f"c-{i}"} for i in range(5000)]
    finding["indicator"] = {"domains": [f"{i}.example.com" for i in range(5000)]}
    found = parse_notification(document)
    counts = (len(found.processes), len(found.pods), len(found.containers), len(found.indicators))
    assert counts == (100, 64, 64, 256)
    assert (len(found.processes[0].args), len(found.processes[0].args[0])) == (256, MAX_TEXT_BYTES)
    assert found.truncated == ("pods", "containers", "processes")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"eventTime": "2026-04-01T00:00:00Z"}, id="time"),
        pytest.param({"state": "INACTIVE"}, id="state"),
        pytest.param({"mute": "MUTED", "muteInitiator": "us"}, id="mute"),
        pytest.param({"securityMarks": {"marks": {"scc-responder": "contained"}}}, id="marks"),
        pytest.param({"description": "reworded"}, id="description"),
    ],
)
def test_an_update_that_says_nothing_new_has_the_same_digest(change: dict[str, Any]) -> None:
    """Our own marks and mutes come back as notifications; they are no news."""
    assert content_digest(golden("reverse_shell", finding=change)) == content_digest(golden("reverse_shell"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pod": "web-other"}, id="pod"),
        pytest.param({"node": "other"}, id="node"),
        pytest.param({"finding": {"category": "Unexpected Child Shell"}}, id="category"),
        pytest.param({"finding": {"severity": "LOW"}}, id="severity"),
        pytest.param({"finding": {"processes": []}}, id="processes"),
        pytest.param({"finding": {"access": {"principalEmail": "a@example.com"}}}, id="principal"),
    ],
)
def test_an_update_that_brings_something_new_has_another_digest(changes: dict[str, Any]) -> None:
    """A further pod or process is news."""
    assert content_digest(golden("reverse_shell", **changes)) != content_digest(golden("reverse_shell"))


def test_the_digest_does_not_depend_on_order() -> None:
    """Keys and lists come in another order every time."""
    document = notification("doubled_pods")
    turned = copy.deepcopy(document)
    turned["finding"] = dict(reversed(turned["finding"].items()))
    turned["finding"]["kubernetes"]["pods"].reverse()
    turned["finding"]["processes"].append({"binary": {"path": "/bin/a"}})
    document["finding"]["processes"].insert(0, {"binary": {"path": "/bin/a"}})
    assert content_digest(parse(turned)) == content_digest(parse(document))


def all_strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for text in all_strings(list(pair))]
    return [text for item in value for text in all_strings(item)] if isinstance(value, (list, tuple)) else []


def assert_read_or_refused(document: Any) -> None:
    """A finding of visible, bounded, encodable text, that survives storage; or a named reason."""
    try:
        finding = parse_notification(document)
    except RejectedMessage:
        return
    strings = all_strings(msgspec.to_builtins(finding))
    assert [text for text in strings if len(text.encode()) > MAX_TEXT_BYTES or visible(text) != text] == []
    assert len(content_digest(finding)) == 64
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


CHANGED = Count("changes to goldens", 500, 2_000)


@settings(max_examples=CHANGED.number, deadline=None)
@given(mutated_goldens())
def test_any_change_to_a_golden_is_read_or_refused(document: Any) -> None:
    """Whatever stands in whichever field of a real shape."""
    assert_read_or_refused(document)


@settings(max_examples=150, deadline=None)
@given(NOTIFICATIONS)
def test_any_notification_is_read_or_refused(document: Any) -> None:
    """Any combination of fields, in every shape that carries a finding."""
    assert_read_or_refused(document)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    """JSON of any kind ends in a named reason."""
    with pytest.raises(RejectedMessage):
        parse_notification(json.dumps(document).encode())


def test_a_typical_notification_is_parsed_in_under_two_milliseconds() -> None:
    """Parsing is no part of what makes a response slow."""
    content = data(notification("reverse_shell"))
    spent = []
    for _ in range(51):
        started = time.process_time()
        parse_notification(content)
        spent.append(time.process_time() - started)
    assert statistics.median(spent) < 0.002


@pytest.mark.parametrize(
    ("path", "item"),
    [
        pytest.param(("processes",), {"args": ["\u00e9\u202e" * 40] * 10}, id="processes"),
        pytest.param(("containers",), {"name": "c{}"}, id="containers"),
        pytest.param(("kubernetes", "pods"), {"ns": "shop", "name": "p-{}"}, id="pods"),
        pytest.param(("kubernetes", "nodes"), {"name": "n-{}"}, id="nodes"),
        pytest.param(("kubernetes", "objects"), {"kind": "Secret", "name": "s-{}"}, id="objects"),
        pytest.param(("sourceProperties", "affectedResources"), {"gcpResourceName": "//x/{}"}, id="resources"),
        pytest.param(("indicator", "domains"), "{}.example.com", id="domains"),
    ],
)
def test_the_largest_message_that_is_parsed_takes_under_fifty_milliseconds(path: tuple[str, ...], item: Any) -> None:
    """Half a megabyte of anything does not hold up the function."""
    document = notification("reverse_shell")
    place = document["finding"]
    for key in path[:-1]:
        place = place.setdefault(key, {})
    text = json.dumps(item)
    count = 480_000 // (len(text) + 6)
    place.setdefault(path[-1], []).extend(json.loads(text.replace("{}", str(number))) for number in range(count))
    content = data(document)
    spent = []
    for _ in range(5):
        started = time.process_time()
        parse_notification(content)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.05
