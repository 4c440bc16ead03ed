"""Kind of change: let a service have no instance, or as many as before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from scc_responder.domain.changes import ChangeKind, Disruption, StepRun
from scc_responder.domain.changes.cloud_run.service_change import ServiceChange
from scc_responder.domain.changes.cloud_run.shift_traffic import resolved_traffic, traffic_targets
from scc_responder.domain.cloud_run.run_objects import RunScaling, RunService, RunTraffic
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, done

SCALES_SERVICE = ChangeKind(
    permissions=iam("run.services.get", "run.services.update"), asks_person=True, disrupts=Disruption.SERVICES
)

MANUAL = "MANUAL"
AT_ZERO = RunScaling(mode=MANUAL, manual=0)


class ScaleService(ServiceChange, frozen=True, kw_only=True, tag="scale_service"):
    """Let the service at `path` with this UID have no instance, on condition that it scales as in `prior`.

    All tags go with it: a tagged address would keep instances. `tags` are the traffic targets that had one when it was
    planned. `deployed` and `ready` are the revisions that were made last, and ready last, by then. `revision` is the
    compromised one. `restores` takes it back: scaling is as before, and so are the tags that nobody has given away
    since, but those of the compromised revision while it gets no request.
    """

    declares: ClassVar[ChangeKind] = SCALES_SERVICE

    prior: RunScaling
    tags: tuple[RunTraffic, ...] = ()
    deployed: str = ""
    ready: str = ""
    revision: str = ""
    restores: bool = False

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        if self.restores:
            return "it has instances again"
        return "the whole service is down: every request fails, and nothing of it calls out any more"

    def holds(self, service: RunService) -> bool:
        """See `ServiceChange.holds`."""
        if self.restores:
            return _same(service.scaling, self.prior) and not self._back(service)
        return _same(service.scaling, AT_ZERO) and not any(item.tag for item in service.traffic)

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceChange.refusal`. What scales is all that counts: tags go as they are then."""
        is_zero = _same(service.scaling, AT_ZERO)
        if not (is_zero if self.restores else is_zero or _same(service.scaling, self.prior)):
            return Reason.SERVICE_CHANGED
        as_planned = self.deployed, self.ready
        has_deployed = bool(self.deployed) and (service.latest_created, service.latest_ready) != as_planned
        return Reason.SERVICE_DEPLOYED if has_deployed else None

    def fields(self, service: RunService) -> Mapping[str, Any]:
        """See `ServiceChange.fields`. The shares of the requests stay as they are now, whoever set them."""
        scaling = _scaling(self.prior) if self.restores else {"scalingMode": MANUAL, "manualInstanceCount": 0}
        if self.restores:
            back = self._back(service)
            return {"scaling": scaling, **({"traffic": traffic_targets([*service.traffic, *back])} if back else {})}
        if not any(item.tag for item in service.traffic):
            return {"scaling": scaling}
        kept = [replace(item, tag="") for item in service.traffic if item.percent]
        return {"scaling": scaling, "traffic": traffic_targets(kept)}

    def _back(self, service: RunService) -> list[RunTraffic]:
        """The tags that come back: free ones, of revisions that may get requests."""
        taken = {item.tag for item in service.traffic}
        served = {item.revision for item in resolved_traffic(service) if item.percent}
        free = (item for item in self.tags if item.tag not in taken)
        named = ((item, item.revision or service.latest_ready) for item in free)
        return [replace(item, percent=0) for item, name in named if name != self.revision or name in served]

    def judged(self, service: RunService, _step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceChange.judged`."""
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
