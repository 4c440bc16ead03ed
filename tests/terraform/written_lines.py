"""One line for each way that a delivery, a sweep, its daily check or a heartbeat can end, on a simulated cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.pipeline.later.feed_check import check_feed
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import HERE, answered
from tests.kits.google.grpc_servers import SecurityCenterServer
from tests.kits.notices import routes
from tests.kits.notices import told as notice_told
from tests.kits.responder import ALL, NODE, SPARE_NODE, Deployment, Interposed, deployed, finding_about, policy
from tests.kits.route_scene import RouteScene
from tests.pipeline.later.test_feed_check import MADE, stored
from tests.pipeline.test_heartbeat import MESSAGE as BEAT

Lines = dict[str, str]
LOW = {"severity": "LOW"}


def written_lines(folders: pytest.TempPathFactory) -> Lines:
    """The lines, by what they are about."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.namespace("kube-system"))
        for name in (NODE, SPARE_NODE):
            cluster.create(objects.node(name))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=16))
        cluster.create(objects.deployment("dns", "kube-system", NODE))
        writing = _Writing(cluster, folders)
        return {about: line for part in _PARTS for about, line in part(writing)}


class _Writing:
    """A cluster whose pods are used up one by one, and deployments whose lines are kept as they are written."""

    def __init__(self, cluster: SimulatedCluster, folders: pytest.TempPathFactory) -> None:
        self._pods = iter(cluster.objects("Pod", "shop"))
        self._cluster, self._folders = cluster, folders
        self.protected = cluster.objects("Pod", "kube-system")[0]
        self.lines: list[str] = []
        self.secrets = folders.mktemp("secrets")

    def deployment(self, *policies: str, **environment: str) -> Deployment:
        made = deployed(self._folders.mktemp("deployment"), self._cluster, *policies, **environment)
        made.services.tell = self.lines.append
        return made

    def finding(self, name: str = "finding", **finding: Any) -> dict[str, Any]:
        return finding_about(next(self._pods), finding_id=name, finding=finding)

    def about_protected(self, name: str, **finding: Any) -> dict[str, Any]:
        return finding_about(self.protected, finding_id=name, finding=finding)

    @property
    def last(self) -> str:
        return self.lines[-1]


Told = Iterator[tuple[str, str]]


def _acting(writing: _Writing) -> Told:
    one = writing.deployment(policy(*ALL))
    contained = writing.finding()
    one.respond_to(contained)
    yield "contained", writing.last
    one.deliver(contained)
    yield "duplicate", writing.last
    one.respond_to(writing.about_protected("held"))
    yield "held", writing.last
    one.respond_to(writing.about_protected("held-low", **LOW))
    yield "held of low severity", writing.last
    one.deliver(writing.finding("not-listed"))
    yield "not listed yet", writing.last
    one.respond_to(writing.finding("inactive", state="INACTIVE"))
    yield "inactive", writing.last
    one.push(b"junk")
    yield "junk", writing.last
    sweep(HERE, "127.0.0.1", one.services)
    yield "swept", writing.last
    one = writing.deployment(policy("label_pod", "notify"))
    one.respond_to(writing.finding())
    yield "only marked", writing.last


def _rehearsing(writing: _Writing) -> Told:
    one = writing.deployment(policy(*ALL, mode="dry_run"))
    one.respond_to(writing.finding())
    yield "dry run", writing.last
    one.respond_to(writing.about_protected("held-in-rehearsal"))
    yield "held in a rehearsal", writing.last
    one.clusters.api = Interposed(one.clusters.api, before=_refuse)
    one.respond_to(writing.finding("refused-in-rehearsal"))
    yield "refused in a rehearsal", writing.last


def _asking(writing: _Writing) -> Told:
    one = writing.deployment(policy("label_pod", "delete_pod", mode="approve"))
    for about, verb in (("approved", "approve"), ("rejected", "reject")):
        waiting = writing.finding(about)
        one.respond_to(waiting)
        yield f"to be {about}", writing.last
        answered(one, waiting, verb)
        yield about, writing.last
    one.respond_to(writing.finding("expired"))
    much_later = utc_now() + timedelta(hours=2)
    one.set_clock(lambda: much_later)
    sweep(HERE, "127.0.0.1", one.services)
    yield "expired", next(line for line in reversed(writing.lines) if '"reason":"approval_expired"' in line)


def _failing(writing: _Writing) -> Told:
    one = writing.deployment(policy("isolate_pod"))
    one.clusters.api = Interposed(one.clusters.api, before=_refuse)
    one.respond_to(writing.finding())
    yield "failed", writing.last
    one.clusters.api = Interposed(one.clusters.api, before=_refuse_all)
    one.respond_to(writing.finding("access-lost"))
    yield "access lost", writing.last
    one = writing.deployment(policy("label_pod"))
    one.clusters.api = Interposed(one.clusters.api, before=_refuse_all)
    one.respond_to(writing.finding())
    yield "not onboarded", writing.last


def _beating(writing: _Writing) -> Told:
    one = writing.deployment(policy("label_pod"))
    one.services.findings = Unlisted()
    for about, mode in (("heartbeat", "enforce"), ("in dry run", "dry_run"), ("switched off", "disabled")):
        one.turn(mode)
        one.deliver(BEAT)
        yield about if mode == "enforce" else f"heartbeat {about}", writing.last
    entry = one.services.store.get(GLOBAL)
    assert entry
    one.services.store.delete(GLOBAL, entry.version)
    one.deliver(BEAT)
    yield "heartbeat without a switch", writing.last


def _checking(writing: _Writing) -> Told:
    setting = msgspec.json.encode(MADE).decode()
    for about, days in (("as made", 0), ("changed", 1), ("gone", 2), ("unread", 3), ("no finding for long", 20)):
        with SecurityCenterServer() as server:
            one = writing.deployment(policy("label_pod"), notification_config=setting, scc_endpoint=server.endpoint)
            if about != "gone":
                server.configs[MADE.name] = stored(**({"filter": "other"} if about == "changed" else {}))
            server.granted = set() if about == "unread" else None
            check_feed(one.services, utc_now() - timedelta(days=days))
            yield about if days == 20 else f"config {about}", writing.last


def _untold(writing: _Writing) -> Told:
    scene = RouteScene(writing.deployment(policy("label_pod")), writing.secrets, routes("shop"))
    scene.deployment.services.tell = writing.lines.append
    scene.receivers.judge = _refuse_notice
    scene.tell(notice_told(1))
    scene.sweep(hours=25)
    yield "notice undeliverable", writing.last


def _refuse_notice(*_given: Any) -> str:
    raise ApiError(Reason.RECEIVER.of("unreachable"))


_PARTS: tuple[Callable[[_Writing], Told], ...] = (
    *(_acting, _rehearsing, _asking, _failing, _beating, _checking),
    _untold,
)


class Unlisted:
    """`ports.Findings` of a source without findings."""

    def read(self, _finding: Finding) -> None:
        return None


def _refuse_all(_number: int, verb: str, path: str) -> None:
    raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission=f"{path}: {verb}")


def _refuse(_number: int, verb: str, path: str) -> None:
    if verb == "create" and "networkpolicies" in path:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="networkpolicies: create")
