"""Which other cases a pod has, by its labels and by the NetworkPolicies that isolate it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import case_id
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.labels import EACH_CASE, ISOLATED_POD, POD_LABEL
from scc_responder.domain.ports import KubernetesApi
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Unreadable
from scc_responder.journal.step import Step

_POLICY = re.compile(r"scc-responder-([0-9a-f]{12})-[0-9a-f]{8}", re.ASCII)
_CASE = re.compile(r"[0-9a-f]{12}", re.ASCII)


@dataclass(kw_only=True, slots=True)
class PodCases:
    """The records of the other cases by their keys, and the cases whose records cannot be read.

    `foreign` are the UIDs of pods that such a case isolates, or one that this store does not have.
    """

    records: dict[str, CaseRecord] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)


def pod_cases(api: KubernetesApi, journal: Journal, record: CaseRecord, steps: Iterable[Step]) -> PodCases:
    """The other cases of the pods that these steps changed. At most three requests for each pod; raises ApiError."""
    found, own = PodCases(), case_id(record.finding_key)
    for namespace, name, uid in sorted({place for step in steps if (place := _pod_of(step))}):
        isolating = {*_isolating(api, namespace, uid)}
        for case in ({*_marking(api, namespace, name, uid)} | isolating) - {own}:
            if not _found(journal, case, found) and case in isolating:
                found.foreign.add(uid)
    return found


def _found(journal: Journal, case: str, found: PodCases) -> bool:
    """Whether the case can be read; it is among what was `found` then. A damaged record stops no other case."""
    key = journal.find(case)
    try:
        other = journal.read(key) if key else None
    except RetryableError as error:
        found.unreadable.append(Unreadable(finding_key=key or case, reason=error.reason, why=str(error)))
        return False
    if key and other:
        found.records[key] = other
    return other is not None


def _pod_of(step: Step) -> tuple[str, str, str] | None:
    change = step.change
    name, is_pod = change.get("pod_name") or change.get("name"), change.get("kind", "Pod") == "Pod"
    namespace = change.get("namespace")
    return (namespace, name, step.expected_uid) if is_pod and namespace and name else None


def _isolating(api: KubernetesApi, namespace: str, uid: str) -> Iterator[str]:
    for label in (ISOLATED_POD, POD_LABEL):
        for policy in api.list(api_paths.network_policies(namespace), label_selector=f"{label}={uid}"):
            if match := _POLICY.fullmatch(policy["metadata"]["name"]):
                yield match[1]


def _marking(api: KubernetesApi, namespace: str, name: str, uid: str) -> Iterator[str]:
    try:
        meta = api.get(api_paths.pod(namespace, name))["metadata"]
    except ApiError as error:
        if error.status == 404:
            return
        raise
    keys = meta.get("labels") or {} if meta["uid"] == uid else {}
    yield from (key.removeprefix(EACH_CASE) for key in keys if _CASE.fullmatch(key.removeprefix(EACH_CASE)))
