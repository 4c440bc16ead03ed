"""Kind of change: take everybody out of a service's own IAM policy, or put them back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunIamPolicy, RunService
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.cloud_run.service_update import read_service, until_written
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_effective

_SETS = "run.services.setIamPolicy"
SETS_INVOKERS = ChangeKind(
    permissions=iam("run.services.get", "run.services.getIamPolicy", _SETS),
    cuts_access=True,
    rehearses=False,
    disrupts=Disruption.SERVICES,
)

ANYONE = frozenset({"allUsers", "allAuthenticatedUsers"})


class SetInvokers(Change, frozen=True, kw_only=True, tag="set_invokers"):
    """Take `members` out of the IAM policy of the service at `path` with this UID; `adds` puts them in instead.

    Each binding is known by its role and its condition. Everything else in the policy stays. What the service inherits
    is not in it; projects, folders and organizations take no `allUsers` (Resource Manager, `projects.setIamPolicy`).
    """

    declares: ClassVar[ChangeKind] = SETS_INVOKERS

    path: str
    uid: str
    members: tuple[RunIamBinding, ...]
    adds: bool = False

    @property
    def target(self) -> ChangedObject:
        """The service."""
        return ChangedObject(kind="Service", name=self.path, uid=self.uid)

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        named = ", ".join(sorted({member for binding in self.members for member in binding.members}))
        return f"{named} may invoke it again" if self.adds else f"callers who are let in as {named} are refused"

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Write the policy under the etag that was read, and read it back."""
        return means.in_cloud_run(partial(self._carry_out, step))

    def _carry_out(self, step: StepRun, session: RunSession) -> Result:
        name = RunName.parse(self.path)
        service = read_service(session, name, self.uid) if name else failed(Reason.SERVICE_NOT_NAMED)
        if isinstance(service, Result):
            return service
        return until_written(self.path, step, partial(self._once, step, session, service))

    def _once(self, step: StepRun, session: RunSession, service: RunService, sent: bool) -> Result:
        """One try, from a fresh read. Raises ApiError."""
        name, read = service.name, session.api.get_iam_policy(service.name)
        if self.holds(read.value):
            return self._verified(service, read.value, Reason.DONE_BEFORE if sent else Reason.ALREADY)
        if step.dry_run:
            return _rehearsed(session, name)
        step.intend()
        session.api.set_iam_policy(name, self._policy(read.document()))
        written = Reason.ACCESS_RESTORED if self.adds else Reason.ACCESS_CUT
        service = session.api.get_service(name).value
        return self._verified(service, session.api.get_iam_policy(name).value, written)

    def holds(self, policy: RunIamPolicy) -> bool:
        """Whether the members are out of the policy, or in it."""
        present = {(_key(binding), member) for binding in policy.bindings for member in binding.members}
        own = {(_key(binding), member) for binding in self.members for member in binding.members}
        return own <= present if self.adds else not own & present

    def _policy(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The policy in JSON that was read, with these members out of it, or in it."""
        changed = {_key(binding): binding.members for binding in self.members}
        bindings = [dict(binding) for binding in document.get("bindings", ())]
        for binding in bindings:
            known = changed.pop(_key_of(binding), ())
            kept = [member for member in binding.get("members", ()) if member not in known]
            binding["members"] = [*kept, *known] if self.adds else kept
        if self.adds:
            bindings += [_binding(each) for each in self.members if _key(each) in changed]
        return {**document, "bindings": [binding for binding in bindings if binding["members"]]}

    def _verified(self, service: RunService, policy: RunIamPolicy, reason: Reason) -> Result:
        if not self.holds(policy):
            return not_effective(Reason.STILL_INVOKED, "the policy was changed back right after")
        if not self.adds and anyone_in(policy):
            return not_effective(Reason.STILL_INVOKED, "another binding lets anyone in")
        if not self.adds and service.invoker_iam_disabled:
            return not_effective(Reason.STILL_INVOKED, "the service asks IAM of nobody: invoker_iam_disabled is set")
        return done(reason, self.felt)


def anyone_in(policy: RunIamPolicy) -> tuple[RunIamBinding, ...]:
    """The bindings of the policy that let anyone in, with those members alone."""
    open_to = ((binding, sorted(ANYONE & set(binding.members))) for binding in policy.bindings)
    return tuple(
        RunIamBinding(role=binding.role, members=tuple(members), condition=binding.condition)
        for binding, members in open_to
        if members
    )


def _rehearsed(session: RunSession, name: RunName) -> Result:
    """IAM rehearses nothing: only whether the permission is there is asked."""
    if _SETS not in session.api.test_iam_permissions(name, [_SETS]):
        return failed(Reason.CLOUD_RUN.of("permission_denied"), f"missing permission: {_SETS}")
    return Result(status=StepStatus.DRY_RUN, reason=Reason.NOT_REHEARSED)


def _key(binding: RunIamBinding) -> tuple[str, str]:
    return binding.role, binding.condition


def _key_of(binding: Mapping[str, Any]) -> tuple[str, str]:
    return binding["role"], (binding.get("condition") or {}).get("expression", "")


def _binding(binding: RunIamBinding) -> dict[str, Any]:
    made: dict[str, Any] = {"role": binding.role, "members": list(binding.members)}
    return {**made, "condition": {"title": "restored", "expression": binding.condition}} if binding.condition else made
