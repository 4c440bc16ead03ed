"""Whether a disruption takes the last pod of a workload that serves, and whether a person has to approve that."""

from __future__ import annotations

from scc_responder.domain.context import Context
from scc_responder.guard.protected import workload_reason
from scc_responder.policy.guardrails import Guardrails

KEEP_SERVING = "keep_serving"
"""The name of this ceiling in a decision: `mode_lowered_by:keep_serving`."""


def keeps_serving(context: Context, guardrails: Guardrails) -> bool:
    """Whether the guardrails name the pod's workload, or may name it: an owner that was not read may be any."""
    return context.pod is not None and workload_reason(context, guardrails.keep_serving) is not None


def is_last_serving(context: Context, cut: int) -> bool | None:
    """Whether no other pod of the workload is ready and not cut off; None where nobody counts them.

    `cut` are its other pods that were isolated: most of them stay ready.
    """
    workload, pod = context.live.workload if context.live else None, context.pod
    if pod is not None and pod.ready is False:
        return False
    return None if workload is None or workload.ready is None else workload.ready - cut <= 1
