"""Kind of change: let a service have no instance, or as many as before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from msgspec.structs import replace

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.changes.cloud_run.shift_traffic import traffic_targets
from scc_responder.domain.cloud_run.run_objects import RunScaling, RunService, RunTraffic
from scc_responder.domain.cloud_run.service_update import update_service
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, done

SCALES_SERVICE = ChangeKind(
    permissions=iam("run.services.get", "run.services.update"), asks_person=True, disrupts=Disruption.SERVICES
)

MANUAL = "MANUAL"
AT_ZERO = RunScaling(mode=MANUAL, manual=0)


class ScaleService(Change, frozen=True, kw_only=True, tag="scale_service"):
    """Let the service at `path` with this UID have no instance, on condition that it scales as in `prior`.

    `tags` are the traffic targets with a tag that go with it: a tagged address would keep instances. `deployed` is the
    revision that was made last when it was planned. `restores` takes it back: scaling and tags are as before.
    """

    declares: ClassVar[ChangeKind] = SCALES_SERVICE

    path: str
    uid: str
    prior: RunScaling
    tags: tuple[RunTraffic, ...] = ()
    deployed: str = ""
    restores: bool = False

    @property
    def target(self) -> ChangedObject:
        """The service."""
        return ChangedObject(kind="Service", name=self.path, uid=self.uid)

    @property
    def inverse(self) -> ScaleService:
        """Mode, minimum, maximum and tags of before."""
        return replace(self, restores=not self.restores, deployed="")

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        if self.restores:
            return "it has instances again"
        return "the whole service is down: every request fails, and nothing of it calls out any more"

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Set it, and read it back."""
        return means.in_cloud_run(partial(update_service, step=step, update=self))

    def holds(self, service: RunService) -> bool:
        """See `ServiceUpdate.holds`."""
        tags = {item.tag for item in service.traffic if item.tag}
        own = {item.tag for item in self.tags}
        if self.restores:
            return _same(service.scaling, self.prior) and own <= tags
        return service.scaling.mode == MANUAL and service.scaling.manual == 0 and not own & tags

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceUpdate.refusal`."""
        before = AT_ZERO if self.restores else self.prior
        if not _same(service.scaling, before):
            return Reason.SERVICE_CHANGED
        return Reason.SERVICE_DEPLOYED if self.deployed and service.latest_created != self.deployed else None

    def fields(self, service: RunService) -> Mapping[str, Any]:
        """See `ServiceUpdate.fields`. The shares of the requests stay as they are now, whoever set them."""
        scaling = _scaling(self.prior) if self.restores else {"scalingMode": MANUAL, "manualInstanceCount": 0}
        if not self.tags:
            return {"scaling": scaling}
        own = {item.tag for item in self.tags}
        without = [replace(item, tag="") if item.tag in own else item for item in service.traffic]
        kept = [item for item in without if item.percent or item.tag]
        back = [RunTraffic(latest=item.latest, revision=item.revision, tag=item.tag) for item in self.tags]
        return {"scaling": scaling, "traffic": traffic_targets([*kept, *(back if self.restores else [])])}

    def judged(self, service: RunService, _step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceUpdate.judged`."""
        if self.restores:
            return done(reason or Reason.SCALING_RESTORED, f"scaling: {service.scaling.mode or 'as by default'}")
        told = "read back: manual scaling, 0 instances; requests that run may last until their timeout"
        return replace(done(reason or Reason.SCALED_TO_ZERO, told), containment=Containment.SCALED_TO_ZERO)


def _same(left: RunScaling, right: RunScaling) -> bool:
    """Whether both say the same: `AUTOMATIC` is the default, and what a mode does not use does not count."""
    return _scaling(left) == _scaling(right)


def _scaling(scaling: RunScaling) -> dict[str, Any]:
    named = {
        "minInstanceCount": scaling.minimum,
        "maxInstanceCount": scaling.maximum,
        "manualInstanceCount": scaling.manual if scaling.mode == MANUAL else None,
    }
    given = {name: value for name, value in named.items() if value is not None}
    return {"scalingMode": scaling.mode if scaling.mode == MANUAL else "AUTOMATIC", **given}
