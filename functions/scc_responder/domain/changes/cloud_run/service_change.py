"""A change of a Cloud Run service's settings: what it has to say of itself, so that `update_service` can make it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from scc_responder.domain.changes import Change, ChangedObject, Means, StepRun
from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.cloud_run.service_update import update_service
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result


class ServiceChange(Change, frozen=True, kw_only=True):
    """A change of the service at `path` with this UID. Each kind makes its own of it."""

    path: str
    uid: str

    @property
    def target(self) -> ChangedObject:
        """The service."""
        return ChangedObject(kind="Service", name=self.path, uid=self.uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Make the update, and read back that it holds."""
        return means.in_cloud_run(partial(update_service, step=step, update=self))

    @property
    def deployed(self) -> str:
        """The revision that was made last when it was planned; empty where a deploy does not matter to it."""
        return ""

    def holds(self, service: RunService) -> bool:
        """Whether the service is set as wanted, reconciled or not."""
        raise NotImplementedError

    def refusal(self, service: RunService) -> Reason | None:
        """Why it is not to be made any more: what it was planned upon has changed. None if it may be made.

        It is `service_deployed` where the settings that it changes are as they were: then it was not made before.
        """
        raise NotImplementedError

    def fields(self, service: RunService) -> Mapping[str, Any]:
        """What to set, by the names of the update mask (`traffic`, `template.revision`), in JSON."""
        raise NotImplementedError

    def is_served(self, _service: RunService) -> bool:
        """Whether the service's own status shows that it took effect, though something of the service has failed."""
        return False

    def judged(self, service: RunService, step: StepRun, reason: Reason | None) -> Result:
        """What the reconciled service says. `reason` is given where the service was so before this delivery."""
        raise NotImplementedError
