"""Our own containers in an infected pod of the real node: put in by the product, which tells what they say."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from collector_image import SOURCES, make_image
from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_container import (
    CollectorContainer,
    CollectorJob,
    await_start,
    frames,
    put_in,
    was_killed,
)
from scc_responder.domain.kubernetes.collector_stream import FrameKind, Truncated
from scc_responder.domain.kubernetes.ephemeral_containers import (
    LookRequest,
    Role,
    WantedFile,
    cut_arguments,
    cut_form,
    look_arguments,
    own_form,
    request_argument,
    root_form,
)
from scc_responder.domain.status import Result
from scc_responder.domain.value import Value
from scc_responder.execute.early_containers import put_in_together
from tests.cluster.binaries import Module, find_go
from tests.cluster.objects import Manifest
from tests.kits.one_change import MemoryCollector, step_run
from tests.node import registry
from tests.node.pods import ADDED, Infected
from tests.node.real_node import Node
from tests.node.truth import now

LOG_SECONDS = 30.0


class Told(Value, frozen=True, kw_only=True):
    """What a container of ours said: its documents by name, the SHA-256 of each artefact, and why it said no more.

    `at`: when all was known, in milliseconds since 1970. `own_form`: it ran as the target does.
    """

    documents: dict[str, dict[str, Any]] = {}
    artefacts: tuple[str, ...] = ()
    reason: str = ""
    whole: bool = False
    own_form: bool = False
    at: int = 0


def offer_collector(node: Node, scratch: Path) -> str:
    """Make the collector's image, offer it to the node, and admit it: its name. Raises BinariesUnavailable."""
    go = find_go(Module(folder=str(SOURCES), linker_flags="", packages={}), os.environ)
    image = f"{registry.HOST}/collector@{make_image(scratch / 'collector', go)}"
    node.offer("collector", scratch / "collector")
    node.admit(image)
    return image


class Looker:
    """The product's side in one pod."""

    def __init__(self, node: Node, image: str, infected: Infected) -> None:
        plane = node.plane
        api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))
        self.collector = MemoryCollector(image=image)
        self._session = ClusterSession(api, {}, time.sleep, ThreadPoolExecutor(2))
        self._infected = infected

    def begin(self) -> None:
        """Put both in early, as far as the node's cluster lets them in so."""
        with suppress(ApiError):
            put_in_together(self._session, self.collector, [*map(self._job, (Role.CUT, Role.LOOK))], _pass, _pass)

    def cut(self) -> CollectorContainer | Result:
        """Put in what ends the pod's connections."""
        return self._put_in(Role.CUT)

    def look(self) -> CollectorContainer | Result:
        """Put in what stops the finding's processes, and looks."""
        return self._put_in(Role.LOOK)

    def _put_in(self, role: Role) -> CollectorContainer | Result:
        return put_in(self._session, step_run(), self, self._job(role), Tries())  # type: ignore[arg-type]

    def _job(self, role: Role) -> CollectorJob:
        pod = self._infected.pod["metadata"]
        request = request_argument(_request(self._infected))
        return CollectorJob(
            namespace=pod["namespace"],
            pod=pod["name"],
            uid=pod["uid"],
            role=role,
            target="" if role is Role.CUT else "web",
            forms=lambda read: (cut_form(),) if role is Role.CUT else _forms(read),
            arguments=lambda key: cut_arguments(key) if role is Role.CUT else look_arguments(key, request, freeze=True),
        )

    def told(self, container: CollectorContainer | Result) -> Told:
        """What the container says, to its end."""
        if isinstance(container, Result):
            return Told(reason=str(container.reason), at=now())
        lost = await_start(self._session, container)
        if lost:
            return Told(reason=str(lost.reason), own_form=container.own_form, at=now())
        documents: dict[str, dict[str, Any]] = {}
        digests: list[Any] = []
        try:
            for frame in frames(self._session, container, LOG_SECONDS, alone="-cut-" in container.name):
                if frame.kind is FrameKind.DOCUMENT:
                    documents[frame.json()["name"]] = frame.json()
                elif frame.kind is FrameKind.ARTEFACT:
                    digests.append(hashlib.sha256())
                elif frame.kind is FrameKind.DATA:
                    digests[-1].update(frame.payload)
        except Truncated as error:
            killed = was_killed(self._session, container)
            return _told(documents, digests, container, reason=str(killed.reason if killed else error))
        except ApiError as error:
            return _told(documents, digests, container, reason=str(error.reason))
        return _told(documents, digests, container, whole=True)


def _pass() -> None:
    """Nothing keeps them out, and no journal is kept."""


def _told(
    documents: dict[str, Any],
    digests: Iterable[Any],
    container: CollectorContainer,
    *,
    reason: str = "",
    whole: bool = False,
) -> Told:
    artefacts = tuple(digest.hexdigest() for digest in digests)
    return Told(
        documents=documents, artefacts=artefacts, reason=reason, whole=whole, own_form=container.own_form, at=now()
    )


def _forms(pod: Manifest) -> Any:
    return (root_form(), *filter(None, [own_form(pod, "web")]))


def _request(infected: Infected) -> LookRequest:
    started = infected.pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    wanted = WantedFile(path=ADDED, sha256=infected.sha256, hashed_size=infected.size, size=infected.size)
    found = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    return LookRequest(binaries=(wanted,), args=(ADDED,), event_time=found, started_at=started)
