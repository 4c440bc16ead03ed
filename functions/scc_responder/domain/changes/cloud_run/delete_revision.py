"""Kind of change: delete one revision of a service that gets no request."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import msgspec

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.cloud_run.child_end import EndRun, end_child
from scc_responder.domain.cloud_run.run_objects import RunRevision, RunService
from scc_responder.domain.cloud_run.run_reads import RunOperation
from scc_responder.domain.cloud_run.service_update import read_service
from scc_responder.domain.permissions import RUN_OPERATION, iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, done, target_gone

DELETES_REVISION = ChangeKind(
    permissions=iam(RUN_OPERATION, "run.revisions.delete", "run.revisions.get", "run.services.get"),
    reversible=False,
    disrupts=Disruption.SERVICES,
)


class DeleteRevision(Change, frozen=True, kw_only=True, tag="delete_revision"):
    """Delete the revision with `revision_uid`, of the service at `path` with this UID. It is never undone.

    Only one that gets no request, by share or by tag, and is not the latest. That is asked right before the request: an
    earlier step of the same case may be what takes its requests away.
    """

    declares: ClassVar[ChangeKind] = DELETES_REVISION
    lasting: ClassVar[str] = "a deleted revision does not come back; deploy its image again"

    path: str
    uid: str
    revision: str
    revision_uid: str

    @property
    def target(self) -> ChangedObject:
        """The revision."""
        return ChangedObject(kind="Revision", name=f"{self.path}/revisions/{self.revision}", uid=self.revision_uid)

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        return f"{self.revision} goes with its settings, which evidence keeps; nobody can give requests to it again"

    @property
    def would(self) -> Reason:
        """See `ChildEnd.would`."""
        return Reason.WOULD_DELETE_REVISION

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Delete it, and see it go."""
        return means.in_cloud_run(partial(end_child, step=step, end=self))

    def read(self, run: EndRun) -> RunRevision:
        """See `ChildEnd.read`."""
        return run.session.api.get_revision(run.name, self.revision).value

    def judged(self, run: EndRun, revision: RunRevision | None) -> Result | None:
        """See `ChildEnd.judged`."""
        if revision is not None:
            is_other = revision.uid != self.revision_uid
            return Result(status=StepStatus.TARGET_REPLACED, reason=Reason.TARGET_REPLACED) if is_other else None
        if not run.sent:
            return target_gone()
        result = done(Reason.REVISION_DELETED, f"to delete the service itself: {run.name.deletion}")
        return msgspec.structs.replace(result, containment=Containment.RETIRED, contained_at=run.step.clock())

    def is_ending(self, revision: RunRevision) -> bool:
        """See `ChildEnd.is_ending`."""
        return revision.delete_time is not None

    def refusal(self, run: EndRun) -> Result | None:
        """See `ChildEnd.refusal`."""
        service = read_service(run.session, run.name, self.uid)
        if isinstance(service, Result):
            return service
        reason = why_kept(service, self.revision)
        return Result(status=StepStatus.HELD, reason=reason) if reason else None

    def send(self, run: EndRun, etag: str) -> RunOperation:
        """See `ChildEnd.send`."""
        api, is_rehearsed = run.session.api, run.step.dry_run
        return api.delete_revision(run.name, self.revision, etag=etag, validate_only=is_rehearsed)


def why_kept(service: RunService, revision: str) -> Reason | None:
    """Why Cloud Run would not let the revision be deleted now: `revision_latest`, `revision_served`."""
    if revision in {service.latest_created, service.latest_ready}:
        return Reason.REVISION_LATEST
    is_named = any(item.revision == revision for item in (*service.traffic, *service.traffic_statuses))
    return Reason.REVISION_SERVED if is_named else None
