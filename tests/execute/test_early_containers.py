"""The containers that cut and freeze are put in with one request, before the steps before them; the steps tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.kubernetes.collector_container import CollectorJob
from scc_responder.domain.kubernetes.collector_stream import public_text
from scc_responder.domain.kubernetes.ephemeral_containers import (
    Role,
    cut_arguments,
    cut_form,
    look_arguments,
    root_form,
)
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.execute.early_containers import put_in_together
from scc_responder.journal.claimed_case import LostLease
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.domain.kubernetes.test_collector_container import NAME, World
from tests.kits.one_change import IMAGE
from tests.kits.responder import (
    NODE,
    RAILS,
    Deployment,
    Interposed,
    api_of,
    finding_about,
    policy,
    write_policies,
)
from tests.kits.scripted_collector import breaks_off, cut, obedient, says

Object = dict[str, Any]
BINARY = {"binary": {"path": "/tmp/x", "sha256": "a" * 64, "size": "9", "hashedSize": "9"}, "args": ["/tmp/x"]}
LADDER = ("label_pod", "isolate_pod", "capture_evidence", "sever_connections", "freeze_process")
USER = {"securityContext": {"runAsUser": 1000, "runAsGroup": 1000}}
PROBED = {**USER, "livenessProbe": {"httpGet": {"path": "/", "port": 80}}}
PUT_IN, LABEL, DENY_ALL = "ephemeralcontainers", "pods", "networkpolicies"
FIRST = [PUT_IN, LABEL, DENY_ALL]
"""The writes of an isolation whose containers are put in early."""


class Played(Deployment):
    """A deployment whose collector does what it is asked to, and the finding about a pod whose container is so."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, *policies: str, **container: Any) -> None:
        cluster.create(
            objects.deployment(
                "app", "shop", NODE, replicas=2, containers=[{"name": "app", "image": "a:1", **container}]
            )
        )
        self.pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["labels"]["app"] == "app")
        self.api = Interposed(api_of(cluster))
        self.scripted = obedient(self.api)
        super().__init__(
            folder, self.scripted, write_policies(folder / "policies", *policies, guardrails=RAILS), collector=IMAGE
        )
        self.cluster = cluster
        self.document = finding_about(self.pod, finding={"processes": [BINARY]})

    def play(self) -> list[str]:
        """Respond; the outcomes."""
        self.respond_to(self.document)
        return self.outcomes(self.document)

    @property
    def writes(self) -> list[str]:
        """The writes to the cluster in their order."""
        events = [event for event in self.cluster.audit if event.verb in {"patch", "create"} and not event.dry_run]
        return [event.subresource or event.rbac_resource.partition(".")[0] for event in events]

    @property
    def in_order(self) -> list[str]:
        """The names of the containers that were put into the pod, in the order of its spec."""
        found = next(item for item in self.cluster.objects("Pod", "shop") if item["metadata"] == self._meta(item))
        return [item["name"] for item in found["spec"].get("ephemeralContainers", ())]

    @property
    def put_in(self) -> list[str]:
        """The words in these names."""
        return sorted(name.split("-")[2] for name in self.in_order)

    def _meta(self, item: Object) -> Object | None:
        meta: Object = item["metadata"]
        return meta if meta["uid"] == self.pod["metadata"]["uid"] else None


@pytest.mark.parametrize(
    ("steps", "container", "writes"),
    [
        (LADDER, USER, [*FIRST, LABEL]),
        (LADDER, PROBED, [*FIRST, LABEL, PUT_IN]),
        (("isolate_pod", "sever_connections", "inspect_container"), USER, FIRST),
        (("isolate_pod", "inspect_container"), USER, [LABEL, DENY_ALL, PUT_IN]),
        (("sever_connections", "isolate_pod"), USER, [PUT_IN, LABEL, DENY_ALL]),
        (("capture_evidence", "freeze_process"), {}, [PUT_IN]),
    ],
)
def test_both_are_put_in_first_with_one_request(
    tmp_path: Path, cluster: SimulatedCluster, steps: Sequence[str], container: Object, writes: list[str]
) -> None:
    """An isolation then comes before every mark."""
    played = Played(tmp_path, cluster, policy(*steps), **container)
    played.play()
    assert played.writes == writes


@pytest.mark.parametrize(
    ("steps", "writes"),
    [
        (LADDER, [*FIRST, LABEL, PUT_IN]),
        (("isolate_pod", "sever_connections", "inspect_container"), [*FIRST, PUT_IN]),
        (("isolate_pod", "freeze_process", "sever_connections"), [*FIRST, PUT_IN]),
    ],
)
def test_beside_root_the_cut_is_put_in_alone_and_first(
    tmp_path: Path, cluster: SimulatedCluster, steps: Sequence[str], writes: list[str]
) -> None:
    """What looks follows while the pod is isolated, and stands behind the cut: the kubelet keeps that order."""
    played = Played(tmp_path, cluster, policy(*steps))
    assert "freeze_process: frozen" in played.play() or "freeze_process" not in steps
    assert (played.writes[0], sorted(played.writes)) == (PUT_IN, sorted(writes))
    assert [name.split("-")[2] for name in played.in_order] == ["cut", "look"]


def test_the_steps_say_what_they_would_have_said(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """In the order of the policy, but for the isolation, which nothing delays."""
    played, began = Played(tmp_path, cluster, policy(*LADDER), **USER), utc_now()
    assert played.play() == [
        "isolate_pod: patched",
        "isolate_pod: isolated",
        "label_pod: patched",
        "capture_evidence: captured",
        "sever_connections: severed",
        "freeze_process: frozen",
    ]
    (severed,) = (step for step in played.case(played.document).steps if step.action == "sever_connections")
    # The collector's clock is months behind.
    assert severed.contained_at
    assert severed.contained_at >= began


def test_beside_root_nothing_looks_before_a_cut_that_waits(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where the cut comes in its turn, what looks does so too: after the answer of the cut."""
    needy = policy(*LADDER).replace("sever_connections\n", "sever_connections\n    needs: [capture_evidence]\n")
    played, seen = Played(tmp_path, cluster, needy), []

    def answered(container: ApiObject) -> bytes:
        seen.append(played.put_in)
        return says(cut())(container)

    played.scripted.answers["cut"] = answered
    played.play()
    assert seen == [["cut"]]
    assert played.put_in == ["cut", "look"]


def test_a_look_beside_root_does_not_wait_for_the_answer_of_the_cut(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """One that breaks off is known, and the processes are frozen all the same; all was rehearsed once."""
    played = Played(tmp_path, cluster, policy(*LADDER, "inspect_container"))
    played.scripted.answers["cut"] = breaks_off(cut())
    outcomes = played.play()
    assert outcomes[-4:-2] == ["sever_connections: answer_truncated", "freeze_process: frozen"]
    assert played.put_in == ["cut", "look"]
    rehearsed = [event.dry_run for event in cluster.audit if event.subresource == PUT_IN]
    assert rehearsed == [True, False, False]
    order = [step.action for step in played.case(played.document).steps]
    assert order.index("sever_connections") < order.index("freeze_process")


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        (policy(*LADDER, mode="dry_run"), []),
        (policy(*LADDER, mode="approve"), []),
        (policy(*LADDER).replace("isolate_pod\n", "isolate_pod\n    on_failure: stop\n"), [LABEL, LABEL, DENY_ALL]),
        (policy(*LADDER[2:]), [PUT_IN, PUT_IN]),
        (
            policy(*LADDER).replace("sever_connections\n", "sever_connections\n    needs: [capture_evidence]\n"),
            [PUT_IN, LABEL, LABEL, DENY_ALL],
        ),
    ],
    ids=["dry_run", "approve", "stops", "isolates nothing", "needs evidence"],
)
def test_what_an_earlier_step_decides_is_not_put_in_before(
    tmp_path: Path, cluster: SimulatedCluster, text: str, writes: list[str]
) -> None:
    """A cut without an isolation comes in its turn; a freeze relies on none."""
    played = Played(tmp_path, cluster, text, **USER)
    played.play()
    assert played.writes[: len(writes)] == writes
    assert bool(played.writes) == bool(writes)


def test_a_cut_that_the_isolation_followed_late_is_not_severed(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What was made again in between may go on."""
    played = Played(tmp_path, cluster, policy(*LADDER), **USER)
    late = timedelta()

    def pass_time(_number: int, verb: str, path: str) -> None:
        nonlocal late
        late += timedelta(seconds=2) if (verb, path.rpartition("/")[2]) == ("create", DENY_ALL) else timedelta()

    played.api.after = pass_time
    played.set_clock(lambda: utc_now() + late)
    assert "sever_connections: connections_may_return" in played.play()


@pytest.mark.parametrize(
    "error",
    [
        ApiError(Reason.ADMISSION_DENIED, "violates PodSecurity", status=403),
        ApiError(Reason.TIMEOUT, status=503),
        OutcomeUnknown(Reason.TIMEOUT),
    ],
    ids=["refused", "unavailable", "unknown"],
)
@pytest.mark.parametrize("number", [1, 2], ids=["rehearsal", "request"])
@pytest.mark.parametrize("sent", [True, False])
def test_what_goes_wrong_is_left_to_the_steps(
    tmp_path: Path, cluster: SimulatedCluster, error: Exception, number: int, *, sent: bool
) -> None:
    """Whether or not the request was carried out, the isolation follows, and the steps find out the rest."""
    played, asked = Played(tmp_path, cluster, policy(*LADDER), **USER), 0

    def fail(_number: int, _verb: str, path: str) -> None:
        nonlocal asked
        asked += path.endswith(PUT_IN)
        if path.endswith(PUT_IN) and asked == number:
            raise error

    setattr(played.api, "after" if sent else "before", fail)
    assert played.play()[-2:] == ["sever_connections: severed", "freeze_process: frozen"]
    assert played.put_in == ["cut", "look"]


def test_a_limit_that_is_reached_keeps_both_out(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """They count like every other disruption of the pod."""
    limited = policy(*LADDER) + "limits: [{most: 1, within: 1h, of: pods}]\n"
    played = Played(tmp_path, cluster, limited, **USER)
    played.play()
    other = next(
        item
        for item in cluster.objects("Pod", "shop")
        if item["metadata"]["labels"]["app"] == "app" and item["metadata"]["uid"] != played.pod["metadata"]["uid"]
    )
    before = played.writes.count(PUT_IN)
    document = finding_about(other, finding={"processes": [BINARY]}, finding_id="b" * 32)
    played.respond_to(document)
    assert not {"sever_connections: severed", "freeze_process: frozen"} & {*played.outcomes(document)}
    assert played.writes.count(PUT_IN) == before


def test_a_pod_that_goes_meanwhile_leaves_no_step_open(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The steps whose containers were put in say that it is gone, as the isolation does."""
    played = Played(tmp_path, cluster, policy(*LADDER), **USER)

    def remove(_number: int, verb: str, path: str) -> None:
        if verb == "patch" and path.endswith(played.pod["metadata"]["name"]):
            played.api.before = lambda *_: None
            api_of(cluster, "admin").delete(path, {"gracePeriodSeconds": 0})

    played.api.before = remove
    outcomes = played.play()
    assert all(step.is_settled for step in played.case(played.document).steps), outcomes
    assert {"sever_connections: gone_by_other", "freeze_process: gone_by_other"} <= {*outcomes}


def cut_and_look() -> list[CollectorJob]:
    """What both do, in the order in which they are to be started."""
    where = {"namespace": "shop", "pod": "web-1", "uid": "u1"}
    looks = {"target": "app", "forms": lambda _pod: (root_form(),)}
    return [
        CollectorJob(**where, role=Role.CUT, forms=lambda _pod: (cut_form(),), arguments=cut_arguments),
        CollectorJob(**where, role=Role.LOOK, arguments=lambda key: look_arguments(key, "R"), **looks),
    ]


CUT = NAME.replace("look", "cut")


def beside(container: Object) -> World:
    """A pod whose container is so."""
    world = World()
    world.api.pod["spec"]["containers"] = [{"name": "app", **container}]
    return world


def put_together(world: World, intend: Callable[[], None]) -> None:
    """Put both in, where nothing keeps them out."""
    with ThreadPoolExecutor(1) as world.session.pool:
        put_in_together(world.session, world.collector, cut_and_look(), lambda: None, intend)


def test_two_are_put_in_with_one_request() -> None:
    """After one rehearsal without the key; their intents are written right before it."""
    world, intended = beside(USER), []
    put_together(world, lambda: intended.append(len(world.api.sent)))
    assert (intended, [dry_run for dry_run, _ in world.api.sent]) == ([1], [True, False])
    rehearsed, sent = ([item["args"][1] for item in body["spec"]["ephemeralContainers"]] for _, body in world.api.sent)
    key = public_text(world.collector.private_key())
    assert (rehearsed, sent) == ([f"-key={'A' * 43}"] * 2, [f"-key={key}"] * 2)
    assert world.api.sent[1][1]["metadata"] == {"uid": "u1"}
    found = world.put_in()
    assert (found.was_there, len(world.api.sent)) == (True, 2)


@pytest.mark.parametrize("looks", [1, 2, 6])
def test_beside_root_what_looks_waits_for_the_kubelet_s_word(looks: int) -> None:
    """The kubelet starts the cut by itself then: what comes later it starts once it has reported that."""
    world = beside({})
    waited = world.waited

    def report(path: str) -> Object:
        if len(waited) == looks:
            world.api.pod["status"]["ephemeralContainerStatuses"] = [{"name": CUT, "state": {"waiting": {}}}]
        return world.api.pod

    world.api.get = report  # type: ignore[method-assign]
    put_together(world, lambda: None)
    sent = [[item["name"] for item in body["spec"]["ephemeralContainers"]] for _, body in world.api.sent]
    assert sent == [[CUT, NAME], [CUT], [CUT, NAME]]
    assert [dry_run for dry_run, _ in world.api.sent] == [True, False, False]
    assert waited == [0.03 * 2**number for number in range(looks)]


def test_a_step_that_comes_to_its_turn_meanwhile_waits_for_what_is_put_in() -> None:
    """It puts nothing in beside that, and finds it; what cuts waits for nothing."""
    world, reached, reported = beside({}), Event(), Event()
    world.session.read(cut_and_look()[0].path)

    def report(path: str) -> Object:
        reached.set()
        assert reported.wait(10)
        world.api.pod["status"]["ephemeralContainerStatuses"] = [{"name": CUT, "state": {"waiting": {}}}]
        return world.api.pod

    world.api.get = report  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        world.session.pool = pool
        put_in_together(world.session, world.collector, cut_and_look(), lambda: None, lambda: None)
        assert reached.wait(10)
        look = pool.submit(world.put_in)
        assert not look.done()
        reported.set()
        assert look.result(10).was_there
    assert [dry_run for dry_run, _ in world.api.sent] == [True, False, False]


def test_a_kubelet_that_says_nothing_gets_the_cut_alone() -> None:
    """It may not have seen the cut yet: both at once would let root stop the one before the other is reported."""
    world = beside({})
    put_together(world, lambda: None)
    assert [len(body["spec"]["ephemeralContainers"]) for _, body in world.api.sent] == [2, 1]
    assert (len(world.waited), sum(world.waited)) == (6, pytest.approx(1.89))


def test_what_may_not_be_put_in_is_not_rehearsed_later() -> None:
    """Where something stands in the way before the rehearsal has begun, it is not sent any more."""
    world, over = World(), Event()

    def refuse() -> None:
        raise LostLease(Reason.LEASE_LOST)

    with ThreadPoolExecutor(1) as world.session.pool:
        world.session.pool.submit(over.wait, 10)
        with pytest.raises(LostLease):
            put_in_together(world.session, world.collector, cut_and_look(), refuse, lambda: None)
        over.set()
    assert world.api.sent == []


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.api.pod["metadata"].update(uid="u2"),
        lambda world: world.api.pod["spec"].update(ephemeralContainers=[{"name": NAME}]),
        lambda world: world.api.pod["metadata"].update(deletionTimestamp="x"),
        lambda world: setattr(world.collector, "image", ""),
    ],
    ids=["another pod", "one is there", "ending", "no image"],
)
def test_none_is_put_in_where_it_cannot_be(change: Callable[[World], object]) -> None:
    """Nothing is asked for, and nothing intended."""
    world, intended = World(), []
    change(world)
    put_together(world, lambda: intended.append(True))
    assert (world.api.sent, intended) == ([], [])
