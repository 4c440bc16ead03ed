"""Read what a policy's `condition` asks for, and nothing else needs before a decision: side by side, each fact once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from scc_responder.collect.live import live_parts, owner_object
from scc_responder.collect.target import Collected
from scc_responder.domain.asked_facts import AskedFact, WorkloadObject
from scc_responder.domain.context import Context, LiveLook, Owner, Pod
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.intake.related_findings import project_number

GOOGLE_ACCOUNT = "iam.gke.io/gcp-service-account"
"""The annotation of a service account that acts as one of Google Cloud. Source: GKE, "Workload Identity Federation"."""

_PRINCIPAL = "principal://iam.googleapis.com/projects/{}/locations/global/workloadIdentityPools/{}/subject/ns/{}/sa/{}"
_OF_OWNERS = frozenset({AskedFact.LIVE_WORKLOAD, AskedFact.WORKLOAD_OBJECT})
_LIVE = frozenset({AskedFact.LIVE_WORKLOAD, AskedFact.LIVE_BUDGETS})


class _Asked(NamedTuple):
    """What is read through, and what of."""

    api: KubernetesApi
    context: Context
    pod: Pod


def read_asked(context: Context, collected: Collected, asked: frozenset[AskedFact]) -> Context:
    """The context with these facts, but for those that it has, or that could not be read before.

    Never raises for what cannot be read: it is missing, with its reason.
    """
    wanted = [fact for fact in AskedFact if fact in asked and not _was_read(context, fact)]
    if collected.api is None or not wanted:
        return context
    told = {fact: why for fact in wanted if (why := _why_not(context, fact))}
    reads = collected.reads
    seen: dict[AskedFact, Any] = {}
    if context.pod is not None:
        # The workload last: where its object is asked for too, it is in that one.
        turns: list[list[AskedFact]] = [
            [fact for fact in wanted if fact is not AskedFact.LIVE_WORKLOAD],
            [AskedFact.LIVE_WORKLOAD],
        ]
        for turn in turns:
            known = _Asked(collected.api, _with_object(context, seen), context.pod)
            started = {fact: reads.start(_READ[fact], known) for fact in turn if fact in wanted and fact not in told}
            seen |= {fact: reads.result(fact.key, future) for fact, future in started.items()}
    reasons = {fact.key: why for fact, why in told.items()}
    missing = context.missing | reasons | reads.missing
    told_of = _with_facts(_with_object(context, seen), {fact: seen.get(fact) for fact in wanted})
    return replace(told_of, missing=missing, refused=reads.refused)


def _was_read(context: Context, fact: AskedFact) -> bool:
    """Whether the fact is known, or it is known why not."""
    of = context.live if fact in _LIVE else context
    return getattr(of, fact.key, None) is not None or fact.key in context.missing


def _why_not(context: Context, fact: AskedFact) -> str:
    """Why nothing can be read of the fact: of what it is about too little is known."""
    if context.pod is None:
        return context.missing.get("pod", Reason.POD_NOT_NAMED)
    if fact not in _OF_OWNERS:
        return ""
    return context.missing.get("owner", "" if context.pod.owners else Reason.POD_STANDALONE)


def _workload_object(known: _Asked) -> tuple[Owner, ApiObject]:
    """The topmost owner, as it is. Raises ApiError, also for one that is no workload kind of Kubernetes itself."""
    top = known.pod.owners[-1]
    kept = known.context.objects.get(top.kind)
    if kept is not None and kept["metadata"]["uid"] == top.uid:
        return top, kept
    return top, owner_object(known.api, known.pod.namespace, top)


def _google_identity(known: _Asked) -> str:
    """Whom the pod's service account is in Google Cloud: as annotated, or by its own name in the cluster's pool."""
    cluster, pod = known.context.cluster, known.pod
    pool = cluster.workload_pool if cluster else None
    if pod.host_network or pool == "":
        raise ApiError(Reason.ACTS_AS_NODE, "the pod acts in Google Cloud as its node does")
    account = pod.service_account or "default"
    read = known.api.get(api_paths.service_account(pod.namespace, account))
    named = (read["metadata"].get("annotations") or {}).get(GOOGLE_ACCOUNT)
    number = project_number(known.context.finding)
    if named:
        return str(named)
    if not number or cluster is None or pool != f"{cluster.ref.project}.svc.id.goog":
        raise ApiError(Reason.WORKLOAD_POOL_NOT_KNOWN, "nothing says which project's pool the identity is in")
    return _PRINCIPAL.format(number, pool, pod.namespace, account)


_READ: Mapping[AskedFact, Callable[[_Asked], Any]] = {
    AskedFact.LIVE_WORKLOAD: lambda known: live_parts(*known)["workload"](),
    AskedFact.LIVE_BUDGETS: lambda known: live_parts(*known)["budgets"](),
    AskedFact.WORKLOAD_OBJECT: _workload_object,
    AskedFact.GOOGLE_IDENTITY: _google_identity,
}


def _with_object(context: Context, seen: Mapping[AskedFact, Any]) -> Context:
    """The context with the topmost owner as it was read, where it was: nobody has to read it again."""
    found = seen.get(AskedFact.WORKLOAD_OBJECT)
    if found is None:
        return context
    top, item = found
    meta = item["metadata"]
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    known = WorkloadObject(kind=top.kind, name=top.name, labels=labels, annotations=annotations)
    return replace(context, workload_object=known, objects={**context.objects, top.kind: item})


def _with_facts(context: Context, seen: Mapping[AskedFact, Any]) -> Context:
    live = {fact.key: value for fact, value in seen.items() if fact in _LIVE}
    identity = seen.get(AskedFact.GOOGLE_IDENTITY) or context.google_identity
    of_live = replace(context.live or LiveLook(), **live) if live else context.live
    return replace(context, live=of_live, google_identity=identity)
