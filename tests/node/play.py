"""One situation played on the real node: the pod, the push, and what is seen of it until some time after."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState
from scc_responder.pipeline.sweep import sweep
from tests.cluster import objects
from tests.cluster.client import ApiFailure, object_path
from tests.cluster.objects import Manifest
from tests.cluster.polling import wait_until
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, finding_about, policy, write_policies
from tests.node.pods import ADDED, START_SECONDS, Infected, infected_pod, is_sent_to
from tests.node.real_node import Node
from tests.node.situations import Situation
from tests.node.trial import Said, Trial, Truth
from tests.node.truth import PodWatch, Processes, container_processes, now, restarts

DELIVERIES = 3
WATCHED_SECONDS = 5.0
"""How long a pod is looked at after the product's last word."""


STARTING = threading.Semaphore(6)
"""More pods that start at once only wait for each other."""


class OneByOne:
    """Lets those who are prepared do their part one after another, once all of them are prepared."""

    def __init__(self, count: int) -> None:
        self._prepared = threading.Barrier(count, timeout=4 * START_SECONDS)
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The time of one of them."""
        self._prepared.wait()
        with self._turn:
            yield

    def give_up(self) -> None:
        """One of them will never be prepared."""
        self._prepared.abort()


def play(node: Node, situation: Situation, folder: Path, order: OneByOne | None = None) -> Trial:
    """Make the pod, let the product answer a finding about it, and look at it until some time after that."""
    try:
        with STARTING:
            infected = infected_pod(node, situation)
        threat = Processes(infected.pids)
        document = _finding(infected)
        _let_happen(node, situation, infected)
        responder = _responder(node, situation, folder)
    except BaseException:
        if order:
            order.give_up()
        raise
    with PodWatch(node.admin, node.plane.token("admin"), node.current(infected.pod)) as watch:
        responder.list_finding(document)
        with order.turn() if order else nullcontext():
            if situation.before == "image removed":
                node.remove_image(node.collector)
            began, pushed = datetime.now(UTC), now()
            _deliver(responder, document)
            said = _said(responder, document, pushed)
            # Beside others it would count theirs that name no namespace.
            requests = len(node.plane.audit(since=began, namespace=_namespace(infected))) if order else None
        kept = _is_kept(folder / "evidence", infected)
        later = _swept(responder, document, pushed)
        time.sleep(WATCHED_SECONDS)
        threat.leave()
        true = _true(node, infected, pushed, threat, watch)
    remove(node, infected.pod)
    return Trial(said=said, true=true, later=later, kept=kept, requests=requests)


def _deliver(responder: Deployment, document: Manifest) -> None:
    """Push it, and again as Pub/Sub does where a delivery ended before its case, as it may on a busy machine."""
    for _ in range(DELIVERIES):
        responder.deliver(document)
        case = responder.case(document)
        if case.state is not CaseState.OPEN or any(step.due_at for step in case.steps):
            return


def _namespace(infected: Infected) -> str:
    return str(infected.pod["metadata"]["namespace"])


def _is_kept(evidence: Path, infected: Infected) -> bool:
    """Whether the threat's program is in the evidence, byte for byte."""
    files = evidence.rglob(f"*{infected.sha256[:24]}*")
    return any(hashlib.sha256(file.read_bytes()).hexdigest() == infected.sha256 for file in files)


def _swept(responder: Deployment, document: Manifest, pushed: int) -> Said | None:
    """What a sweep says once it is due: None of a case that the delivery ended."""
    due = [step.due_at for step in responder.case(document).steps if step.due_at]
    if not due:
        return None
    time.sleep(max(0.0, (max(due) - utc_now()).total_seconds()) + 0.1)
    sweep(HERE, "127.0.0.1", responder.services)
    return _said(responder, document, pushed)


def _finding(infected: Infected) -> dict[str, Any]:
    """What Container Threat Detection says of the program that was added."""
    size = str(infected.size)
    binary = {"path": ADDED, "size": size, "sha256": infected.sha256, "hashedSize": size, "partiallyHashed": False}
    process = {"name": "kworkerd", "binary": binary, "args": [ADDED, "threat"]}
    found = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    changes = {"finding_id": infected.pod["metadata"]["uid"].replace("-", ""), "event_time": found}
    return finding_about(infected.pod, finding={"processes": [process]}, **changes)


def _let_happen(node: Node, situation: Situation, infected: Infected) -> None:
    """What comes between the threat and the push."""
    pod, meta = infected.pod, infected.pod["metadata"]
    if situation.before == "restarted":
        (service,) = container_processes(meta["uid"], "server")
        os.kill(service, signal.SIGKILL)
        wait_until(lambda: restarts(node.current(pod)) == 1, what="a restart", seconds=START_SECONDS)
    if situation.before == "replaced":
        node.admin.delete(object_path(pod), {"gracePeriodSeconds": 1})
        wait_until(
            lambda: node.current(pod)["metadata"]["uid"] != meta["uid"], what="another pod", seconds=START_SECONDS
        )


def _responder(node: Node, situation: Situation, folder: Path) -> Deployment:
    folder.mkdir(parents=True)
    made = Deployment(
        folder, node.responder, write_policies(folder / "policies", policy(*situation.steps)), collector=node.collector
    )
    made.services.wait = time.sleep
    return made


def _said(responder: Deployment, document: Manifest, pushed: int) -> Said:
    at = now() - pushed
    case = responder.case(document)
    seconds = responder.line.get("contained_seconds")
    event = datetime.fromisoformat(document["finding"]["eventTime"]).timestamp() * 1000
    return Said(
        at=at,
        state=str(case.state),
        reasons=tuple(str(step.reason) for step in case.steps),
        contained_seconds=seconds,
        containments=tuple(str(step.containment) for step in case.steps if step.containment),
        contained=None if seconds is None else round(event + seconds * 1000) - pushed,
    )


def _true(node: Node, infected: Infected, pushed: int, threat: Processes, watch: PodWatch) -> Truth:
    def after(moment: int | None) -> int | None:
        return None if moment is None else moment - pushed

    return Truth(
        last_new=after(max(node.outside.arrivals(infected.name, "new"), default=None)),
        last_beat=after(max(node.outside.arrivals(infected.name, "beat"), default=None)),
        dead=after(threat.ended),
        terminated=after(watch.terminated),
        gone=after(watch.gone),
        until=now() - pushed,
        frozen=after(threat.still),
        restarts=watch.restarts,
        owned=watch.owned,
        sent_to=is_sent_to(node, infected.pod),
    )


def remove(node: Node, pod: Manifest) -> None:
    """Let all of it go, however long the pods would take."""
    with suppress(ApiFailure):
        objects.release(node.admin, object_path(pod))
    namespace = f"/api/v1/namespaces/{pod['metadata']['namespace']}"
    node.admin.delete(namespace)
    node.admin.delete(f"{namespace}/pods", {"gracePeriodSeconds": 1})


def play_all(
    node: Node, folder: Path, situations: Mapping[str, Situation], *, one_by_one: bool = False
) -> dict[str, Trial]:
    """Each situation in a namespace of its own: side by side, or so that no two are answered at one time."""
    order = OneByOne(len(situations)) if one_by_one else None
    with ThreadPoolExecutor(len(situations)) as pool:
        running = {
            name: pool.submit(play, node, situation, folder / str(number), order)
            for number, (name, situation) in enumerate(situations.items())
        }
    for trial in running.values():
        if trial.exception() and not isinstance(trial.exception(), threading.BrokenBarrierError):
            trial.result()
    return {name: trial.result() for name, trial in running.items()}
