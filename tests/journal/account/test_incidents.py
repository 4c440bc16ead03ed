"""Incidents: what belongs together is together, in any order of reading, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from scc_responder.domain.finding import case_id
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.account.incidents import WINDOW, incident_links, incidents
from scc_responder.journal.case import CaseRecord
from tests.kits.journal_worlds import START

PROD, TEST = (f"projects/example-project/locations/europe-west1/clusters/{name}" for name in ("prod-1", "test-1"))
POOL = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/example-project.svc.id.goog"
ACCOUNT = "web@example-project.iam.gserviceaccount.com"


def made(number: int, minutes: int = 0, cluster: str = PROD, principal: str = "", **decision: Any) -> CaseRecord:
    kept = {"facts": to_builtins(CaseFacts(principal=principal))} if principal else {}
    return CaseRecord(
        finding_key=f"{number:012x}{'0' * 52}",
        finding_name="f",
        event_time=START + timedelta(minutes=minutes),
        digest="d",
        cluster=cluster,
        decision={"policy_digest": "p", **kept, **decision},
    )


def groups(*records: CaseRecord) -> list[list[int]]:
    """The numbers of the cases, by incident."""
    return [[int(each.finding_key[:12], 16) for each in incident.records] for incident in incidents(records)]


def about(uid: str, node: str = "", workload: str = "Deployment/web") -> dict[str, Any]:
    return {"uid": uid, "namespace": "shop", "name": "web-1", "node": node, "workload": workload}


SAME = [
    pytest.param({"pod": about("u1")}, id="one pod"),
    pytest.param({"workload_uid": "w1"}, id="one workload"),
    pytest.param({"cloud_run": {"uid": "s1", "name": "checkout"}}, id="one service of Cloud Run"),
    pytest.param({"principal": ACCOUNT}, id="one service account that acted"),
    pytest.param({"principal": f"{POOL}/subject/ns/shop/sa/web"}, id="one account of a workload pool that acted"),
    pytest.param({"principal": "system:serviceaccount:shop:web"}, id="one account of the cluster that acted"),
]


@pytest.mark.parametrize("decision", SAME)
def test_cases_about_one_thing_are_one_incident(decision: dict[str, Any]) -> None:
    """Up to an hour apart, and over a chain of such cases longer; not after a longer silence."""
    records = [made(1, 0, **decision), made(2, 60, **decision), made(3, 120, **decision), made(4, 181, **decision)]
    assert groups(*records) == [[1, 2, 3], [4]]


def test_cases_are_joined_over_a_third() -> None:
    """A pod of the workload, and the workload's account that then acted on the control plane of another cluster."""
    one = made(1, 0, pod=about("u1"), workload_uid="w1")
    both = made(2, 20, workload_uid="w1", principal=ACCOUNT)
    far = made(3, 40, cluster=TEST, principal=ACCOUNT)
    assert groups(one, both, far) == [[1, 2, 3]]
    assert groups(one, far) == [[1], [3]]
    assert incidents([far, both, one])[0].id == case_id(one.finding_key)
    assert incidents([far, both, one])[0].places == (PROD, TEST)


@pytest.mark.parametrize("decision", [*SAME[:3], SAME[-1]])
def test_another_cluster_is_another_thing(decision: dict[str, Any]) -> None:
    """A UID, and an account of a cluster, mean something only there."""
    assert groups(made(1, **decision), made(2, cluster=TEST, **decision)) == [[1], [2]]


@pytest.mark.parametrize(
    "principal",
    [
        "service-100000000001@gcp-sa-ktd-hpsa.iam.gserviceaccount.com",
        "service-100000000001@container-engine-robot.iam.gserviceaccount.com",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        f"{POOL}/subject/ns/kube-system/sa/web",
        "system:anonymous",
        "alice@example.com",
        f"{ACCOUNT}.example.com",
        f"{ACCOUNT}\n",
    ],
)
def test_who_acts_for_everybody_joins_nothing(principal: str) -> None:
    """Agents of the platform, people, and names that only look like an account."""
    assert groups(made(1, principal=principal), made(2, principal=principal)) == [[1], [2]]


def test_static_pods_of_one_node_are_not_one_workload() -> None:
    """Their owner is the node, whose UID is then the workload's."""
    first = made(1, pod=about("u1", workload="Node/n1"), workload_uid="node")
    other = made(2, pod=about("u2", workload="Node/n1"), workload_uid="node")
    assert groups(first, other) == [[1], [2]]
    assert groups(first, made(3, pod=about("u1", workload="Node/n1"), workload_uid="node")) == [[1, 3]]


def test_an_image_and_a_node_only_link() -> None:
    """Each stays an incident of its own, and names the others; a node of the same name elsewhere is another."""
    one = made(1, pod=about("u1", node="n1"), images=["sha256:aa"])
    image = made(2, cluster=TEST, pod=about("u2", node="n1"), images=["sha256:aa", "sha256:bb"])
    node = made(3, pod=about("u3", node="n1"), images=["sha256:cc"])
    nothing = made(4, pod=about("u4"))
    found = incidents([one, image, node, nothing])
    assert [len(each.records) for each in found] == [1, 1, 1, 1]
    links = incident_links(found[0], found)
    assert [each.id for each in links.same_image] == [case_id(image.finding_key)]
    assert [each.id for each in links.same_node] == [case_id(node.finding_key)]
    assert incident_links(found[3], found).same_image == ()
    assert incident_links(found[3], found).same_node == ()


UIDS = st.sampled_from(["", "1", "2", "3"])
PRINCIPALS = st.sampled_from(["", ACCOUNT, "system:serviceaccount:shop:web", "alice@example.com"])
DRAWN = st.tuples(st.integers(0, 300), st.sampled_from([PROD, TEST]), UIDS, UIDS, UIDS, PRINCIPALS)


@st.composite
def cases(draw: st.DrawFn) -> list[CaseRecord]:
    return [
        made(
            number,
            minutes,
            cluster,
            principal,
            pod=about(pod, node=node) if pod else None,
            workload_uid=workload,
            images=["sha256:aa"],
        )
        for number, (minutes, cluster, pod, workload, node, principal) in enumerate(
            draw(st.lists(DRAWN, min_size=1, max_size=12)), start=1
        )
    ]


def joined(one: CaseRecord, other: CaseRecord) -> bool:
    """Whether two cases alone are one incident, told by what they say and nothing of the module under test."""
    if abs(one.event_time - other.event_time) > WINDOW:
        return False
    there = one.decision, other.decision
    pods, workloads = ([(each.get("pod") or {}).get("uid") for each in there], [e["workload_uid"] for e in there])
    accounts = [(each.get("facts") or {}).get("principal") for each in there]
    is_here = one.cluster == other.cluster
    is_same_uid = is_here and any(pair[0] and pair[0] == pair[1] for pair in (pods, workloads))
    reach = {ACCOUNT} | ({"system:serviceaccount:shop:web"} if is_here else set())
    return is_same_uid or (accounts[0] == accounts[1] and accounts[0] in reach)


def closure(records: list[CaseRecord]) -> set[frozenset[str]]:
    """The incidents by the slowest way there is: join any two groups that have a pair, until none has."""
    found = [{record.finding_key} for record in records]
    by_key = {record.finding_key: record for record in records}
    while True:
        pairs = combinations(found, 2)
        pair = next((p for p in pairs if any(joined(by_key[a], by_key[b]) for a in p[0] for b in p[1])), None)
        if pair is None:
            return set(map(frozenset, found))
        found = [group for group in found if group not in pair] + [pair[0] | pair[1]]


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_says_nothing(records: list[CaseRecord], random: Any) -> None:
    """Every case is in exactly one incident, whichever is read first; what is joined is what two cases say."""
    expected = incidents(records)
    shuffled = random.sample(records, len(records))
    assert incidents(shuffled) == expected
    keys = [record.finding_key for incident in expected for record in incident.records]
    assert sorted(keys) == [record.finding_key for record in records]
    assert {frozenset(each.finding_key for each in found.records) for found in expected} == closure(records)


@given(cases())
def test_nothing_but_an_identity_joins_clusters(records: list[CaseRecord]) -> None:
    """An incident in two clusters has a service account that acted in both."""
    for incident in incidents(records):
        if len(incident.places) > 1:
            acted = {
                record.cluster
                for record in incident.records
                if (record.decision.get("facts") or {}).get("principal") == ACCOUNT
            }
            assert acted == set(incident.places)
