"""Incidents: what belongs together is together, in any order of reading, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.finding import case_id
from scc_responder.entrypoint.console.incidents import incident_links, incidents
from scc_responder.journal.case import CaseRecord
from tests.kits.journal_worlds import START

PROD, TEST = (f"projects/example-project/locations/europe-west1/clusters/{name}" for name in ("prod-1", "test-1"))
U1, W1, ACCOUNT = f"pod {PROD} u1", f"workload {PROD} w1", "identity web@example-project.iam.gserviceaccount.com"


def made(
    number: int, minutes: int = 0, *about: str, cluster: str = PROD, node: str = "", **decision: Any
) -> CaseRecord:
    """A case about these things; its pod has a UID of its own."""
    pod = {"uid": f"p{number}", "namespace": "shop", "name": "web-1", "node": node, "workload": ""}
    return CaseRecord(
        finding_key=f"{number:012x}{'0' * 52}",
        finding_name="f",
        event_time=START + timedelta(minutes=minutes),
        digest="d",
        cluster=cluster,
        decision={"policy_digest": "p", "pod": pod, "subject": {"about": [*about]}, **decision},
    )


def groups(*records: CaseRecord) -> list[list[int]]:
    """The numbers of the cases, by incident."""
    return [[int(each.finding_key[:12], 16) for each in incident.records] for incident in incidents(records)]


def test_cases_about_one_thing_are_one_incident() -> None:
    """Up to an hour apart, and over a chain of such cases longer; not after a longer silence."""
    assert groups(made(1, 0, U1), made(2, 60, U1), made(3, 120, U1), made(4, 181, U1)) == [[1, 2, 3], [4]]


def test_cases_are_joined_over_a_third() -> None:
    """A pod of the workload, and the workload's account that then acted on the control plane of another cluster."""
    one, both, far = made(1, 0, U1, W1), made(2, 20, W1, ACCOUNT), made(3, 40, ACCOUNT, cluster=TEST)
    assert groups(one, both, far) == [[1, 2, 3]]
    assert groups(one, far) == [[1], [3]]
    assert incidents([far, both, one])[0].id == case_id(one.finding_key)
    assert incidents([far, both, one])[0].places == (PROD, TEST)


def test_a_case_that_says_nothing_stands_alone() -> None:
    """Also where an earlier version kept it, or the record was too large."""
    none = [replace(made(number), decision=kept) for number, kept in enumerate(({}, {"subject": None}), 1)]
    assert groups(*none, made(3), made(4)) == [[1], [2], [3], [4]]


def test_an_image_and_a_node_only_link() -> None:
    """Each stays an incident of its own, and names the others; a node of the same name elsewhere is another."""
    one = made(1, node="n1", images=["sha256:aa"])
    image = made(2, cluster=TEST, node="n1", images=["sha256:aa", "sha256:bb"])
    node = made(3, node="n1", images=["sha256:cc"])
    nothing = made(4)
    found = incidents([one, image, node, nothing])
    assert [len(each.records) for each in found] == [1, 1, 1, 1]
    links = incident_links(found[0], found)
    assert [each.id for each in links.same_image] == [case_id(image.finding_key)]
    assert [each.id for each in links.same_node] == [case_id(node.finding_key)]
    assert incident_links(found[3], found).same_image == ()
    assert incident_links(found[3], found).same_node == ()


ABOUT = st.lists(st.sampled_from([U1, W1, ACCOUNT, f"pod {TEST} u1"]), unique=True, max_size=2)
DRAWN = st.tuples(st.integers(0, 300), st.sampled_from([PROD, TEST]), st.sampled_from(["", "n1", "n2"]), ABOUT)


@st.composite
def cases(draw: st.DrawFn) -> list[CaseRecord]:
    """Cases that all have one image, on few nodes: neither joins any."""
    return [
        made(number, minutes, *about, cluster=cluster, node=node, images=["sha256:aa"])
        for number, (minutes, cluster, node, about) in enumerate(
            draw(st.lists(DRAWN, min_size=1, max_size=12)), start=1
        )
    ]


def joined(one: CaseRecord, other: CaseRecord) -> bool:
    """Whether two cases alone are one incident, told by what they say and nothing of the module under test."""
    is_near = abs(one.event_time - other.event_time) <= timedelta(hours=1)
    return is_near and bool({*one.decision["subject"]["about"]} & {*other.decision["subject"]["about"]})


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
