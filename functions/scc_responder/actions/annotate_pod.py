"""Action `annotate_pod`."""

from __future__ import annotations

from scc_responder.actions import Params, Planned, Skip, action, without_pod
from scc_responder.domain.changes.patch_object import PATCHES_POD, PatchObject
from scc_responder.domain.context import Context
from scc_responder.domain.labels import FINDING, THREAT
from scc_responder.domain.reasons import Reason


class AnnotatePodParams(Params, frozen=True, kw_only=True):
    """Annotations to set, by key. Keys start with `scc-responder/` unless guardrails.yaml lists them."""

    annotations: dict[str, str] = {}


@action(params=AnnotatePodParams, makes=[PATCHES_POD])
def annotate_pod(context: Context, params: AnnotatePodParams) -> Planned:
    """Note on the pod which finding it is about, and whatever else the policy says.

    The annotations `scc-responder/finding` and `scc-responder/threat` are always set.

        then:
          - action: annotate_pod
            with:
              annotations:
                scc-responder/runbook: https://example.com/runbooks/added-binary
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    finding = {FINDING: context.finding.canonical_name, THREAT: context.threat.name}
    wanted = {**finding, **params.annotations}
    if wanted.items() <= pod.annotations.items():
        return Skip(reason=Reason.ALREADY_ANNOTATED)
    return [PatchObject(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid, annotations=wanted)]
