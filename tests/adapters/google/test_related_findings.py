from __future__ import annotations

import pytest

from scc_responder.adapters.google.security_center import MAX_RELATED, SecurityCenter
from scc_responder.domain.errors import ApiError
from tests import findings
from tests.kits.google.grpc_servers import SecurityCenterServer, item
from tests.kits.google.scc_findings import FINDING, NAME, REVERSE_SHELL, at, other, varied


def test_related_findings_are_others_on_the_same_pod_within_the_hour(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """What else was seen on the pod tells an attack from an accident; what was seen elsewhere does not."""
    security_center.items = [
        item(REVERSE_SHELL),
        other("before", event_time=at(-3599)),
        other("after", event_time=at(3599)),
        other("too-early", event_time=at(-3601)),
        other("too-late", event_time=at(3601)),
        other("other-pod", event_time=at(0), pod="api-0"),
        other("other-namespace", event_time=at(0), namespace="billing"),
        item(findings.notification("missing_pod", finding_id="no-pod", event_time=at(0))),
        other("other-cluster", event_time=at(0), cluster="projects/example-project/locations/europe-west1/clusters/b"),
    ]
    related = client.related(FINDING)
    assert [one.name for one in related] == [f"{NAME}/before", f"{NAME}/after"]
    assert {(one.category, one.severity) for one in related} == {("Added Binary Executed", "LOW")}
    [request] = security_center.requests
    assert request.parent == "projects/100000000001/sources/-/locations/global"


def test_related_findings_may_come_from_other_detectors(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """The audit log's view of a pod belongs to the container's."""
    seen = findings.notification("affected_resource_pod", event_time=at(60))
    security_center.items = [item(seen)]
    finding = varied(resource_name=seen["finding"]["resourceName"])
    assert [one.category for one in client.related(finding)] == [seen["finding"]["category"]]


def test_a_finding_without_pod_is_related_by_its_container(
    client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """Where Kubernetes' names came too late, the container's is what there is."""
    security_center.items = [other("same", event_time=at(1)), item(findings.notification("missing_pod"))]
    assert [one.name for one in client.related(varied(pods=()))] == [f"{NAME}/same"]
    assert list(client.related(varied(pods=(), containers=()))) == []


@pytest.mark.parametrize(("held", "expected"), [(3, 3), (120, MAX_RELATED)])
def test_related_findings_are_read_over_pages_and_bounded(
    held: int, expected: int, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """A storm of findings on one pod is read to a bound, not without end."""
    security_center.items = [other(f"f{number}", event_time=at(1)) for number in range(held)]
    security_center.page_limit = max(1, held // 4)
    assert len(client.related(FINDING)) == expected


@pytest.mark.parametrize("resource_name", ["", 'x" OR name="y', "//a.example.com/x y", "//a.example.com/\u202e"])
def test_a_resource_without_full_name_has_no_related_findings(
    resource_name: str, client: SecurityCenter, security_center: SecurityCenterServer
) -> None:
    """A resource name that could break out of the filter is not asked about, and the reason says so."""
    with pytest.raises(ApiError) as error:
        client.related(varied(resource_name=resource_name))
    assert error.value.reason == "malformed_resource_name"
    assert security_center.requests == []
