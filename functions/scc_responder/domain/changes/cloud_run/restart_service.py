"""Kind of change: let new instances of the same template serve, by a new revision."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec

from scc_responder.domain.changes import ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.changes.cloud_run.service_change import ServiceChange
from scc_responder.domain.changes.cloud_run.shift_traffic import reaches, same_traffic, traffic_in_words
from scc_responder.domain.cloud_run.run_names import short_name
from scc_responder.domain.cloud_run.run_objects import RunService, RunTraffic
from scc_responder.domain.cloud_run.service_update import update_service
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.permissions import RUN_OPERATION, iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, done, not_effective

RESTARTS_SERVICE = ChangeKind(
    permissions=iam(RUN_OPERATION, "run.services.get", "run.services.update"),
    reversible=False,
    disrupts=Disruption.SERVICES,
)

OWN_SUFFIX = "-scc-"
"""What stands between the service's name and 8 hex digits of the action's id in the name of a revision of ours."""

LONGEST_REVISION_NAME = 63
_DIGITS = 8


class RestartService(ServiceChange, frozen=True, kw_only=True, tag="restart_service"):
    """Let the service at `path` with this UID make a revision of its template, on condition that it serves `prior`.

    `revision`, with `revision_uid`, is the one that is served, and was made last, when it was planned: after another
    deploy it is planned anew. `tagged_images` are those of the template that a tag names. `made` is the name of the new
    revision, by which it is known for ours after a crash; empty until it is carried out.
    """

    declares: ClassVar[ChangeKind] = RESTARTS_SERVICE
    lasting: ClassVar[str] = "the instances of before do not come back"

    revision: str
    revision_uid: str
    prior: tuple[RunTraffic, ...]
    tagged_images: tuple[str, ...] = ()
    made: str = ""

    @property
    def target(self) -> ChangedObject:
        """The revision whose instances are replaced: a service may be restarted again, for another finding."""
        return ChangedObject(kind="Revision", name=f"{self.path}/revisions/{self.revision}", uid=self.revision_uid)

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        said = ["new instances of the same settings get all requests, and what the old ones hold in memory is lost"]
        said += [f"{self.revision} answers on by its tag {item.tag}" for item in self.prior if self._keeps(item)]
        said += [f"{image} is looked up anew, and may be another image by now" for image in self.tagged_images]
        return "; ".join([*said, "nothing takes it back"])

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Ask for the new revision, and read back that it serves."""
        name = own_revision(short_name(self.path), step.action_id)
        named = msgspec.structs.replace(self, made=name)
        return means.in_cloud_run(partial(update_service, step=step, update=named))

    @property
    def deployed(self) -> str:
        """See `ServiceChange.deployed`."""
        return self.revision

    def holds(self, service: RunService) -> bool:
        """See `ServiceChange.holds`."""
        return service.latest_created == self.made

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceChange.refusal`."""
        if service.latest_created != self.revision:
            return Reason.SERVICE_DEPLOYED
        if not same_traffic(service.traffic, self.prior):
            # No revision of ours is there yet, so that nobody has overridden it.
            raise RetryableError(Reason.SERVICE_CHANGED, f"{self.path}: planned anew by the next delivery")
        return None

    def fields(self, _service: RunService) -> Mapping[str, Any]:
        """See `ServiceChange.fields`."""
        return {"template.revision": self.made}

    def judged(self, service: RunService, _step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceChange.judged`."""
        served = service.traffic_statuses
        detail = f"served: {traffic_in_words(served)}"
        names = {item.revision or service.latest_ready for item in served if item.percent}
        if names != {self.made} or service.latest_ready != self.made or reaches(served, self.revision):
            return not_effective(Reason.STILL_SERVED, detail)
        # It contains nothing by itself: the new revision runs the same image.
        return done(reason or Reason.SERVICE_RESTARTED, detail)

    def _keeps(self, item: RunTraffic) -> bool:
        return item.revision == self.revision and bool(item.tag)


def own_revision(service: str, action_id: str) -> str:
    """The name of a revision that an action makes.

    >>> own_revision("checkout", "0123456789abcdef")
    'checkout-scc-01234567'
    """
    return f"{service}{OWN_SUFFIX}{action_id[:_DIGITS]}"
