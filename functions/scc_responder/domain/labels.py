"""The labels and annotations by which the responder's work is recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from scc_responder.domain.finding import case_id
from scc_responder.domain.text import LatePattern

PREFIX = "scc-responder/"
"""Every label and annotation the responder writes starts with this; the only place it is spelt."""

CASE_LABEL = PREFIX + "case"
"""The case that marked the object last."""
EACH_CASE = CASE_LABEL + "-"
"""Before a case's short name: one label for each case that marked the object, so that none takes another's away."""
ISOLATED_POD = PREFIX + "isolated-pod"
"""What a NetworkPolicy selects its pod by. No mark writes it."""
POD_LABEL = PREFIX + "pod-uid"
"""What version 0.1.0 used instead: marks wrote it too. Used where only its admission policy is applied."""
FINDING = PREFIX + "finding"
THREAT = PREFIX + "threat"
PRIOR_UNSCHEDULABLE = PREFIX + "prior-unschedulable"
RELEASE_AFTER = PREFIX + "release-after"
"""An annotation of a cordoned node: after this time, such as `24h`, people or a scheduler may uncordon it."""
ARMED_BY = PREFIX + "armed-by"
"""A label whose value is the action's id; version 0.1.0 wrote an annotation."""
ACTION_ID = PREFIX + "action-id"
DETACHED = PREFIX + "detached"
"""An annotation: the labels that were taken away from a pod, as JSON (`{"app":"web"}`), for who puts them back."""

_OWN = frozenset({DETACHED, CASE_LABEL, ISOLATED_POD, POD_LABEL, ARMED_BY, ACTION_ID, FINDING, PRIOR_UNSCHEDULABLE})
_KEY = LatePattern(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = LatePattern(rf"(?:{_KEY.pattern})?")


def case_labels(finding_key: str) -> dict[str, str]:
    """The labels by which people find the pod of a case: one of its own, and the one that names the last case."""
    case = case_id(finding_key)
    return {CASE_LABEL: case, EACH_CASE + case: ""}


class RefusedParameter(NamedTuple):
    """What is not allowed in the parameters of a step: of which of them, and a sentence for the policy's author."""

    field: str
    sentence: str


def isolating_label(pod_uid: str) -> dict[str, str]:
    """The label by which a NetworkPolicy selects this one pod: the same for every finding on it.

    Its value is known only once the pod is made, so no template can put it on a pod's siblings.
    """
    return {ISOLATED_POD: pod_uid}


def without_own(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels without those that the responder sets of itself."""
    return {key: value for key, value in labels.items() if not _is_own(key)}


def _is_own(key: str) -> bool:
    return key in _OWN or key.startswith(EACH_CASE)


def refused_keys(
    wanted: Mapping[str, str], allowed: Iterable[str], field: str, own: Iterable[str] = ()
) -> RefusedParameter | None:
    """Which of the keys may not be written, for the policy's author; None if all may.

    Keys that the responder writes itself (`scc-responder/case`, `.../armed-by`, and those in `own`) are refused too.
    """
    listed, reserved = set(allowed), set(own)
    for key in wanted:
        if key in reserved or _is_own(key):
            return RefusedParameter(field, f"{key!r} is written by the responder itself; choose another key")
        if not key.startswith(PREFIX) and key not in listed:
            return RefusedParameter(
                field, f"{key!r} does not start with {PREFIX!r}; rename it, or list it in guardrails.yaml"
            )
        if not _KEY.fullmatch(key.rpartition("/")[2]):
            return RefusedParameter(
                field, f"{key!r} is no key that Kubernetes accepts; use letters, digits, '-', '_' and '.'"
            )
    return None


def refused_values(labels: Mapping[str, str]) -> RefusedParameter | None:
    """Which label's value Kubernetes would refuse, for the policy's author; None if none."""
    for key, value in labels.items():
        if not _LABEL_VALUE.fullmatch(value):
            return RefusedParameter(
                "labels", f"{key!r}: {value!r} is no label value; use at most 63 letters, digits, '-', '_' and '.'"
            )
    return None
