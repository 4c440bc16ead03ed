"""Action `capture_cloud_logs`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action
from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS, CaptureCloudLogs
from scc_responder.domain.context import Context


@action(params=NoParams, makes=[CAPTURES_CLOUD_LOGS])
def capture_cloud_logs(context: Context, _params: NoParams) -> Planned:
    """Store what Cloud Logging has: of the pod and its node, who changed or entered the workload, what the pod's
    identity did.

    It sends two requests. Entries arrive late, so a sweep asks again after five minutes and adds what it gets.

        then:
          - action: capture_cloud_logs
    """
    pod = context.pod
    if pod is None:
        return [CaptureCloudLogs()]
    return [CaptureCloudLogs(namespace=pod.namespace, pod_name=pod.name, pod_uid=pod.uid)]
