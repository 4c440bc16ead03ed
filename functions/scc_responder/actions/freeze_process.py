"""Action `freeze_process`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action, in_named_container
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.freeze_process import FREEZES_PROCESS, FreezeProcess
from scc_responder.domain.context import Context, Pod
from scc_responder.domain.kubernetes.wanted_processes import look_request


@action(params=NoParams, makes=[FREEZES_PROCESS], needs_identity=True, against=Countermeasure.PROCESS_SUSPENSION)
def freeze_process(context: Context, _params: NoParams) -> Planned:
    """Stop the finding's processes and their children, in its container: they keep their memory, and do nothing.

    A container of the collector finds them by the hash, the path and the arguments that the finding names, and reads
    back that they stand. The first process of a container cannot be stopped. Where a probe would restart the container,
    the workload's own process is left alone. On the node's network the connections of these processes are ended too.
    `thaw_process` undoes it.

        then:
          - action: isolate_pod
          - action: sever_connections
          - action: freeze_process
    """

    def stop(pod: Pod, container: str) -> FreezeProcess:
        return FreezeProcess(
            namespace=pod.namespace,
            name=pod.name,
            uid=pod.uid,
            container=container,
            request=look_request(context.finding, pod, container),
            host_network=pod.host_network,
        )

    return in_named_container(context, stop)
