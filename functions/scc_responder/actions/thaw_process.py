"""Action `thaw_process`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action, in_named_container
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.thaw_process import THAWS_PROCESS, ThawProcess
from scc_responder.domain.context import Context


@action(params=NoParams, makes=[THAWS_PROCESS], needs_identity=True, against=Countermeasure.RESTORE_OBJECT)
def thaw_process(context: Context, _params: NoParams) -> Planned:
    """Let the processes go on that `freeze_process` stopped for the same finding: its undo.

    It belongs into a policy of its own in mode `approve`: then it waits until a person asks for it. In one policy with
    `freeze_process`, as here, it tries both out.

        then:
          - action: freeze_process
          - action: thaw_process
    """
    return in_named_container(
        context,
        lambda pod, container: ThawProcess(namespace=pod.namespace, name=pod.name, uid=pod.uid, container=container),
    )
