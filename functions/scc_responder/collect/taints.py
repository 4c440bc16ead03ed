"""Whether a node's taints keep a pod away. Pure.

Source: core/v1 Taint and Toleration; k8s.io/component-helpers/scheduling/corev1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scc_responder.domain.ports import ApiObject

_KEEPS_AWAY = frozenset({"NoSchedule", "NoExecute"})


def is_kept_away(node: ApiObject, tolerations: Iterable[ApiObject]) -> bool:
    """Whether the node has a taint that no toleration is for."""
    tolerations = tuple(tolerations)
    taints = (taint for taint in _taints(node) if taint.get("effect") in _KEEPS_AWAY)
    return not all(any(_tolerates(each, taint) for each in tolerations) for taint in taints)


def tolerations_of(pod: ApiObject | None, node: ApiObject | None) -> Sequence[ApiObject]:
    """What the pod tolerates; where none was read, the taints of its node, which the node's pods tolerate."""
    if pod is not None:
        found: Sequence[ApiObject] = pod.get("spec", {}).get("tolerations") or ()
        return found
    return [{**taint, "operator": "Equal"} for taint in _taints(node or {})]


def _taints(node: ApiObject) -> Sequence[ApiObject]:
    taints: Sequence[ApiObject] = node.get("spec", {}).get("taints") or ()
    return taints


def _tolerates(toleration: ApiObject, taint: ApiObject) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    operator, key = toleration.get("operator") or "Equal", toleration.get("key", "")
    if operator == "Exists":
        return key in {"", taint["key"]}
    return operator == "Equal" and key == taint["key"] and toleration.get("value", "") == taint.get("value", "")
