"""Action `capture_evidence`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE, CaptureEvidence
from scc_responder.domain.context import Context


@action(params=NoParams, makes=[CAPTURES_EVIDENCE])
def capture_evidence(context: Context, _params: NoParams) -> Planned:
    """Store the finding, related findings, pod, owner, node, namespace and the pod's events, before they are gone.

    Objects are create-only and listed with their SHA-256 in a manifest.

        then:
          - action: capture_evidence
    """
    pod = context.pod
    if pod is None:
        return [CaptureEvidence()]
    return [CaptureEvidence(namespace=pod.namespace, pod_name=pod.name, pod_uid=pod.uid)]
