"""What in Cloud Run is never changed, whatever policies and guardrails say: our own service, and what is not listed.

Without an identity for it, nothing is.

Pure. Evidence is taken of it all the same, and people are told.
"""

from __future__ import annotations

from scc_responder.collect.confirm import covers
from scc_responder.domain.cloud_run.run_names import RunKind, RunName, RunTarget, run_target
from scc_responder.domain.cloud_run.run_objects import CLOUD_FUNCTIONS
from scc_responder.domain.context import Context
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import same_project
from scc_responder.domain.value import Value
from scc_responder.settings import Settings


class RunReach(Value, frozen=True, kw_only=True):
    """How far this deployment reaches in Cloud Run.

    `services` are patterns of paths that it may change; None where nobody asks, as in tests of policies. Its own
    service is known by `own_name` and `own_revision`, which Cloud Run tells, and by `own_path`, which settings tell.
    `has_writer`: whether settings name the identity that changes anything there.
    """

    services: tuple[str, ...] | None = ()
    own_name: str = ""
    own_revision: str = ""
    own_path: str = ""
    has_writer: bool = True


NOWHERE_IN_RUN = RunReach()
"""Of a deployment whose settings list nothing: evidence and notice only."""

EVERYWHERE_IN_RUN = RunReach(services=None)
"""For people's machines, where no deployment is known."""


def run_reach(settings: Settings) -> RunReach:
    """The reach of a deployment."""
    return RunReach(
        services=settings.services,
        own_name=settings.service_name,
        own_revision=settings.revision_name,
        own_path=settings.own_service,
        has_writer=bool(settings.run_writer),
    )


def run_reason(context: Context, reach: RunReach) -> Reason | None:
    """Why what a finding names in Cloud Run may not be changed, or None: also where it names nothing there.

    `own_service`, `worker_pool`, `service_not_named`, `managed_by:cloudfunctions`, `service_not_listed`,
    `no_run_writer`.
    """
    named, service = context.finding.cloud_run, context.service
    if named is None or context.finding.cluster:
        return None
    target = run_target(named)
    if _is_own(named, target, reach):
        return Reason.OWN_SERVICE
    if isinstance(target, Reason):
        return target
    if service is not None and service.managed_by == CLOUD_FUNCTIONS:
        return Reason.MANAGED_BY.of(CLOUD_FUNCTIONS)
    is_listed = reach.services is None or any(covers(pattern, target.path) for pattern in reach.services)
    if not is_listed:
        return Reason.SERVICE_NOT_LISTED
    return None if reach.has_writer else Reason.NO_RUN_WRITER


def _is_own(named: CloudRunTarget, target: RunTarget | Reason, reach: RunReach) -> bool:
    """A service of our name in another project is left alone too: which project is ours, Cloud Run does not tell."""
    if named.revision and named.revision == reach.own_revision:
        return True
    own = RunName.parse(reach.own_path)
    is_there = own is not None and named.location == own.location and same_project(named.project, own.project)
    names = {reach.own_name, own.name if own and is_there else ""} - {""}
    if named.kind == "revision" and not named.service:
        return any(named.name.startswith(f"{name}-") for name in names)
    return isinstance(target, RunTarget) and target.kind is RunKind.SERVICE and target.name.name in names
