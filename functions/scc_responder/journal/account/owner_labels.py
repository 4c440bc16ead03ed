"""The labels and annotations by which people say who owns something, and what a notice is about. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.context import Context
from scc_responder.domain.notices.notice import NoticeSubject

_OWNER_KEYS = frozenset({"team", "owner", "owners", "contact", "squad", "on-call", "oncall", "slack", "cost-center"})
"""Keys, after a prefix such as `example.com/`."""
_MOST, _LONGEST = 16, 100


def owner_labels(context: Context) -> Iterator[tuple[str, str, str]]:
    """Key, value and place of labels and annotations that name an owner, those nearest to the target first."""
    named = {"pod": context.pod, "namespace": context.namespace, "cluster": context.cluster}
    for place, found in (named | {"Cloud Run": context.run_owner}).items():
        for key, value in (*found.labels.items(), *getattr(found, "annotations", {}).items()) if found else ():
            if key.rpartition("/")[2].lower() in _OWNER_KEYS:
                yield key, value, place


def subject_of(context: Context) -> NoticeSubject:
    """What routes are chosen by. A text that is too long to be an owner's name is none."""
    finding, pod = context.finding, context.pod
    owners = dict.fromkeys(value for _, value, _ in owner_labels(context) if len(value) <= _LONGEST)
    namespaces = {pod.namespace} if pod else {named.namespace for named in finding.pods}
    return NoticeSubject(
        cluster=finding.place,
        namespace=namespaces.pop() if len(namespaces) == 1 else "",
        severity=finding.severity,
        owners=tuple(owners)[:_MOST],
    )
