"""Who owns a target, as far as what is read already says it, and what routes are chosen by. Pure.

A tenant can write labels and annotations: they choose among the names of routes. Addresses come of the finding's
contacts, which Google reads from Essential Contacts, and of Essential Contacts itself where it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from scc_responder.domain.context import Context, Pod
from scc_responder.domain.notices.notice import NoticeSubject
from scc_responder.domain.notices.routed_notice import MAIL_ADDRESS, mailbox
from scc_responder.journal.account.incident_keys import incident_keys

_OWNER_KEYS = frozenset({"team", "owner", "owners", "contact", "squad", "on-call", "oncall", "slack", "cost-center"})
"""Keys, after a prefix such as `example.com/`."""
_CHANGES = frozenset({"create", "patch", "update"})
_MOST, _LONGEST = 16, 100


def owner_labels(context: Context) -> tuple[tuple[str, str, str], ...]:
    """Key, value and place of labels and annotations that name an owner, those nearest to the target first.

    Sixteen at most. The places take turns: whoever writes many into one place leaves the others theirs.
    """
    by_place = [
        [(key, str(value), place) for key, value in pairs if key.rpartition("/")[2].lower() in _OWNER_KEYS]
        for place, pairs in _places(context)
    ]
    in_turns = sorted((turn, place) for place, words in enumerate(by_place) for turn in range(len(words)))[:_MOST]
    return tuple(by_place[place][turn] for place, turn in sorted((place, turn) for turn, place in in_turns))


def subject_of(context: Context) -> NoticeSubject:
    """What routes and threads are chosen by. A text that is too long to be an owner's name is none."""
    finding, pod, actors = context.finding, context.pod, actors_of(context)
    owners = dict.fromkeys(value for _, value, _ in owner_labels(context) if len(value) <= _LONGEST)
    namespaces = {pod.namespace} if pod else {named.namespace for named in finding.pods}
    told = (address for address in finding.contacts if MAIL_ADDRESS.fullmatch(address))
    return NoticeSubject(
        cluster=finding.place,
        namespace=namespaces.pop() if len(namespaces) == 1 else "",
        severity=finding.severity,
        owners=tuple(owners),
        contacts=tuple(dict.fromkeys(address for address in told if mailbox(address) not in actors))[:_MOST],
        actors=actors,
        surface=context.threat.surface,
        event_time=finding.event_time,
        about=incident_keys(context),
    )


def deployer(context: Context) -> str:
    """Who changed last what the target is run by, as far as what was read says it; no request is made for it.

    Of Cloud Run it is whom Google names. In a cluster it is the principal of a finding about a change of the topmost
    owner, such as the Deployment. Else it is who manages the fields of its spec: a program's word for itself.
    """
    run, pod, finding = context.run_owner, context.pod, context.finding
    if run or pod is None or not pod.owners:
        return run.last_modifier or run.creator if run else ""
    top = pod.owners[-1]
    about = ((item.kind, item.namespace, item.name) for item in finding.objects)
    if (top.kind, pod.namespace, top.name) in about and finding.method_name.rpartition(".")[2] in _CHANGES:
        return finding.principal or finding.principal_subject
    read = context.objects.get(top.kind, {}).get("metadata", {})
    return _manager(read.get("managedFields") or []) if read.get("uid") == top.uid else ""


def _manager(managed: Iterable[Mapping[str, Any]]) -> str:
    """Who changed a spec last; what only scales it, or says how it stands, is another part of the object."""
    of_spec = [entry for entry in managed if "f:spec" in entry.get("fieldsV1", {}) and not entry.get("subresource")]
    last = max(of_spec, key=lambda entry: str(entry.get("time", "")), default=None)
    return f"{last.get('manager', '')} (field manager, {last.get('time', '')})" if last else ""


def actors_of(context: Context) -> tuple[str, ...]:
    """The mailboxes of who did what the finding is about.

    Only the principal counts, whom Google knows. Whom a binding names does not: an attacker writes it, and would
    silence a contact so.
    """
    finding = context.finding
    named = unquote(f"{finding.principal} {finding.principal_subject}")
    return tuple(dict.fromkeys(map(mailbox, MAIL_ADDRESS.compiled.findall(named))))


def _places(context: Context) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Each place where people write of a target, the nearest first, and the pairs that are there."""
    if pod := context.pod:
        yield "pod", _pairs(pod.labels, pod.annotations)
        yield "workload", _workload(context, pod)
    if space := context.namespace:
        yield "namespace", _pairs(space.labels, space.annotations)
    if cluster := context.cluster:
        yield "cluster", _pairs(cluster.labels)
    if run := context.run_owner:
        yield "Cloud Run", _pairs(run.labels, run.annotations)


def _workload(context: Context, pod: Pod) -> list[tuple[str, Any]]:
    """What the topmost owner says that was read, such as the Deployment: no request is made for it."""
    for owner in reversed(pod.owners):
        read = context.objects.get(owner.kind, {}).get("metadata", {})
        if read.get("uid") == owner.uid:
            return _pairs(read.get("labels"), read.get("annotations"))
    known = context.workload_object
    return _pairs(known.labels, known.annotations) if known else []


def _pairs(*written: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return [pair for pairs in written for pair in (pairs or {}).items()]
