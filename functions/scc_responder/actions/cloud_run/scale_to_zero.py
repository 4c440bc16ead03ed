"""Action `scale_to_zero`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, Skip, action, without_revision
from scc_responder.domain.changes.cloud_run.scale_service import SCALES_SERVICE, ScaleService
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(params=NoParams, makes=[SCALES_SERVICE], needs_identity=True, against=Countermeasure.PROCESS_TERMINATION)
def scale_to_zero(context: Context, _params: NoParams) -> Planned:
    """Let the service have no instance: it stops what the service calls itself, too, and all of its good revisions.

    Tags go in the same update, since a tagged address keeps instances. Mode, minimum, maximum and tags are kept in the
    case. A policy with this action asks a person whatever its mode is; a deploy between look and write makes the plan
    anew.

        then:
          - action: capture_evidence
          - action: scale_to_zero
    """
    service = context.service
    if service is None:
        return without_revision(context)
    change = ScaleService(
        path=service.name.path,
        uid=service.uid,
        prior=service.scaling,
        tags=tuple(item for item in service.traffic if item.tag),
        deployed=service.latest_created,
        ready=service.latest_ready,
        revision=context.revision.name if context.revision else "",
    )
    return Skip(reason=Reason.ALREADY_AT_ZERO) if change.holds(service) else [change]
