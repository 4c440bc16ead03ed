"""Attackers on the real node who hide or defend themselves, and what our containers say of them beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from scc_responder.domain.value import Value
from tests.cluster import objects
from tests.node.looks import Looker, Told
from tests.node.play import STARTING, remove
from tests.node.pods import infected_pod
from tests.node.real_node import Node
from tests.node.situations import UNPRIVILEGED, Situation
from tests.node.truth import PodWatch, Processes, now

TICK = 60
"""Milliseconds between the truth and when it is seen: what is under way arrives, and states are read every 10 ms."""


def _attacked(*threat: str, **fields: Any) -> Situation:
    return Situation(said=(), replicas=1, threat=threat, **fields)


ATTACKERS = {
    "nothing": _attacked(),
    "unlinks, has a child": _attacked("unlink", "child"),
    "puts a decoy in its place": _attacked("decoy"),
    "shows another name": _attacked("rename"),
    "forges logs": _attacked("forge"),
    "fills the log": _attacked("flood"),
    "kills what appears": _attacked("kill"),
    "stops what appears": _attacked("stop"),
    "kills, as another user": _attacked("kill", spec=UNPRIVILEGED),
    "kills and forges, as the collector's user": _attacked("forge", "kill", spec=UNPRIVILEGED, level="baseline"),
}
"""What the attacker does."""


class Looked(Value, frozen=True, kw_only=True):
    """What both containers said, and the truth, in milliseconds since 1970. `began`: when isolation was asked for.

    `still`: when a process of the threat was last seen to run, where each stands still now. `until`: the end of it all.
    `cut_first`: whatever came of the look, the node told before that the cut had begun.
    """

    began: int
    cut: Told
    look: Told
    sha256: str
    last_new: int
    last_beat: int
    still: int | None
    restarts: int
    until: int
    cut_first: bool = True

    @property
    def severed_at(self) -> int | None:
        """Since when no connection is left, as the container said."""
        cut = self.cut.documents.get("cut", {})
        return _moment(cut["severed_at"]) if self.cut.whole and cut.get("complete") else None

    @property
    def is_silent(self) -> bool:
        """Whether no heartbeat has come for a second: they come every 20 ms."""
        return self.last_beat < self.until - 1000

    @property
    def frozen_at(self) -> int | None:
        """Since when the threat is stopped, as the container said."""
        freeze = self.look.documents.get("freeze", {})
        return _moment(freeze["frozen_at"]) if freeze.get("complete") else None

    @property
    def false_words(self) -> Sequence[str]:
        """What was said and is not so."""
        severed, frozen = self.severed_at, self.frozen_at
        told = {
            "severed, yet heartbeats come": severed is not None and self.last_beat > severed + TICK,
            "frozen, yet a process runs": frozen is not None and (self.still is None or self.still > frozen + TICK),
            "whole, yet without the program": self.look.whole and self.sha256 not in self.look.artefacts,
            "a container of the workload was restarted": self.restarts > 0,
        }
        return [word for word, false in told.items() if false]


def _moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def look_at(node: Node, image: str, situation: Situation, *, pulled: bool = False) -> Looked:
    """Isolate a pod, cut its connections, and stop and look at its threat. `pulled`: the node lacks the image."""
    with STARTING:
        infected = infected_pod(node, situation)
    threat, pod = Processes(infected.pids), infected.pod
    if pulled:
        node.remove_image(image)
    with PodWatch(node.admin, node.plane.token("admin"), node.current(pod)) as watch:
        began = now()
        node.admin.create(_deny_all(pod["metadata"]["namespace"]))
        looker = Looker(node, image, infected)
        looker.begin()
        cut = looker.told(looker.cut())
        look = looker.told(looker.look())
        threat.leave()
    looked = Looked(
        began=began,
        cut=cut,
        look=look,
        sha256=infected.sha256,
        last_new=max(node.outside.arrivals(infected.name, "new")),
        last_beat=max(node.outside.arrivals(infected.name, "beat")),
        still=threat.still,
        restarts=watch.restarts,
        until=now(),
        cut_first=watch.begins_first("cut", "look"),
    )
    remove(node, pod)
    return looked


def look_at_all(node: Node, image: str, attackers: Mapping[str, Situation]) -> dict[str, Looked]:
    """Each attacker, side by side."""
    with ThreadPoolExecutor(len(attackers)) as pool:
        running = {name: pool.submit(look_at, node, image, situation) for name, situation in attackers.items()}
        return {name: looked.result() for name, looked in running.items()}


def _deny_all(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": objects.metadata("deny-all", namespace),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
