"""What was contained is looked at when that is due: nothing else is read, and no cluster holds up the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.journal import Transition
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.watch.looks_due import due_at
from scc_responder.journal.watch.watch import Look, Watch
from scc_responder.pipeline.again.sweep_work import MAX_BEGUN
from scc_responder.pipeline.looks.look_sweep import MOST_LOOKS, look_sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Count
from tests.docs.costs import CountedStore
from tests.kits.answers import HERE
from tests.kits.responder import CLUSTER, NODE, Deployment, Interposed, api_of, deployed, finding_about, policy
from tests.pipeline.test_busy_cluster import half_taken

ISOLATE = ("isolate_pod", "notify")
MINUTE = timedelta(minutes=1, seconds=1)
DUE = Count("cases that are due at once", 60, 1000)


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy(*ISOLATE))


@pytest.fixture
def isolated(deployment: Deployment, pod: dict[str, Any]) -> dict[str, Any]:
    """The notification of a finding whose pod is isolated."""
    document = finding_about(pod)
    assert deployment.respond_to(document).reason == "done"
    return document


def looked(deployment: Deployment, **headers: str) -> dict[str, int]:
    """Look at what is due, and return what came of it."""
    ending = look_sweep({**HERE, **headers}, "127.0.0.1", deployment.services)
    assert (ending.status, ending.reason) == (204, "looked"), deployment.line
    return dict(deployment.line["looked"])


def later(deployment: Deployment, wait: timedelta) -> None:
    """Let it be later, for the store too."""
    now = utc_now() + wait
    deployment.set_clock(lambda: now)


def looks(deployment: Deployment, document: dict[str, Any]) -> tuple[Look, ...]:
    """The looks that the case keeps."""
    watch = deployment.case(document).watch
    return watch.looks if watch else ()


def remove_label(cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Somebody lets the pod out."""
    path = api_paths.pod("shop", pod["metadata"]["name"])
    api_of(cluster, "owner").patch(path, {"metadata": {"labels": {"scc-responder/isolated-pod": None}}})


def remove_policy(cluster: SimulatedCluster, _pod: dict[str, Any]) -> None:
    """Somebody deletes the NetworkPolicy."""
    for item in cluster.objects("NetworkPolicy", "shop"):
        api_of(cluster, "owner").delete(api_paths.network_policy("shop", item["metadata"]["name"]), {})


def remove_both(cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Somebody takes all of the isolation away."""
    remove_label(cluster, pod)
    remove_policy(cluster, pod)


def uncordon(cluster: SimulatedCluster, _pod: dict[str, Any]) -> None:
    """Somebody lets new pods onto the node."""
    api_of(cluster, "owner").patch(api_paths.node(NODE), {"spec": {"unschedulable": None}})


def standing(cluster: SimulatedCluster, pod: dict[str, Any]) -> tuple[bool, int, bool]:
    """Whether the pod has our label, how many NetworkPolicies there are, and whether the node is cordoned."""
    (now,) = (item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] == pod["metadata"]["uid"])
    (node,) = (item for item in cluster.objects("Node") if item["metadata"]["name"] == NODE)
    labelled = now["metadata"]["labels"].get("scc-responder/isolated-pod") == pod["metadata"]["uid"]
    return labelled, len(cluster.objects("NetworkPolicy", "shop")), bool(node["spec"].get("unschedulable"))


def copies(deployment: Deployment, document: dict[str, Any], most: int, cluster: str = "") -> None:
    """Further cases that are due like the one of the finding, perhaps in another cluster."""
    store, record = deployment.services.store, deployment.case(document)
    for number in range(most):
        key = f"{number:012x}{cluster or record.cluster}".encode().hex()[:64].ljust(64, "0")
        copy = replace(record, finding_key=key, cluster=cluster or record.cluster)
        store.create(f"case/{key}", encode(copy), due_at=due_at(copy))


def test_a_contained_case_is_looked_at_four_times(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """At 1 min, 5 min, 1 h and 24 h: each time once, and with one log line of its own."""
    assert looked(deployment) == {}
    for minutes in (1, 5, 60, 1440):
        later(deployment, timedelta(minutes=minutes, seconds=1))
        assert looked(deployment) == {"still_contained": 1}
        assert deployment.lines[-2]["look"]["gone"] == []
        assert looked(deployment) == {}
    assert len(looks(deployment, isolated)) == 4
    later(deployment, timedelta(days=30))
    assert looked(deployment) == {}


def test_settings_say_when_to_look(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Or that nobody does."""
    for name, expected in (("2h", {"still_contained": 1}), ("never", {})):
        folder = tmp_path / name
        folder.mkdir()
        made = deployed(folder, cluster, policy(*ISOLATE), looks=name)
        made.respond_to(finding_about(pod))
        later(made, timedelta(hours=1))
        assert looked(made) == {}
        later(made, timedelta(hours=2, seconds=1))
        assert looked(made) == expected


def test_what_others_took_away_is_told_with_the_switch_off(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """Nothing may be done: people are told, in a log line too, and the case says it."""
    remove_label(cluster, pod)
    deployment.turn(Mode.DRY_RUN)
    later(deployment, MINUTE)
    told, before = len(deployment.published.messages), len(cluster.audit)
    assert looked(deployment) == {"undone_by_others": 1}
    assert [look.gone for look in looks(deployment, isolated)] == [("isolate_pod: label_removed",)]
    assert deployment.lines[-2]["severity"] == "WARNING"
    (message,) = deployment.published.messages[told:]
    assert message["attributes"]["reason"] == "undone_by_others"
    assert {event.verb for event in cluster.audit[before:]} == {"get"}


@pytest.mark.parametrize(
    ("act", "gone"),
    [
        (remove_label, ("isolate_pod: label_removed",)),
        (remove_policy, ("isolate_pod: network_policy_removed",)),
        (remove_both, ("isolate_pod: network_policy_removed",)),
        (uncordon, ("cordon_node: uncordoned",)),
    ],
)
def test_what_others_took_away_is_put_back(
    tmp_path: Path,
    cluster: SimulatedCluster,
    pod: dict[str, Any],
    act: Callable[[SimulatedCluster, dict[str, Any]], None],
    gone: tuple[str, ...],
) -> None:
    """All of it stands again, people are told once, and it is looked at a minute later."""
    deployment, isolated = (
        deployed(tmp_path, cluster, policy("isolate_pod", "cordon_node", "notify")),
        finding_about(pod),
    )
    deployment.respond_to(isolated)
    assert standing(cluster, pod) == (True, 1, True)
    act(cluster, pod)
    later(deployment, MINUTE)
    told = len(deployment.published.messages)
    assert looked(deployment) == {"undone_by_others": 1, "resumed": 1}
    assert standing(cluster, pod) == (True, 1, True)
    assert deployment.case(isolated).state == "done"
    assert [look.gone for look in looks(deployment, isolated)] == [gone]
    reasons = [message["attributes"].get("reason") for message in deployment.published.messages[told:]]
    assert reasons.count("undone_by_others") == 1
    assert looked(deployment) == {}
    later(deployment, 2 * MINUTE)
    assert looked(deployment) == {"still_contained": 1}


def test_what_is_fought_over_is_left_to_people(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """After two rounds in a day the responder gives way, and says so: it looks no further."""
    wait = timedelta(0)
    for state in ("done", "done", "held"):
        remove_label(cluster, pod)
        wait += MINUTE
        later(deployment, wait)
        assert looked(deployment) == {"undone_by_others": 1, "resumed": 1}
        assert deployment.case(isolated).state == state
    assert deployment.case(isolated).reason == "fought_over"
    assert deployment.published.messages[-1]["attributes"]["reason"] == "fought_over"
    before = len(cluster.audit)
    for hours in (1, 2, 30):
        later(deployment, timedelta(hours=hours))
        looked(deployment)
    assert {event.verb for event in cluster.audit[before:]} <= {"get"}


@pytest.mark.parametrize("is_over", [True, False])
def test_what_stays_undone_is_told_once(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any], is_over: bool
) -> None:
    """The finding is over, or the switch is off: a later look that sees the same has no news."""
    if is_over:
        deployment.list_finding({**isolated, "finding": {**isolated["finding"], "mute": "MUTED"}})
    else:
        deployment.turn(Mode.DRY_RUN)
    remove_label(cluster, pod)
    told = []
    for minutes in (1, 5, 60, 1440):
        later(deployment, timedelta(minutes=minutes, seconds=1))
        assert looked(deployment)["undone_by_others"] == 1
        told.append(
            [item["attributes"].get("reason") for item in deployment.published.messages].count("undone_by_others")
        )
    assert told == [1, 1, 1, 1]


def test_an_answer_of_another_form_is_no_look(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """It says nothing of the case, whose record is sound: the look is made again in five minutes."""
    sound = deployment.clusters.api

    class Odd(Interposed):
        def get(self, path: str) -> dict[str, Any]:
            return {**super().get(path), "metadata": []}

    deployment.clusters.api = Odd(sound)
    later(deployment, MINUTE)
    assert (looked(deployment), looked(deployment)) == ({"not_looked": 1}, {})
    assert [look.unread for look in looks(deployment, isolated)] == ["unusable_answer"]
    deployment.clusters.api = sound
    later(deployment, timedelta(minutes=7))
    assert looked(deployment) == {"still_contained": 1}


def test_a_finding_that_is_over_is_not_acted_upon(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """It was muted since: nothing is put back, and people are told that it is gone."""
    deployment.list_finding({**isolated, "finding": {**isolated["finding"], "mute": "MUTED"}})
    remove_label(cluster, pod)
    later(deployment, MINUTE)
    assert looked(deployment) == {"undone_by_others": 1, "resumed": 1}
    message = deployment.published.messages[-1]
    assert (message["attributes"]["reason"], deployment.case(isolated).state) == ("undone_by_others", "superseded")
    assert "not put back: isolate_pod: label_removed" in message["error"]


def test_a_persons_word_ends_the_looks(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """What a person took back is not looked at, and not put back."""

    def say(record: CaseRecord, _is_held: bool) -> Transition:
        word = with_word(record, WordKind.UNDONE, "a@example.com", utc_now())
        return Transition(reason=Reason.UNDONE, status=204, record=word)

    deployment.services.journal.apply(deployment.case(isolated).finding_key, say)
    later(deployment, MINUTE)
    assert looked(deployment) == {}


def test_many_put_back_are_spread_over_sweeps(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """What is not begun in one sweep stays due, and is begun in the next."""
    copies(deployment, isolated, MAX_BEGUN)
    remove_label(cluster, pod)
    later(deployment, MINUTE)
    first = looked(deployment)
    assert first == {"undone_by_others": MAX_BEGUN + 1, "resumed": MAX_BEGUN, "out_of_time": 1}
    assert sum(looked(deployment).values()) == 1


def test_what_is_gone_in_a_cluster_that_became_busy_stays_due(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """Nothing of the case is written: the next sweep looks again, and puts it back."""
    remove_label(cluster, pod)
    later(deployment, MINUTE)
    before, api = deployment.case(isolated), deployment.clusters.api
    with ExitStack() as stack:

        def fill(number: int, _verb: str, _path: str) -> None:
            if number == 1:
                stack.enter_context(half_taken(deployment, CLUSTER))

        deployment.clusters.api = Interposed(api, after=fill)
        assert looked(deployment) == {"undone_by_others": 1, "cluster_busy": 1}
        assert deployment.case(isolated) == before
    deployment.clusters.api = api
    assert looked(deployment) == {"undone_by_others": 1, "resumed": 1}
    assert standing(cluster, pod)[0]


def test_a_look_reads_what_is_due_and_no_more(
    deployment: Deployment, cluster: SimulatedCluster, isolated: dict[str, Any]
) -> None:
    """One query where nothing is due. A look is two reads and a write of the case, and two requests to the cluster."""
    store: Any = CountedStore(deployment.services.store)
    deployment.services.store = store
    assert looked(deployment) == {}
    assert (store.requests, store.writes) == (1, 0)
    later(deployment, MINUTE)
    before = len(cluster.audit)
    looked(deployment)
    assert len(cluster.audit) - before == 2
    assert len(looks(deployment, isolated)) == 1


def test_who_may_not_sweep_may_not_look(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """As for a sweep."""
    later(deployment, MINUTE)
    ending = look_sweep({**HERE, "host": "evil.example.com"}, "203.0.113.9", deployment.services)
    assert (ending.status, looks(deployment, isolated)) == (403, ())


def test_a_case_that_cannot_be_read_hides_no_other(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """It stays as it is, for the version that wrote it."""
    store = deployment.services.store
    for number in range(MOST_LOOKS + 1):
        store.create(f"case/{number:064x}", b'{"schema": 99}', due_at=utc_now() - timedelta(hours=1))
    later(deployment, MINUTE)
    assert looked(deployment) == {"record_newer": MOST_LOOKS + 1, "still_contained": 1}
    assert looked(deployment) == {"record_newer": MOST_LOOKS + 1}


def test_a_case_that_is_worked_on_is_left_alone(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """A delivery took it after it was read: what it writes says when it is due again."""
    later(deployment, MINUTE)
    services, key = deployment.services, deployment.case(isolated).finding_key
    api = deployment.clusters.api

    def take(_number: int, _verb: str, _path: str) -> None:
        entry = services.store.get(f"case/{key}")
        assert entry is not None
        held = replace(decode(entry.value), owner="0123456789abcdef")
        services.store.replace(entry.key, encode(held), entry.version)
        deployment.clusters.api = api

    deployment.clusters.api = Interposed(api, before=take)
    assert looked(deployment) == {"in_progress": 1}
    assert looks(deployment, isolated) == ()


def test_two_sweeps_at_once_look_once(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """The case keeps one look, whoever made it."""
    later(deployment, MINUTE)
    api, met = deployment.clusters.api, []

    def look_first(_number: int, _verb: str, _path: str) -> None:
        deployment.clusters.api = api
        if not met:
            met.append("")
            met[0] = str(looked(deployment))

    deployment.clusters.api = Interposed(api, before=look_first)
    assert (looked(deployment), met) == ({"at_rest": 1}, ["{'still_contained': 1}"])
    assert len(looks(deployment, isolated)) == 1


def test_a_cluster_that_is_busy_is_left_alone(
    deployment: Deployment, cluster: SimulatedCluster, isolated: dict[str, Any]
) -> None:
    """It has its half of this instance already: the look is made five minutes later."""
    later(deployment, MINUTE)
    before, bulkheads = len(cluster.audit), deployment.services.bulkheads
    with ExitStack() as stack:
        while not bulkheads.is_busy(CLUSTER):
            stack.enter_context(bulkheads.request())
            bulkheads.admit(CLUSTER)
        assert looked(deployment) == {"not_looked": 1}
    assert [look.unread for look in looks(deployment, isolated)] == ["cluster_busy"]
    assert len(cluster.audit) == before


def test_a_stalled_cluster_is_asked_once(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """Its other cases are due again in five minutes, and those of other clusters are looked at meanwhile."""
    other = "projects/example-project/locations/europe-west1/clusters/dev-1"
    copies(deployment, isolated, 12, cluster=other)
    sound, asked = deployment.clusters.api, [0]

    class Silent(Interposed):
        def get(self, path: str) -> dict[str, Any]:
            asked[0] += 1
            raise ApiError(Reason.TIMEOUT, path)

    class Two:
        def connect(self, ref: ClusterRef) -> KubernetesApi:
            return Silent(sound) if ref.path == other else sound

    deployment.services.clusters = Two()  # type: ignore[assignment]
    later(deployment, MINUTE)
    assert looked(deployment) == {"not_looked": 12, "still_contained": 1}
    assert asked[0] <= 2
    assert looked(deployment) == {}
    later(deployment, MINUTE + timedelta(minutes=5))
    assert looked(deployment) == {"not_looked": 12, "still_contained": 1}


def test_all_that_is_due_is_worked_off(
    deployment: Deployment, cluster: SimulatedCluster, isolated: dict[str, Any]
) -> None:
    """1,000 cases in ten minutes, by a sweep each minute, with no more than four requests for each."""
    most = DUE.number
    copies(deployment, isolated, most - 1)
    later(deployment, MINUTE)
    before, sweeps, done = len(cluster.audit), 0, 0
    while counted := looked(deployment):
        assert counted.keys() <= {"still_contained", "out_of_time"}
        sweeps, done = sweeps + 1, done + counted["still_contained"]
    assert (done, sweeps <= 10) == (most, True)
    assert len(cluster.audit) - before <= 4 * most


def test_the_same_threat_beside_it_is_named(
    deployment: Deployment, pod: dict[str, Any], isolated: dict[str, Any]
) -> None:
    """By our own records alone: two cases of one threat about one Deployment."""
    sibling = finding_about(pod, finding_id="sibling")
    deployment.list_finding(sibling, "sibling")
    deployment.deliver(sibling)
    later(deployment, MINUTE)
    assert looked(deployment) == {"still_contained": 2}
    keys = [deployment.case(document).finding_key[:12] for document in (isolated, sibling)]
    named = [looks(deployment, document)[0].same_threat for document in (sibling, isolated)]
    assert named == [(key,) for key in keys]


def test_a_record_of_the_last_release_has_no_watch(deployment: Deployment, isolated: dict[str, Any]) -> None:
    """It is read, never due, and begins to be watched with the next change."""
    entry = deployment.services.store.get(f"case/{deployment.case(isolated).finding_key}")
    assert entry is not None
    fields = msgspec.json.decode(entry.value)
    assert fields.pop("watch")
    assert decode(msgspec.json.encode(fields)).watch is None
    assert msgspec.convert(None, Watch | None) is None


@pytest.mark.parametrize(
    "forged", [b'{"pod": ["web-1"]}', b'{"threat": "shell"}', b"[" * 40_000], ids=["pod", "threat", "nested"]
)
def test_a_forged_record_hides_no_other(deployment: Deployment, isolated: dict[str, Any], forged: bytes) -> None:
    """Whoever may write the store cannot keep the responder from looking at what it contained."""
    copies(deployment, isolated, 1)
    store = deployment.services.store
    (entry, *_) = store.scan("case/", None, 2).entries
    decision = msgspec.json.encode(msgspec.json.decode(entry.value)["decision"])
    store.replace(entry.key, entry.value.replace(decision, forged), entry.version, due_at=entry.due_at)
    later(deployment, MINUTE)
    assert looked(deployment) == {"record_unreadable": 1, "still_contained": 1}
