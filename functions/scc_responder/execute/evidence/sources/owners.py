"""Source `owners`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.collect.run_facts import RUN_FACTS
from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, kubernetes_item, source

_NO_OWNERS = frozenset({"pod", "namespace", "node"}) | RUN_FACTS


@source(moment=Moment.BEFORE_ISOLATION, prefix="object")
def owners(given: SourceInput) -> Sequence[EvidenceItem]:
    """The controllers that own the pod, as far as they were read (ReplicaSet, then Deployment)."""
    read = sorted(item for item in given.context.objects.items() if item[0] not in _NO_OWNERS)
    return tuple(kubernetes_item(found, kind) for kind, found in read) or given.fact("owner", None)
