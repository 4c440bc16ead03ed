"""Action `delete_revision`."""

from __future__ import annotations

from scc_responder.actions import Hold, NoParams, Planned, action, without_revision
from scc_responder.domain.changes.cloud_run.delete_revision import DELETES_REVISION, DeleteRevision, why_kept
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(params=NoParams, makes=[DELETES_REVISION], needs_identity=True, against=Countermeasure.PROCESS_TERMINATION)
def delete_revision(context: Context, _params: NoParams) -> Planned:
    """Delete the compromised revision, once no request reaches it. Its settings go too: evidence keeps them.

    It cannot be undone. Held as `revision_latest` where it is the revision that was made last, which Cloud Run does not
    let go: deploy another before. Whether requests reach it is asked right before it is deleted, since an earlier step
    may take them away: then it is held as `revision_served`. Deleting the service is a person's: the case prints the
    command.

        then:
          - action: capture_evidence
          - action: roll_back_service
          - action: delete_revision
            needs: [roll_back_service]
    """
    service, bad = context.service, context.revision
    if service is None or bad is None:
        return without_revision(context)
    if why_kept(service, bad.name) is Reason.REVISION_LATEST:
        return Hold(reason=Reason.REVISION_LATEST)
    return [DeleteRevision(path=service.name.path, uid=service.uid, revision=bad.name, revision_uid=bad.uid)]
