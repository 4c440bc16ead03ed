"""Action `label_pod`."""

from __future__ import annotations

from scc_responder.actions import Params, Planned, Skip, action, without_pod
from scc_responder.domain.changes.patch_object import PATCHES_POD, PatchObject
from scc_responder.domain.context import Context
from scc_responder.domain.labels import case_labels
from scc_responder.domain.reasons import Reason


class LabelPodParams(Params, frozen=True, kw_only=True):
    """Labels to set, by key. Keys start with `scc-responder/` unless guardrails.yaml lists them."""

    labels: dict[str, str] = {}


@action(params=LabelPodParams, makes=[PATCHES_POD])
def label_pod(context: Context, params: LabelPodParams) -> Planned:
    """Mark the compromised pod, so that people and tools can find it.

    Two labels are always set: `scc-responder/case` with the last case on the pod, and `scc-responder/case-CASE`, one
    for each of its cases.

        then:
          - action: label_pod
            with:
              labels:
                scc-responder/threat: suspected
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    wanted = {**case_labels(context.finding.key), **params.labels}
    if wanted.items() <= pod.labels.items():
        return Skip(reason=Reason.ALREADY_LABELED)
    return [PatchObject(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid, labels=wanted)]
