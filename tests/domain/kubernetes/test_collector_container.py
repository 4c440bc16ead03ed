"""A container of ours in a pod: put in at most once, in a form that is let in, and told apart from one that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_container import (
    CollectorContainer,
    CollectorJob,
    await_start,
    frames,
    put_in,
    was_killed,
)
from scc_responder.domain.kubernetes.collector_stream import Truncated, new_private_key, public_text
from scc_responder.domain.kubernetes.ephemeral_containers import (
    Role,
    look_arguments,
    own_form,
    root_form,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from tests.kits.collector_logs import document, ended, sealed
from tests.kits.one_change import MemoryCollector, step_run

NAME = "scc-responder-look-5401ff97f041"
PATH = "/api/v1/namespaces/shop/pods/web-1"
DENIED = ApiError(Reason.ADMISSION_DENIED, "violates PodSecurity", status=403)
Object = dict[str, Any]


class ScriptedApi:
    """An API server with one pod, whose kubelet reports these states, one at each read; the last one stays."""

    def __init__(self, *states: Object) -> None:
        self.states = [*states]
        self.refusals: list[Exception] = []
        self.after_rehearsal: Exception | None = None
        self.unread: dict[str, Exception] = {}
        self.events: list[Object] = []
        self.log = b""
        self.sent: list[tuple[bool, Object]] = []
        self.pod: Object = {
            "metadata": {"uid": "u1", "name": "web-1", "namespace": "shop"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "app"}]},
            "status": {"phase": "Running"},
        }

    def get(self, path: str) -> Object:
        """The pod, with the next state."""
        state = self.states.pop(0) if len(self.states) > 1 else next(iter(self.states), None)
        if state:
            self.pod["status"]["ephemeralContainerStatuses"] = [{"name": NAME, "state": state}]
        return self.pod

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[Object]:
        """The events."""
        assert (path, field_selector) == ("/api/v1/namespaces/shop/events", "involvedObject.uid=u1")
        if "events" in self.unread:
            raise self.unread["events"]
        return self.events

    def patch(self, path: str, body: Object, *, dry_run: bool = False, strategic: bool = False) -> Object:
        """Put the container in, unless it is refused."""
        assert (path, strategic) == (f"{PATH}/ephemeralcontainers", True)
        self.sent.append((dry_run, body))
        if self.refusals:
            raise self.refusals.pop(0)
        if self.after_rehearsal and not dry_run:
            raise self.after_rehearsal
        if not dry_run:
            self.pod["spec"]["ephemeralContainers"] = body["spec"]["ephemeralContainers"]
        return self.pod

    def read_log(self, path: str, *, container: str, follow: bool, seconds: float) -> Iterator[bytes]:
        """The log."""
        assert (path, container, follow) == (f"{PATH}/log", NAME, True)
        if "log" in self.unread:
            raise self.unread["log"]
        yield self.log


class World:
    """What a change is carried out with, in a cluster of that API server."""

    def __init__(self, *states: Object, **collector: Any) -> None:
        self.api = ScriptedApi(*states)
        self.collector = MemoryCollector(**collector)
        self.waited: list[float] = []
        self.session = ClusterSession(self.api, {}, self.waited.append, None)  # type: ignore[arg-type]

    def put_in(self, **run: Any) -> Any:
        """Put the container in, as a change does."""
        job = CollectorJob(
            namespace="shop",
            pod="web-1",
            uid="u1",
            role=Role.LOOK,
            target="app",
            forms=lambda pod: (root_form(), *filter(None, [own_form(pod, "app")])),
            arguments=lambda key: look_arguments(key, "R"),
        )
        return put_in(self.session, step_run(**run), self, job, Tries())  # type: ignore[arg-type]

    def container(self) -> CollectorContainer:
        """One that is in the pod."""
        found = self.put_in()
        assert isinstance(found, CollectorContainer)
        return found


def test_the_first_form_that_is_let_in_is_used() -> None:
    """It is found by rehearsals, which put nothing in; the real request has the case's key."""
    world = World()
    world.api.refusals = [DENIED]
    found = world.put_in()
    forms = [(dry_run, body["spec"]["ephemeralContainers"][0]["securityContext"]) for dry_run, body in world.api.sent]
    assert [dry_run for dry_run, _ in forms] == [True, True, False]
    assert (found.own_form, forms[2][1]) == (True, {"readOnlyRootFilesystem": True})
    (container,) = world.api.pod["spec"]["ephemeralContainers"]
    key = public_text(world.collector.private_key())
    assert (container["name"], container["args"]) == (NAME, ["look", f"-key={key}", "-request=R"])
    assert world.api.sent[2][1]["metadata"] == {"uid": "u1"}


def test_root_is_asked_for_first() -> None:
    """Its answers prove something: one rehearsal, one request."""
    world = World()
    assert (world.put_in().own_form, len(world.api.sent)) == (False, 2)


@pytest.mark.parametrize(
    ("change", "run", "reason", "sent"),
    [
        (lambda world: setattr(world.api, "refusals", [DENIED, DENIED]), {}, Reason.COLLECTOR_REFUSED, 2),
        (lambda world: setattr(world.collector, "image", ""), {}, Reason.NO_COLLECTOR_IMAGE, 0),
        (lambda world: world.api.pod["metadata"].update(deletionTimestamp="x"), {}, Reason.POD_NOT_RUNNING, 0),
        (lambda world: world.api.pod["status"].update(phase="Succeeded"), {}, Reason.POD_NOT_RUNNING, 0),
        (lambda world: world.api.pod["metadata"].update(uid="u2"), {}, Reason.TARGET_REPLACED, 0),
        (lambda _world: None, {"dry_run": True}, Reason.WOULD_INSERT, 1),
    ],
)
def test_nothing_is_put_in_where_it_cannot_be(
    change: Callable[[World], object], run: Any, reason: Reason, sent: int
) -> None:
    """No key is made then, and no request but rehearsals is sent."""
    world = World()
    change(world)
    result = world.put_in(**run)
    assert isinstance(result, Result)
    assert (result.reason, len(world.api.sent), world.collector.key) == (reason, sent, None)
    assert reason != Reason.COLLECTOR_REFUSED or result.detail == "violates PodSecurity; violates PodSecurity"


FORBIDDEN = ApiError(
    Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods/ephemeralcontainers: patch in namespace shop"
)
NOT_SERVED = {
    "no-such-path": ApiError(Reason.NO_SUCH_RESOURCE, "PATCH: HTTP 404"),
    "switched-off": ApiError(Reason.NOT_FOUND, "ephemeral containers are disabled", status=404),
    "method": ApiError(Reason.UNEXPECTED_STATUS, "PATCH: HTTP 405", status=405),
    "media-type": ApiError(Reason.UNEXPECTED_STATUS, "PATCH: HTTP 415", status=415),
}


def test_a_missing_right_is_no_question_of_form() -> None:
    """The permission is named, and no second form is tried."""
    world = World()
    world.api.refusals = [FORBIDDEN]
    result = world.put_in()
    assert (result.status, result.reason) == (StepStatus.NOT_POSSIBLE, Reason.KUBERNETES_FORBIDDEN)
    assert result.detail == ("refused by RBAC: missing permission: pods/ephemeralcontainers: patch in namespace shop")
    assert (len(world.api.sent), world.collector.key) == (1, None)


@pytest.mark.parametrize("error", NOT_SERVED.values(), ids=NOT_SERVED)
def test_a_cluster_without_ephemeral_containers_is_told_from_a_pod_that_is_gone(error: ApiError) -> None:
    """The same answer means either: the pod itself tells which."""
    world = World()
    world.api.refusals = [error]
    result = world.put_in()
    assert (result.status, result.reason) == (StepStatus.NOT_POSSIBLE, Reason.NO_EPHEMERAL_CONTAINERS)
    assert str(error) in result.detail
    world.session.read_anew(PATH)
    world.api.refusals, world.api.pod = [error], {**world.api.pod, "metadata": {"uid": "u2"}}
    assert world.put_in().status is StepStatus.TARGET_REPLACED


@pytest.mark.parametrize(
    ("error", "reason"),
    [(FORBIDDEN, Reason.KUBERNETES_FORBIDDEN), (DENIED, Reason.COLLECTOR_REFUSED)],
    ids=["RBAC", "admission"],
)
def test_a_refusal_after_the_rehearsal_is_told_as_one(error: ApiError, reason: Reason) -> None:
    """A webhook may let a rehearsal pass and refuse the request; a right may be taken away between the two."""
    world = World()
    world.api.after_rehearsal = error
    result = world.put_in()
    assert (result.status, result.reason) == (StepStatus.NOT_POSSIBLE, reason)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ApiError(Reason.THROTTLED, status=429), id="throttled"),
        pytest.param(ApiError(Reason.ENDPOINT_FORBIDDEN, status=403), id="the-whole-cluster"),
        pytest.param(OutcomeUnknown(Reason.SERVER_ERROR, status=500), id="unknown"),
        pytest.param(ApiError(Reason.ADMISSION_DENIED, status=403, refused_by="scc-responder-mode"), id="paused"),
    ],
)
def test_what_may_pass_is_not_taken_for_a_refusal(error: ApiError) -> None:
    """A later try may be let in."""
    world = World()
    world.api.refusals = [error]
    with pytest.raises(ApiError) as caught:
        world.put_in()
    assert caught.value is error


def test_a_container_is_put_in_once() -> None:
    """A later step of the case, or a later delivery, finds it by its name, and reads it with the case's key."""
    world = World()
    first = world.container()
    again = world.put_in(intended=True)
    assert (again.was_there, again.private, len(world.api.sent)) == (True, first.private, 2)


def test_a_container_in_the_target_s_form_stays_one() -> None:
    """What it tells proves as little to the step that finds it there."""
    world = World()
    world.api.refusals = [DENIED]
    assert [world.put_in().own_form, world.put_in().own_form] == [True, True]


@pytest.mark.parametrize("key", [None, new_private_key()], ids=["none", "another"])
def test_a_container_with_another_key_is_not_ours(key: bytes | None) -> None:
    """Its log cannot be read: nothing is believed of it."""
    world = World()
    world.container()
    world.collector.key = key
    assert world.put_in().reason == Reason.COLLECTOR_KEY_GONE


CREATING = {"waiting": {"reason": "ContainerCreating"}}
PLACE = {"involvedObject": {"fieldPath": f"spec.ephemeralContainers{{{NAME}}}"}}


@pytest.mark.parametrize(
    ("states", "events", "reason", "most_seconds"),
    [
        pytest.param([{}, CREATING, {"running": {}}], [], None, 1, id="runs"),
        pytest.param([{}, {"terminated": {"exitCode": 0}}], [], None, 1, id="has-run"),
        pytest.param([CREATING], [{"reason": "Failed", "message": "not found"}], "image_not_pulled", 2, id="no-image"),
        pytest.param([{"waiting": {"reason": "ImagePullBackOff"}}], [], "image_not_pulled", 0, id="back-off"),
        pytest.param([{"waiting": {"reason": "RunContainerError"}}], [], "defends_itself", 0, id="killed"),
        pytest.param([{"terminated": {"reason": "StartError"}}], [], "defends_itself", 0, id="killed-early"),
        pytest.param([CREATING], [{"reason": "Pulled"}], "defends_itself", 9, id="stopped"),
        pytest.param([CREATING], [], "collector_not_started", 30, id="slow"),
        pytest.param(
            [CREATING], [{"reason": "Failed"}, {"reason": "Pulled"}], "defends_itself", 9, id="pulled-at-last"
        ),
    ],
)
def test_how_a_container_begins(states: Any, events: list[Object], reason: str | None, most_seconds: float) -> None:
    """One that the pod kills or stops is a finding in itself; one without an image is not."""
    world = World()
    container = world.container()
    world.api.states = [*states]
    world.api.events = [{**PLACE, **event} for event in events] + [{"reason": "Failed", "involvedObject": {}}]
    result = await_start(world.session, container)
    assert (result and result.reason) == reason
    assert sum(world.waited) <= most_seconds
    if reason == "defends_itself":
        assert "kubectl debug node/node-1" in result.detail


def test_a_pod_that_goes_meanwhile_is_gone() -> None:
    """Nothing is said of the next pod of its name."""
    world = World()
    container = world.container()
    world.api.pod["metadata"]["uid"] = "u2"
    result = await_start(world.session, container)
    assert result is not None
    assert result.reason == Reason.TARGET_REPLACED


def test_its_log_is_read_with_the_key() -> None:
    """Only what the collector wrote is told."""
    world = World()
    container = world.container()
    world.api.log = sealed(ended(document("run")), public_text(container.private))
    assert [frame.kind.value for frame in frames(world.session, container, 5)] == ["J", "Z"]


LOG_FORBIDDEN = ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods/log: get in namespace shop")


def test_a_log_that_is_withheld_is_not_whole() -> None:
    """Whoever may not read it does not know what was done, and says which right is missing."""
    world = World()
    container = world.container()
    world.api.unread["log"] = LOG_FORBIDDEN
    with pytest.raises(Truncated, match="missing permission: pods/log: get in namespace shop"):
        list(frames(world.session, container, 5))
    world.api.unread["log"] = ApiError(Reason.SERVER_ERROR, status=500)
    with pytest.raises(ApiError, match="server_error"):
        list(frames(world.session, container, 5))


def test_events_that_are_withheld_tell_nothing() -> None:
    """Then nobody knows whether the image is there: that the pod defends itself is not said."""
    world = World()
    container = world.container()
    world.api.states = [CREATING]
    world.api.unread["events"] = ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="events: list")
    result = await_start(world.session, container)
    assert result is not None
    assert result.reason == Reason.COLLECTOR_NOT_STARTED


@pytest.mark.parametrize(
    ("ended_as", "is_killed"),
    [
        ({"exitCode": 137, "reason": "Error"}, True),
        ({"exitCode": 137, "reason": "OOMKilled"}, False),
        ({"exitCode": 1, "reason": "Error"}, False),
        ({"exitCode": 0, "reason": "Completed"}, False),
    ],
)
def test_a_collector_that_was_killed(ended_as: Object, is_killed: bool) -> None:
    """A collector that a signal ended did not end by itself."""
    world = World()
    container = world.container()
    world.api.states = [{"terminated": ended_as}]
    killed = was_killed(world.session, container)
    assert (killed is not None) is is_killed
