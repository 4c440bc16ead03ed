"""Read what a decision needs: in parallel, under one deadline, with the reason for each read that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from scc_responder.collect import kubernetes_objects as parsing
from scc_responder.collect.identity import identify, identify_node
from scc_responder.collect.run_facts import by_project_id, run_facts, start_run_reads
from scc_responder.domain.context import Context, Owner, Pod, RelatedFinding
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.finding import Finding
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import CloudRunApi, Clusters, Findings, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import ODD, of_its_types
from scc_responder.intake.threats import classify

MAX_OWNERS = 4
"""Owner chains longer than this are not followed; they could loop."""

READ_OWNERS = frozenset({("apps/v1", "ReplicaSet"), ("batch/v1", "Job")})
"""Owners that have an owner of their own. The others are workloads already: their names and UIDs are all we need."""


_FORBIDDEN = 403

_T = TypeVar("_T")
StartedReads = dict[str, Future[dict[str, Any]]]


class Reads:
    """The parallel reads of one finding. `missing` maps each fact that could not be read to the reason.

    A read whose turn comes after the deadline, or after `give_up`, is not made. `pool` has the threads.
    """

    def __init__(self, pool: Executor, deadline_seconds: float) -> None:
        self.pool = pool
        self._until = monotonic() + deadline_seconds
        self.missing: dict[str, str] = {}
        self.errors: dict[str, ResponderError] = {}

    @property
    def refused(self) -> tuple[str, ...]:
        """The facts that we lack the permission to read."""
        return tuple(fact for fact, error in self.errors.items() if getattr(error, "status", 0) == _FORBIDDEN)

    def start(self, read: Callable[..., _T], *arguments: Any) -> Future[_T]:
        """Begin a read."""
        return self.pool.submit(self._in_time, read, *arguments)

    def give_up(self) -> None:
        """Make none of the reads that have not begun: nobody waits for them any longer."""
        self._until = 0.0

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """Around what waits for the reads: where it raises, they are given up."""
        try:
            yield
        except BaseException:
            self.give_up()
            raise

    def _in_time(self, read: Callable[..., _T], *arguments: Any) -> _T:
        if monotonic() >= self._until:
            raise ApiError(Reason.DEADLINE, "nobody waits for this read any longer")
        try:
            return read(*arguments)
        except ODD as error:
            raise ApiError(Reason.UNUSABLE_ANSWER, f"an answer of another form: {type(error).__name__}") from error

    def result(self, fact: str, future: Future[_T]) -> _T | None:
        """The read's answer, or None with the reason in `missing`."""
        try:
            return future.result(timeout=max(0.0, self._until - monotonic()))
        except ResponderError as error:
            lacking = f": missing permission: {error.permission}" if error.permission else ""
            self.missing[fact] = f"{error.reason}{lacking}"
            self.errors[fact] = error
        except FutureTimeoutError:
            future.cancel()
            self.missing[fact] = Reason.DEADLINE
            self.errors[fact] = ApiError(Reason.DEADLINE, f"reading the {fact} took too long")
        return None


class Collected:
    """The context, the API it was read through (None if the finding names no cluster), and its reads.

    `reads` takes further ones under the same deadline.
    """

    def __init__(self, context: Context, api: KubernetesApi | None, reads: Reads) -> None:
        self.context = context
        self.api = api
        self.reads = reads

    @property
    def errors(self) -> dict[str, ResponderError]:
        """The errors met, by what could not be read."""
        return self.reads.errors


def collect(
    finding: Finding,
    clusters: Clusters,
    findings: Findings,
    pool: Executor,
    deadline_seconds: float,
    *,
    node_name: str = "",
    run: CloudRunApi | None = None,
    revision: str = "",
    settled: str = "",
) -> Collected:
    """Read cluster, pod, owners, namespace, node and related findings; of Cloud Run, what `run_facts` says.

    `run` is asked about findings of Cloud Run alone, and None where nobody is to be asked; `revision` is the one that a
    person chose, `settled` the revision or execution that the case acted upon. `node_name` is the node that the case
    acted upon: its pod, which would name it, may be gone by now.
    Never raises for a fact that cannot be read: it is missing, with its reason. The caller decides which are required.
    """
    reads = Reads(pool, deadline_seconds)
    with reads.wanted():
        if len(finding.pods) > 1:
            reads.missing["pod"] = Reason.SEVERAL_PODS
        api = reads.result("api", reads.start(clusters.connect, finding.cluster)) if finding.cluster else None
        started = _start(reads, api, finding, finding.node or node_name) if api else {}
        run_started = start_run_reads(finding, run, reads) if run and finding.cloud_run and not finding.cluster else {}
        # Last, since preparing this request keeps the interpreter busy while the others wait for the network.
        related_read = reads.start(findings.related, finding)
        facts: dict[str, Any] = {}
        if finding.cluster:
            facts["cluster"] = reads.result("cluster", reads.start(clusters.describe, finding.cluster))
        if api is not None:
            facts |= _objects(reads, api, started)
        elif finding.cluster or finding.pods:
            reads.missing["pod"] = Reason.POD_UNREADABLE if finding.cluster else Reason.CLUSTER_NOT_NAMED
        if run_started and run is not None:
            facts |= run_facts(finding, run_started, reads, run, chosen=revision, settled=settled)
            finding = by_project_id(finding, facts.get("service") or facts.get("job"))
        return Collected(_context(finding, reads, reads.result("related", related_read), facts), api, reads)


def _context(
    finding: Finding, reads: Reads, related: Sequence[RelatedFinding] | None, facts: dict[str, Any]
) -> Context:
    """What was read, with the threat that it speaks of, and whether pod and node are those of the finding."""
    pod = facts.get("pod")
    return Context(
        finding=finding,
        threat=classify(finding, related or ()),
        related=None if related is None else tuple(related),
        identity=facts.pop("identity", None) or identify(finding, pod),
        node_identity=identify_node(finding, pod, facts.get("node")),
        missing=reads.missing,
        refused=reads.refused,
        **facts,
    )


def _start(reads: Reads, api: KubernetesApi, finding: Finding, node_name: str) -> StartedReads:
    """Begin to read what the finding names: its pod, that pod's namespace, and the node."""
    named: dict[str, tuple[Any, ...]] = {}
    if finding.pod:
        named["pod"] = (parsing.parse_pod, api_paths.pod, finding.pod.namespace, finding.pod.name)
        named["namespace"] = (parsing.parse_namespace, api_paths.namespace, finding.pod.namespace)
    if node_name:
        named["node"] = (parsing.parse_node, api_paths.node, node_name)
    return {fact: reads.start(_get, api, *asked) for fact, asked in named.items()}


def _objects(reads: Reads, api: KubernetesApi, started: StartedReads) -> dict[str, Any]:
    """Pod, owners, namespace and node, and the raw objects they were read from."""
    objects: dict[str, dict[str, Any]] = {}
    pod = _pod(reads, api, started.get("pod"), objects)
    if "node" not in started and pod is not None and pod.node_name:
        started["node"] = reads.start(_get, api, parsing.parse_node, api_paths.node, pod.node_name)
    for fact in ("namespace", "node"):
        found = reads.result(fact, started[fact]) if fact in started else None
        if found is not None:
            objects[fact] = found
    return {
        "pod": pod,
        "namespace": parsing.parse_namespace(objects["namespace"]) if "namespace" in objects else None,
        "node": parsing.parse_node(objects["node"]) if "node" in objects else None,
        "objects": objects,
    }


def _get(api: KubernetesApi, parse: Callable[[Any], Any], path: Callable[..., str], *names: str) -> dict[str, Any]:
    """Read one object; a name that is no Kubernetes name, or an object of another form, fails in the read's thread."""
    found = api.get(path(*names))
    parsed = of_its_types(parse(found))
    if any(isinstance(part, str) and len(part) > parsing.MOST_NAME_LETTERS for part in msgspec.structs.astuple(parsed)):
        raise ApiError(Reason.UNUSABLE_ANSWER, "a name or a UID that no object has")
    return found


def _pod(
    reads: Reads, api: KubernetesApi, read: Future[dict[str, Any]] | None, objects: dict[str, dict[str, Any]]
) -> Pod | None:
    if read is None:
        reads.missing.setdefault("pod", Reason.POD_NOT_NAMED)
        return None
    found = reads.result("pod", read)
    if found is None:
        reads.missing["pod"] = (
            Reason.TARGET_ABSENT if reads.missing["pod"] == Reason.NOT_FOUND else Reason.POD_UNREADABLE
        )
        return None
    objects["pod"] = found
    return parsing.parse_pod(found, _owners(reads, api, found, objects))


def _owners(
    reads: Reads, api: KubernetesApi, pod: dict[str, Any], objects: dict[str, dict[str, Any]]
) -> tuple[Owner, ...]:
    """The chain of controllers, nearest first: the nearest checked by UID, and each that has an owner of its own.

    One that cannot be checked is in the chain, and `missing` says so: whoever makes a pod can write any owner into it.
    """
    chain: list[Owner] = []
    owner = parsing.controller(pod)
    namespace = pod["metadata"]["namespace"]
    while owner is not None and len(chain) < MAX_OWNERS:
        chain.append(owner)
        if len(chain) > 1 and (owner.api_version, owner.kind) not in READ_OWNERS:
            break
        read = reads.result("owner", reads.start(_get_owner, api, namespace, owner))
        if read is None or read[0]["metadata"]["uid"] != owner.uid:
            reads.missing.setdefault("owner", Reason.OWNER_REPLACED)
            break
        objects[owner.kind], chain[-1], owner = read
    return tuple(chain)


def _get_owner(api: KubernetesApi, namespace: str, owner: Owner) -> tuple[dict[str, Any], Owner, Owner | None]:
    """The owner's object, what is known of it by that, and its own owner."""
    found = _get(api, parsing.parse_namespace, api_paths.owner, namespace, owner.api_version, owner.kind, owner.name)
    known = of_its_types(replace(owner, selected_by=parsing.selecting_keys(found)))
    return found, known, of_its_types(parsing.controller(found))
