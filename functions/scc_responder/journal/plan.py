"""A plan that waits for a person: exactly what would be done, until when that may be approved, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from scc_responder.domain.changes import Change, is_reversible, restored
from scc_responder.domain.finding import case_id
from scc_responder.domain.status import CaseState
from scc_responder.domain.value import AwareDatetime, Value

MIN_DIGEST = 8
"""The fewest hex digits that identify a plan."""


class PlanState(StrEnum):
    """The state of a plan. In `approved` and `used` its steps may run; in the last three they never will."""

    WAITING = "waiting"
    APPROVED = "approved"
    """Enough people approved it, and none of its steps has begun; the present state is compared before one does."""
    USED = "used"
    """It was still valid, and a step of it has begun. A plan is used once; what was held of it goes on by it."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    """The plan, its target or its finding changed before it was used."""


class PlanStep(Value, frozen=True, kw_only=True):
    """One waiting action: its policy, its parameters, and its changes as data."""

    policy: str
    action: str
    parameters: dict[str, Any] = {}
    changes: tuple[dict[str, Any], ...] = ()

    @property
    def targets(self) -> frozenset[str]:
        """The UIDs of the objects that would be changed."""
        uids = (change.get("uid") or change.get("pod_uid") for change in self.changes)
        return frozenset(uid for uid in uids if uid)


class Approval(Value, frozen=True, kw_only=True):
    """One person's approval: a verified e-mail address, or `local`."""

    by: str
    at: AwareDatetime


class RequestKind(StrEnum):
    """What a person at a desk asks of a case."""

    TRY = "try"
    """That it is tried again: `case resume`."""
    STEP = "step"
    """That a step which was held is planned: `case do`."""
    REVISION = "revision"
    """That it is about the revision which the person chose."""
    EXEMPTION = "exemption"
    """That it ends, as its threat on its workload is let be."""


class PersonsRequest(Value, frozen=True, kw_only=True):
    """What a person asked for at a desk that leaves no line in the log, until somebody who leaves one does it.

    `state`, `reason` and `closed_at` are how the case had ended by then.
    """

    kind: RequestKind
    at: AwareDatetime
    state: CaseState
    reason: str = ""
    closed_at: AwareDatetime | None = None


class AskedStep(Value, frozen=True, kw_only=True):
    """A step that a person asks for although a limit, a breaker or its age held it.

    `reason` is what held it, `by` who asks, `said` that person's words. It is only ever done once its plan is approved.
    """

    policy: str
    action: str
    reason: str
    by: str
    said: str
    at: AwareDatetime

    def means(self, policy: str, action: str) -> bool:
        """Whether it is this step of this policy."""
        return (self.policy, self.action) == (policy, action)


class Plan(Value, frozen=True, kw_only=True):
    """What waits, as its case stores it.

    `needed` people must approve it before `expires_at`. `reason`, `by` and `said` are how it ended, who ended it, and
    that person's words. `after` is why the previous plan of the same case is no longer valid. `asked`: a person asked
    for its one step, which limits, breakers and its age do not hold then. `left_out` are the steps that
    were planned with these, and that people approved the plan without. `extra` holds fields that this version does not
    know.
    """

    digest: str
    policy_digest: str
    steps: tuple[PlanStep, ...]
    created_at: AwareDatetime
    expires_at: AwareDatetime
    needed: int = 1
    approvals: tuple[Approval, ...] = ()
    state: PlanState = PlanState.WAITING
    reason: str = ""
    by: str = ""
    said: str = ""
    after: str = ""
    asked: AskedStep | None = None
    left_out: tuple[PlanStep, ...] = ()
    extra: dict[str, Any] = {}

    @property
    def is_pending(self) -> bool:
        """Whether it may still be carried out and has not been begun."""
        return self.state in {PlanState.WAITING, PlanState.APPROVED}

    @property
    def targets(self) -> frozenset[str]:
        """The UIDs of all objects that would be changed."""
        return frozenset(uid for step in self.steps for uid in step.targets)

    def is_meant_by(self, digest: str) -> bool:
        """Whether `digest` (all digits, or the first eight or more) is this plan's."""
        return len(digest) >= MIN_DIGEST and self.digest.startswith(digest)


def is_another_plan(plan: Plan | None, digest: str) -> bool:
    """Whether a person was shown another plan than this one, by its digest; where that is empty, none was shown."""
    return bool(digest) and not (plan is not None and plan.is_meant_by(digest))


def plan_digest(steps: Iterable[PlanStep], policy_digest: str, finding_key: str, asked: AskedStep | None = None) -> str:
    """SHA-256 over the plan as canonical JSON (sorted keys, no spaces): another plan, policy or case is another digest.

    The digest of the whole policy set is part of it, so that an edited policy or guardrail needs another approval. So
    is what a person asked for: who approves it knows what held the step.
    """
    content = {"finding": finding_key, "policies": policy_digest, "steps": msgspec.to_builtins(tuple(steps))}
    content |= {"asked": msgspec.to_builtins(asked)} if asked else {}
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def lesser_plan(plan: Plan, finding_key: str) -> Plan | None:
    """The plan without the steps that cannot be undone, and without an approval; None where that is all, or nothing."""
    kept = tuple(step for step in plan.steps if step.changes and all(map(is_reversible, step.changes)))
    if len(kept) in {0, len(plan.steps)}:
        return None
    digest = plan_digest(kept, plan.policy_digest, finding_key, plan.asked)
    left_out = (*plan.left_out, *(step for step in plan.steps if step not in kept))
    return msgspec.structs.replace(plan, digest=digest, steps=kept, left_out=left_out, approvals=())


def felt(changes: Iterable[Change]) -> list[str]:
    """What people will feel of the changes, and `not rehearsed` where no request is checked before it is made.

    A change that is felt as its name says, and is rehearsed, has no words.
    """
    parts = ((change.felt, "" if change.declared.rehearses else "not rehearsed") for change in changes)
    return [said for part in parts if (said := "; ".join(filter(None, part)))]


def felt_of_stored(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same of a plan's changes; one of a later version, which nobody can read here, has no words."""
    known: list[Change] = []
    for change in changes:
        with suppress(msgspec.ValidationError):
            known.append(restored(change))
    return felt(known)


def plan_summary(finding_key: str, plan: Plan, function_url: str = "") -> dict[str, Any]:
    """The plan as JSON data, with the commands that answer it while it waits. `function_url` is the function's URL.

    Each step has `felt` where people will feel more of it than its changes say. `to_approve_lesser` is there where
    people may also approve it without what cannot be undone.
    """
    summary: dict[str, Any] = msgspec.to_builtins(plan)
    for step in summary["steps"]:
        if words := felt_of_stored(step["changes"]):
            step["felt"] = words
    if plan.state is PlanState.WAITING:
        case, url = case_id(finding_key), f" --url {function_url}" if function_url else ""
        summary["to_approve"] = f"scc-responder case approve {case} --plan {plan.digest}{url}"
        if lesser := lesser_plan(plan, finding_key):
            summary["to_approve_lesser"] = f"scc-responder case approve {case} --plan {lesser.digest}{url}"
        summary["to_reject"] = f"scc-responder case reject {case} --reason 'WHY'{url}"
    return summary
