"""Kind of change: give the requests of a service to other revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from scc_responder.domain.changes import ChangeKind, Disruption, StepRun
from scc_responder.domain.changes.cloud_run.service_change import ServiceChange
from scc_responder.domain.cloud_run.run_objects import RunService, RunTraffic
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, done, not_effective

SHIFTS_TRAFFIC = ChangeKind(permissions=iam("run.services.get", "run.services.update"), disrupts=Disruption.SERVICES)

_TYPE = "TRAFFIC_TARGET_ALLOCATION_TYPE_"


class ShiftTraffic(ServiceChange, frozen=True, kw_only=True, tag="shift_traffic"):
    """Let the service at `path` with this UID give all requests to the revision `to`, on condition that `prior` holds.

    `retired` are to get none any more, by share or by tag. `deployed` and `ready` are the revisions that were made
    last, and ready last, when it was planned: after another deploy, or once one that began has ended, it is planned
    anew.
    `restores` takes it back: shares and tags are as in `prior`, but for tags that others have given away since.
    """

    declares: ClassVar[ChangeKind] = SHIFTS_TRAFFIC

    to: str
    prior: tuple[RunTraffic, ...]
    retired: tuple[str, ...] = ()
    deployed: str = ""
    ready: str = ""
    restores: bool = False

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        if self.restores:
            return f"requests go to {traffic_in_words(self.prior)} again"
        said = [f"requests go to {self.to} 100 %", *self._lost()]
        if self.deployed != self.ready:
            said.append(f"{self.deployed}, which is being deployed, gets none")
        return "; ".join([*said, "what is deployed later gets none until this is undone"])

    def holds(self, service: RunService) -> bool:
        """See `ServiceChange.holds`."""
        if self.restores:
            tags = {item.tag for item in service.traffic}
            return _shares(service.traffic) == _shares(self.prior) and {item.tag for item in self.prior} <= tags | {""}
        tagged = (item for item in resolved_traffic(service) if item.tag)
        return _shares(service.traffic) == {self.to: 100} and not any(item.revision in self.retired for item in tagged)

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceChange.refusal`. Tags alone are no reason: they are taken as they are then."""
        before = {self.to: 100} if self.restores else _shares(self.prior)
        if _shares(service.traffic) != before:
            return Reason.SERVICE_CHANGED
        as_planned = self.deployed, self.ready
        has_deployed = bool(self.deployed) and (service.latest_created, service.latest_ready) != as_planned
        return Reason.SERVICE_DEPLOYED if has_deployed else None

    def fields(self, service: RunService) -> Mapping[str, Any]:
        """See `ServiceChange.fields`."""
        if self.restores:
            return {"traffic": traffic_targets(with_tags_of(self.prior, service.traffic))}
        names = zip(service.traffic, resolved_traffic(service), strict=True)
        kept = [item for item, named in names if item.tag and named.revision not in self.retired]
        tags = [msgspec.structs.replace(item, percent=0) for item in kept]
        return {"traffic": traffic_targets([RunTraffic(revision=self.to, percent=100), *tags])}

    def judged(self, service: RunService, step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceChange.judged`."""
        served = service.traffic_statuses
        detail = f"served: {traffic_in_words(served)}"
        if self.restores:
            return done(reason or Reason.TRAFFIC_RESTORED, detail)
        if service.latest_created not in {self.to, *self.retired}:
            detail += f"; {service.latest_created} was deployed later, and gets no request"
        if not self.is_served(service):
            return not_effective(Reason.STILL_SERVED, detail)
        result = done(reason or Reason.ROLLED_BACK, detail)
        return msgspec.structs.replace(result, containment=Containment.RETIRED, contained_at=step.clock())

    def is_served(self, service: RunService) -> bool:
        """See `ServiceChange.is_served`: what gets requests is read back, whatever else of the service has failed."""
        served = [msgspec.structs.replace(item, latest=False) for item in service.traffic_statuses]
        is_shifted = _shares(served) == {self.to: 100} and not any(reaches(served, name) for name in self.retired)
        return is_shifted and not self.restores

    def _lost(self) -> Iterable[str]:
        """What revisions lose that are not compromised."""
        for item in self.prior:
            name = item.revision or self.ready
            if item.percent and name not in {self.to, *self.retired}:
                yield f"{name} loses its {item.percent} %"


def resolved_traffic(service: RunService) -> tuple[RunTraffic, ...]:
    """The wanted traffic, in its order, with the latest revision by its name."""
    return tuple(
        RunTraffic(revision=item.revision or service.latest_ready, percent=item.percent, tag=item.tag)
        for item in service.traffic
    )


def with_tags_of(prior: Iterable[RunTraffic], now: Iterable[RunTraffic]) -> list[RunTraffic]:
    """The traffic of before, with the tags that there are now where they are now: nobody's tag is taken away."""
    taken = {item.tag: item for item in now if item.tag}
    back = (msgspec.structs.replace(item, tag="") if item.tag in taken else item for item in prior)
    kept = (msgspec.structs.replace(item, percent=0) for item in taken.values())
    return [*(item for item in back if item.percent or item.tag), *kept]


def _shares(traffic: Iterable[RunTraffic]) -> dict[str, int]:
    """The percent of each revision that has any; the latest one by an empty name. Nothing wanted is all to it."""
    shares: dict[str, int] = {}
    for item in traffic:
        name = "" if item.latest else item.revision
        shares[name] = shares.get(name, 0) + item.percent
    return {name: percent for name, percent in shares.items() if percent} or {"": 100}


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
