"""Action `sever_connections`."""

from __future__ import annotations

from scc_responder.actions import Hold, NoParams, Planned, action, without_pod
from scc_responder.actions.isolate_pod import isolation
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.sever_connections import SEVERS_CONNECTIONS, SeverConnections
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(
    params=NoParams, makes=[SEVERS_CONNECTIONS], needs_identity=True, against=Countermeasure.NETWORK_TRAFFIC_FILTERING
)
def sever_connections(context: Context, _params: NoParams) -> Planned:
    """End every established connection of the pod: `isolate_pod`, which comes before, stops new ones alone.

    A container of the collector is put into the pod, with a process namespace of its own and `NET_ADMIN` alone. It ends
    every socket that is connected to another host, and looks again. The outcome is `severed` only where none is left,
    and the isolation holds; else it says what is left. A pod on its node's network is held: there, `freeze_process`
    ends the connections of the malicious processes alone.

        then:
          - action: isolate_pod
          - action: sever_connections
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    if pod.host_network:
        return Hold(reason=Reason.HOST_NETWORK)
    return [SeverConnections(isolation=isolation(context, pod))]
