"""Action `inspect_container`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action, in_named_container
from scc_responder.domain.changes.inspect_container import INSPECTS_CONTAINER, InspectContainer
from scc_responder.domain.context import Context, Pod
from scc_responder.domain.kubernetes.wanted_processes import look_request


@action(params=NoParams, makes=[INSPECTS_CONTAINER], needs_identity=True)
def inspect_container(context: Context, _params: NoParams) -> Planned:
    """Look into the finding's container: processes, sockets, mounts, changed files, packages, and its own files.

    A container of ours is put in beside it, from the image of `SCC_RESPONDER_COLLECTOR`; nothing of the workload is
    run. What it reads is kept as evidence, also the finding's binary, script and libraries as they are. After it,
    conditions know `artefact` and `compiler`, and are asked once more.

        then:
          - action: inspect_container
    """

    def look(pod: Pod, container: str) -> InspectContainer:
        asked = look_request(context.finding, pod, container)
        return InspectContainer(namespace=pod.namespace, name=pod.name, uid=pod.uid, container=container, request=asked)

    return in_named_container(context, look)
