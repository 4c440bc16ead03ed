"""Kind of change: set from where, and with what, a service may be reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scc_responder.domain.changes import ChangeKind, Disruption, StepRun
from scc_responder.domain.changes.cloud_run.service_change import ServiceChange
from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, done
from scc_responder.domain.value import Value

RESTRICTS_ACCESS = ChangeKind(
    permissions=iam("run.services.get", "run.services.update"), cuts_access=True, disrupts=Disruption.SERVICES
)


class AccessSettings(Value, frozen=True, kw_only=True):
    """What of a service says who reaches it; None leaves it as it is. Source: google/cloud/run/v2 `Service`.

    `ingress` is `INGRESS_TRAFFIC_ALL`, `INGRESS_TRAFFIC_INTERNAL_ONLY`, ... `default_uri_disabled` closes the address
    that ends with `run.app`; `invoker_iam_disabled` lets everybody in, whatever IAM says.
    """

    ingress: str | None = None
    default_uri_disabled: bool | None = None
    invoker_iam_disabled: bool | None = None

    @property
    def given(self) -> dict[str, str | bool]:
        """What is set, by the names of the update mask."""
        named = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in named.items() if value is not None}


class RestrictAccess(ServiceChange, frozen=True, kw_only=True, tag="restrict_access"):
    """Set `wanted` of the service at `path` with this UID, on condition that each setting is as in `prior`.

    `opens`: it takes a restriction back.
    """

    declares: ClassVar[ChangeKind] = RESTRICTS_ACCESS

    wanted: AccessSettings
    prior: AccessSettings
    opens: bool = False

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        if self.opens:
            return "the same callers reach it as before"
        said = {
            "ingress": "callers from outside its networks are refused, external load balancers too",
            "default_uri_disabled": "its run.app address is closed, for Pub/Sub, Scheduler and Tasks too",
            "invoker_iam_disabled": "callers without the IAM permission to invoke it are refused",
        }
        return "; ".join(said[name] for name in self.wanted.given)

    def holds(self, service: RunService) -> bool:
        """See `ServiceChange.holds`."""
        return all(getattr(service, name) == value for name, value in self.wanted.given.items())

    def refusal(self, service: RunService) -> Reason | None:
        """See `ServiceChange.refusal`."""
        wanted = self.wanted.given
        same = (getattr(service, name) in {value, wanted[name]} for name, value in self.prior.given.items())
        return None if all(same) else Reason.SERVICE_CHANGED

    def fields(self, _service: RunService) -> Mapping[str, Any]:
        """See `ServiceChange.fields`."""
        return self.wanted.given

    def judged(self, service: RunService, _step: StepRun, reason: Reason | None) -> Result:
        """See `ServiceChange.judged`."""
        named = ", ".join(f"{name} {getattr(service, name)}" for name in self.wanted.given)
        return done(reason or (Reason.ACCESS_RESTORED if self.opens else Reason.ACCESS_CUT), named)
