"""The only things that are ever done to the world. Actions plan them, `execute` carries them out.

Each is one conditional request, bound to the UID that was read, and carries its action's id as a marker.
"""

from __future__ import annotations

from typing import Any

from scc_responder.domain.labels import ACTION_ID
from scc_responder.domain.value import Value


class PatchObject(Value, frozen=True, kw_only=True, tag="patch", tag_field="change"):
    """Merge labels, annotations or `spec` fields into one object, on condition of its UID.

    `kind` is Pod or Node. `marker` names the annotation that carries the action id. `versioned` adds the resource
    version that was read to the condition.
    """

    kind: str
    name: str
    uid: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    spec: dict[str, Any] = {}
    marker: str = ACTION_ID
    versioned: bool = False


class CreateNetworkPolicy(Value, frozen=True, kw_only=True, tag="create_network_policy", tag_field="change"):
    """Create a deny-all NetworkPolicy for the one pod that carries `selector`.

    `effective` is what the cluster can make of it: `enforced`, `not_enforced` (no dataplane, host network), `unknown`.
    """

    namespace: str
    name: str
    pod_name: str
    pod_uid: str
    selector: dict[str, str]
    effective: str


class DeletePod(Value, frozen=True, kw_only=True, tag="delete_pod", tag_field="change"):
    """Delete the pod with this UID, at the resource version that carries our arming annotation.

    `allow_last_replica`: even if no ready pod of its workload is left then.
    """

    namespace: str
    name: str
    uid: str
    grace_period_seconds: int | None = None
    allow_last_replica: bool = False


class CaptureEvidence(Value, frozen=True, kw_only=True, tag="capture_evidence", tag_field="change"):
    """Store what was read, and the pod's events, as create-only objects with a SHA-256 manifest."""

    namespace: str = ""
    pod_name: str = ""
    pod_uid: str = ""


class PublishDecision(Value, frozen=True, kw_only=True, tag="notify", tag_field="change"):
    """Publish the decision and the outcomes so far to the outcome topic."""


Change = PatchObject | CreateNetworkPolicy | DeletePod | CaptureEvidence | PublishDecision
