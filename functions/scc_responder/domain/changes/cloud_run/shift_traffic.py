"""Kind of change: give the requests of a service to other revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.cloud_run.run_objects import RunService, RunTraffic
from scc_responder.domain.cloud_run.service_update import update_service
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, done, not_effective

SHIFTS_TRAFFIC = ChangeKind(permissions=iam("run.services.get", "run.services.update"), disrupts=Disruption.SERVICES)

_TYPE = "TRAFFIC_TARGET_ALLOCATION_TYPE_"


class ShiftTraffic(Change, frozen=True, kw_only=True, tag="shift_traffic"):
    """Let the service at `path` with this UID serve `traffic`, on condition that it serves `prior`.

    `revision` is to get no request any more, by share or by tag; empty where the change takes such a one back.
    `deployed` is the revision that was made last when it was planned: after another deploy it is planned anew. Empty
    where a deploy does not matter.
    """

    declares: ClassVar[ChangeKind] = SHIFTS_TRAFFIC

    path: str
    uid: str
    traffic: tuple[RunTraffic, ...]
    prior: tuple[RunTraffic, ...]
    revision: str = ""
    deployed: str = ""

    @property
    def target(self) -> ChangedObject:
        """The service."""
        return ChangedObject(kind="Service", name=self.path, uid=self.uid)

    @property
    def inverse(self) -> ShiftTraffic:
        """The list of before, `LATEST` and tags included."""
        return ShiftTraffic(path=self.path, uid=self.uid, traffic=self.prior, prior=self.traffic)

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        if not self.revision:
            return f"requests go to {traffic_in_words(self.traffic)} again"
        return f"requests go to {traffic_in_words(self.traffic)}; what is deployed later gets none until this is undone"

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Shift it, and read back what is served."""
        return means.in_cloud_run(partial(update_service, step=step, update=self))

    def holds(self, service: RunService) -> bool:
        """See `ServiceUpdate.holds`."""
        return same_traffic(service.traffic, self.traffic)

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceUpdate.refusal`."""
        if not same_traffic(service.traffic, self.prior):
            return Reason.SERVICE_CHANGED
        return Reason.SERVICE_DEPLOYED if self.deployed and service.latest_created != self.deployed else None

    def fields(self, _service: RunService) -> Mapping[str, Any]:
        """See `ServiceUpdate.fields`."""
        return {"traffic": traffic_targets(self.traffic)}

    def judged(self, service: RunService, step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceUpdate.judged`."""
        served = service.traffic_statuses
        detail = f"served: {traffic_in_words(served)}"
        if self.deployed and service.latest_created != self.deployed:
            detail += f"; {service.latest_created} was deployed since, and gets no request"
        if not self.revision:
            return done(reason or Reason.TRAFFIC_RESTORED, detail)
        if not same_traffic(served, self.traffic) or reaches(served, self.revision):
            return not_effective(Reason.STILL_SERVED, detail)
        result = done(reason or Reason.ROLLED_BACK, detail)
        return msgspec.structs.replace(result, containment=Containment.RETIRED, contained_at=step.clock())


def reaches(traffic: Iterable[RunTraffic], revision: str) -> bool:
    """Whether requests reach the revision, by a share or by the address of a tag."""
    return any(item.revision == revision and (item.percent or item.tag) for item in traffic)


def traffic_targets(traffic: Iterable[RunTraffic]) -> list[dict[str, Any]]:
    """Traffic as the API takes it, in JSON."""
    return [_target(item) for item in traffic]


def same_traffic(left: Iterable[RunTraffic], right: Iterable[RunTraffic]) -> bool:
    """Whether both are the same: statuses say which revision the latest one is, and addresses."""
    return _essence(left) == _essence(right)


def _essence(traffic: Iterable[RunTraffic]) -> list[tuple[bool, str, int, str]]:
    return sorted((item.latest, "" if item.latest else item.revision, item.percent, item.tag) for item in traffic)


def _target(item: RunTraffic) -> dict[str, Any]:
    kind = {"type": f"{_TYPE}LATEST"} if item.latest else {"type": f"{_TYPE}REVISION", "revision": item.revision}
    return {**kind, "percent": item.percent, **({"tag": item.tag} if item.tag else {})}


def traffic_in_words(traffic: Iterable[RunTraffic]) -> str:
    """`checkout-00002-abc 100 %, checkout-00001-abc by its tag canary`."""
    return ", ".join(map(_said, traffic)) or "nothing"


def _said(item: RunTraffic) -> str:
    name = item.revision or "the latest revision"
    shares = [f"{item.percent} %"] if item.percent else []
    return " ".join([name, *shares, *([f"by its tag {item.tag}"] if item.tag else [])])
