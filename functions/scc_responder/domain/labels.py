"""The labels and annotations by which the responder's work is recognised."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.finding import case_id

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


def case_labels(finding_key: str) -> dict[str, str]:
    """The labels by which people find the pod of a case: one of its own, and the one that names the last case."""
    case = case_id(finding_key)
    return {CASE_LABEL: case, EACH_CASE + case: ""}


def isolating_label(pod_uid: str) -> dict[str, str]:
    """The label by which a NetworkPolicy selects this one pod: the same for every finding on it.

    Its value is known only once the pod is made, so no template can put it on a pod's siblings.
    """
    return {ISOLATED_POD: pod_uid}


def without_own(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels without those that the responder sets of itself."""
    return {key: value for key, value in labels.items() if not is_own_key(key)}


def is_own_key(key: str) -> bool:
    """Whether the responder writes this key of itself, so that no policy may."""
    return key in _OWN or key.startswith(EACH_CASE)
