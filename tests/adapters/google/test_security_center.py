from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import grpc
import msgspec
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scc_responder.adapters.google import security_center as module
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.domain.errors import ApiError, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.related_findings import MAX_RELATED
from tests import findings
from tests.kits.google.grpc_servers import SecurityCenterServer, item
from tests.kits.google.scc_findings import FINDING, NAME, REVERSE_SHELL, SOURCES, at, other, varied
from tests.pipeline.later.test_feed_check import MADE, stored

V2 = [name for name in findings.names() if name not in {"bare_finding", "v1_shape"}]

# A status here is the HTTP status of google/rpc/code.proto.
CODES = [
    (grpc.StatusCode.CANCELLED, 499),
    (grpc.StatusCode.UNKNOWN, 500),
    (grpc.StatusCode.INVALID_ARGUMENT, 400),
    (grpc.StatusCode.DEADLINE_EXCEEDED, 504),
    (grpc.StatusCode.NOT_FOUND, 404),
    (grpc.StatusCode.ALREADY_EXISTS, 409),
    (grpc.StatusCode.PERMISSION_DENIED, 403),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
    (grpc.StatusCode.FAILED_PRECONDITION, 400),
    (grpc.StatusCode.ABORTED, 409),
    (grpc.StatusCode.OUT_OF_RANGE, 400),
    (grpc.StatusCode.UNIMPLEMENTED, 501),
    (grpc.StatusCode.INTERNAL, 500),
    (grpc.StatusCode.UNAVAILABLE, 503),
    (grpc.StatusCode.DATA_LOSS, 500),
    (grpc.StatusCode.UNAUTHENTICATED, 401),
]


def in_order(finding: Finding) -> Finding:
    """Without the order that protobuf's maps do not keep."""
    return msgspec.structs.replace(
        finding, links=tuple(sorted(finding.links)), contacts=tuple(sorted(finding.contacts))
    )


@pytest.mark.parametrize("name", V2)
def test_a_finding_read_again_means_what_its_notification_meant(
    name: str, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Reading a finding in SCC changes nothing about how it is understood, but for times SCC cuts to milliseconds."""
    notified = parse_notification(findings.notification(name))
    security_center.items = [item(findings.notification(each)) for each in V2]
    answer = client.read(notified)
    assert answer is not None
    read = parse_notification(answer)
    same = {"shape": notified.shape, "event_time": notified.event_time, "create_time": notified.create_time}
    assert in_order(msgspec.structs.replace(read, **same)) == in_order(notified)
    assert timedelta(0) <= notified.event_time - read.event_time < timedelta(milliseconds=1)


def test_an_answer_is_json_as_pubsub_would_carry_it(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """The rest of the product reads one format: camelCase names, 64-bit integers as strings, RFC 3339 times."""
    security_center.items = [item(REVERSE_SHELL)]
    answer = client.read(FINDING)
    assert answer is not None
    assert sorted(answer) == ["finding", "resource"]
    assert answer["finding"]["processes"][0]["pid"] == REVERSE_SHELL["finding"]["processes"][0]["pid"]
    assert answer["finding"]["eventTime"].endswith("Z")
    assert answer["resource"]["type"] == REVERSE_SHELL["resource"]["type"]
    assert parse_notification(msgspec.json.encode(answer)).key == FINDING.key


@pytest.mark.parametrize(
    ("canonical_name", "name", "asked"),
    [
        pytest.param(
            "projects/1/sources/2/locations/eu/findings/f",
            "organizations/9/sources/2/locations/eu/findings/f",
            ("projects/1/sources/2/locations/eu", 'name="projects/1/sources/2/locations/eu/findings/f"'),
            id="the canonical name first",
        ),
        pytest.param(
            "",
            "organizations/9/sources/2/findings/f",
            (
                "organizations/9/sources/2/locations/global",
                'name="organizations/9/sources/2/locations/global/findings/f"',
            ),
            id="v1 names are of location global",
        ),
        pytest.param(
            "",
            "folders/9/sources/2/locations/us/findings/f-1_A",
            ("folders/9/sources/2/locations/us", 'name="folders/9/sources/2/locations/us/findings/f-1_A"'),
            id="a folder's finding",
        ),
    ],
)
def test_a_finding_is_asked_for_where_it_belongs(
    canonical_name: str,
    name: str,
    asked: tuple[str, str],
    client: SecurityCenter,
    security_center: SecurityCenterServer,
) -> None:
    """Every spelling of a name leads to the v2 source it belongs to, and to a filter for that one name."""
    assert client.read(varied(canonical_name=canonical_name, name=name)) is None
    [request] = security_center.requests
    assert (request.parent, request.filter) == asked


@pytest.mark.parametrize(
    "finding_id",
    [
        'f" OR name="x',
        "f\\",
        "f'",
        "f\n",
        "f/../g",
        "f%22",
        "\ufb01",
        "\u0661",
        "f" * 129,
        "",
        "-\x00",
    ],
    ids=ascii,
)
def test_a_hostile_finding_id_reaches_no_server(
    finding_id: str, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Whoever can choose a finding's name cannot widen the question that is asked about it."""
    hostile = varied(canonical_name=f"{NAME}/{finding_id}")
    with pytest.raises(RejectedMessage) as read:
        client.read(hostile)
    with pytest.raises(RejectedMessage) as related:
        client.related(hostile)
    assert (read.value.reason, related.value.reason) == ("malformed_finding_name", "malformed_finding_name")
    assert security_center.requests == []


MARKS = st.sampled_from(['"', "\\", "'", "/", " OR ", "\n", "-", "a", "0", "sources", "findings", "é", "\u202e"])
PIECES = st.one_of(st.text(max_size=8), MARKS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=4), place=st.integers(0, 6), resource=st.booleans())
def test_no_text_makes_a_malformed_filter(
    pieces: list[str], place: int, resource: bool, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Whatever stands in a finding, the server is asked a well-formed question or none."""
    original = FINDING.resource_name if resource else f"{NAME}/f1"
    parts = original.split("/")
    parts[place % len(parts)] += "".join(pieces)
    name = "/".join(parts)
    hostile = varied(resource_name=name) if resource else varied(canonical_name=name)
    for method in (client.related, client.read):
        with contextlib.suppress(RejectedMessage, ApiError):
            method(hostile)
    assert security_center.refused == []


def test_a_finding_that_is_gone_is_none(client: SecurityCenter, security_center: SecurityCenterServer) -> None:
    """That SCC does not know a finding is an answer, not an error."""
    security_center.items = [other("f0")]
    assert client.read(FINDING) is None


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([REVERSE_SHELL, REVERSE_SHELL], id="the finding twice"),
        pytest.param([findings.notification("added_binary_executed")], id="another finding"),
        pytest.param([findings.notification("reverse_shell", finding={"name": ""})], id="a finding without name"),
    ],
)
def test_an_answer_that_is_not_the_one_finding_is_not_believed(
    answers: list[dict[str, Any]], client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Nothing is decided on a finding that may not be the one that was notified."""
    security_center.answers = [item(answer) for answer in answers]
    with pytest.raises(ApiError) as error:
        client.read(FINDING)
    assert error.value.reason == "other_finding"


@pytest.mark.parametrize("empty_pages", [0, 1, 3])
def test_a_finding_behind_empty_pages_is_found(
    empty_pages: int, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """A first page without items is no proof that there are none."""
    security_center.items, security_center.empty_pages = [item(REVERSE_SHELL)], empty_pages
    assert client.read(FINDING) is not None
    assert len(security_center.requests) == empty_pages + 1


def test_an_answer_without_end_is_an_error(client: SecurityCenter, security_center: SecurityCenterServer) -> None:
    """A server that pages for ever neither holds a worker nor passes for "not found"."""
    security_center.empty_pages = 1000
    with pytest.raises(ApiError) as error:
        client.read(FINDING)
    assert error.value.reason == "partial_list"
    assert len(security_center.requests) == 5


@pytest.mark.parametrize(("code", "status"), CODES, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("method", ["read", "related"])
def test_every_refusal_has_its_class(
    method: str, code: grpc.StatusCode, status: int, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """An error of the API is recorded as what it is, after one request, with the permission that is missing."""
    security_center.fail_next(code, "no")
    with pytest.raises(ApiError) as error:
        getattr(client, method)(FINDING)
    assert (error.value.reason, error.value.status) == (f"scc_{code.name.lower()}", status)
    assert type(error.value) is ApiError
    assert error.value.permission == ("securitycenter.findings.list" if status == 403 else "")
    assert len(security_center.requests) == 1


def test_a_refusal_on_a_later_page_is_an_error(client: SecurityCenter, security_center: SecurityCenterServer) -> None:
    """Half an answer does not pass for a whole one."""
    security_center.items = [other(f"f{number}") for number in range(4)]
    security_center.page_limit = 2
    security_center.pass_next()
    security_center.fail_next(grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(ApiError) as error:
        client.related(FINDING)
    assert (error.value.reason, error.value.status) == ("scc_unavailable", 503)


def test_the_wait_a_server_asks_for_is_passed_on(client: SecurityCenter, security_center: SecurityCenterServer) -> None:
    """A quota's own back-off reaches whoever decides when to come again."""
    status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="quota")
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=7, nanos=500_000_000)))
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    security_center.fail_next(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota", trailing=trailing)
    with pytest.raises(ApiError) as error:
        client.read(FINDING)
    assert (error.value.status, error.value.retry_after_seconds) == (429, 7.5)


def test_a_stalled_server_is_given_up(security_center: SecurityCenterServer) -> None:
    """A request that gets no answer ends with its time-out."""
    client = SecurityCenter(sources=SOURCES, endpoint=security_center.endpoint, timeout_seconds=0.3)
    security_center.stall_next(5.0)
    with pytest.raises(ApiError) as error:
        client.read(FINDING)
    client.close()
    assert (error.value.reason, error.value.status) == ("scc_deadline_exceeded", 504)


def test_a_server_that_is_away_is_unavailable(security_center: SecurityCenterServer) -> None:
    """A refused connection is an error of the service, at once."""
    security_center.stop()
    client = SecurityCenter(sources=SOURCES, endpoint=security_center.endpoint, timeout_seconds=5.0)
    with pytest.raises(ApiError) as error:
        client.read(FINDING)
    client.close()
    assert (error.value.reason, error.value.status) == ("scc_unavailable", 503)


def golden(name: str, **changes: Any) -> Finding:
    """A golden, its finding's fields changed."""
    document = findings.notification(name)
    document["finding"].update(changes)
    return parse_notification(document)


ON_NODE = {"kubernetes": {}, "sourceProperties": {"VM_Instance_Name": "gke-1"}}
CLUSTER, PROJECT = "/europe-west1/clusters/prod-1", "//cloudresourcemanager.googleapis.com/"
RESOURCES = {
    "a pod": (FINDING, [CLUSTER, PROJECT]),
    "a pod, cluster by zone and number": (golden("cluster_zones_spelling"), [CLUSTER, PROJECT]),
    "a node": (golden("reverse_shell", **ON_NODE), [CLUSTER, "/instances/gke-1", PROJECT]),
    "an instance": (
        golden("catalogue/virtual_machine_threat_detection/vm_rootkit"),
        ["/clusters/", "/instances/gke-prod-1-pool-1-3f2a1b0c-q7wz", PROJECT],
    ),
    "a service": (
        golden("catalogue/cloud_run_threat_detection/cloud_run_reverse_shell"),
        ["/europe-west1/services/checkout", PROJECT],
    ),
    "a principal": (golden("catalogue/event_threat_detection/gke_control_plane_create_sensitive_binding"), []),
}


@pytest.mark.parametrize(("finding", "parts"), list(RESOURCES.values()), ids=list(RESOURCES))
def test_related_findings_are_asked_for_once_by_their_target(
    finding: Finding, parts: list[str], client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """One request names sources, resource, state and time: all that a filter may name of what the rule asks."""
    assert client.related(finding) == ()
    [request] = security_center.requests
    middle = int(finding.event_time.timestamp() * 1000)
    clauses = [
        "(" + " OR ".join(f'parent:"sources/{source}"' for source in SOURCES) + ")",
        *(["(" + " OR ".join(f'resource_name:"{part}"' for part in parts) + ")"] if parts else []),
        'state="ACTIVE"',
        f"event_time>={middle - 3_600_000}",
        f"event_time<={middle + 3_600_000}",
    ]
    assert (request.filter, request.page_size) == (" AND ".join(clauses), 1000)
    assert request.parent == f"{finding.canonical_name.partition('/sources/')[0]}/sources/-/locations/global"


def test_a_finding_without_a_target_is_related_to_none(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Where nothing is named that another finding could be about too, nothing is asked."""
    assert client.related(varied(pods=(), cluster=None, node="", instance="")) == ()
    assert security_center.requests == []


@pytest.mark.parametrize("field", ["location", "name"])
def test_a_record_cannot_widen_the_question(
    field: str, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """A finding may come out of a store, where somebody else wrote: what is no name enters no filter."""
    assert FINDING.cluster is not None
    cluster = msgspec.structs.replace(FINDING.cluster, **{field: 'x" OR state="INACTIVE'})
    with pytest.raises(RejectedMessage) as error:
        client.related(varied(cluster=cluster))
    assert (error.value.reason, security_center.requests) == ("malformed_resource_name", [])


@pytest.mark.parametrize(("held", "expected"), [(3, 3), (120, MAX_RELATED)])
def test_related_findings_are_read_over_pages_and_bounded(
    held: int, expected: int, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """A storm of findings on one pod is read to a bound, not without end."""
    security_center.items = [other(f"f{number}", event_time=at(1)) for number in range(held)]
    security_center.page_limit = max(1, held // 4)
    assert len(client.related(FINDING)) == expected


MALWARE = "Execution: Added Malicious Binary Executed"
ELSEWHERE = {"cluster": "projects/example-project/locations/europe-west1/clusters/prod-2"}
FLOODS: dict[str, tuple[dict[str, Any], int, int]] = {
    "of other pods": ({"pod": "other-1"}, 2_100, 3),
    "of another cluster": (ELSEWHERE, 2_100, 1),
    "of the same threat": ({"finding": {"category": FINDING.category}}, 2_100, 3),
    "of another threat in the pod": ({}, 150, 1),
}


@pytest.mark.parametrize(("noise", "times", "requests"), list(FLOODS.values()), ids=list(FLOODS))
def test_a_flood_does_not_hide_the_surest_finding(
    noise: dict[str, Any], times: int, requests: int, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """However much is found around it, the finding that confirms a threat is read, and kept."""
    real = other("real", event_time=at(2), finding={"category": MALWARE})
    security_center.items = [*([other("noise", event_time=at(1), **noise)] * times), real]
    assert MALWARE in {related.category for related in client.related(FINDING)}
    assert len(security_center.requests) == requests


def test_findings_that_prove_nothing_are_not_decoded(
    client: SecurityCenter, security_center: SecurityCenterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To write a finding as JSON takes a millisecond: of a busy hour only those that may be related are written."""
    decoded: list[Any] = []
    whole = module._as_json
    monkeypatch.setattr(module, "_as_json", lambda found: decoded.append(found) or whole(found))
    security_center.items = [other(f"elsewhere{number}", pod=f"other-{number}") for number in range(80)]
    security_center.items += [
        other("same", finding={"category": FINDING.category, "parent": REVERSE_SHELL["finding"]["parent"]})
    ]
    security_center.items += [other("here")]
    assert [found.name.rpartition("/")[2] for found in client.related(FINDING)] == ["here"]
    assert len(decoded) == 1


def test_a_cut_list_is_no_list_of_related_findings(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """What lies behind the last page that is read may be the related one: then nobody knows."""
    security_center.items = [other(f"f{number}", event_time=at(1), pod="api-0") for number in range(6)]
    security_center.page_limit = 1
    with pytest.raises(ApiError) as error:
        client.related(FINDING)
    assert error.value.reason == "partial_list"
    assert len(security_center.requests) == 5


def test_what_sends_findings_is_read_by_its_name(client: SecurityCenter, security_center: SecurityCenterServer) -> None:
    """With its topic and filter; that there is none, or that it may not be read, is told by the status."""
    security_center.configs[MADE.name] = stored()
    assert client.notification_config(MADE.name) == MADE
    with pytest.raises(ApiError) as gone:
        client.notification_config(f"{MADE.name}-2")
    security_center.granted = {"securitycenter.findings.list"}
    with pytest.raises(ApiError) as refused:
        client.notification_config(MADE.name)
    assert (gone.value.status, refused.value.status) == (404, 403)
    assert refused.value.permission == "securitycenter.notificationconfig.get"
