"""Action `capture_logs`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, Skip, action
from scc_responder.domain.changes.capture_logs import CAPTURES_LOGS, CaptureLogs
from scc_responder.domain.context import Context


@action(params=NoParams, makes=[CAPTURES_LOGS])
def capture_logs(context: Context, _params: NoParams) -> Planned:
    """Store the logs of all the pod's containers, and of the run before where one was restarted.

    Of each log the last lines are kept, at most 4 MiB, and at most 16 MiB of a pod. They go with the pod, so ask for
    them before it is deleted. Known secrets are left out; what else users and programs wrote is kept.

        then:
          - action: capture_logs
    """
    pod = context.pod
    if pod is None:
        return Skip(reason=context.pod_missing)
    return [CaptureLogs(namespace=pod.namespace, pod_name=pod.name, pod_uid=pod.uid)]
