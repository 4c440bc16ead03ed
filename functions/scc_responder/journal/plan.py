"""A plan that waits for a person: exactly what would be done, until when that may be approved, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from scc_responder.domain.value import Value

MIN_DIGEST = 8
"""As many digits of a plan's digest must be given to mean it."""


class PlanState(StrEnum):
    """How far a plan is. `approved` and `used` let its steps be carried out; the last three are ends without that."""

    WAITING = "waiting"
    APPROVED = "approved"
    """Enough people approved it, and a claim has taken it: what is so now is compared before anything starts."""
    USED = "used"
    """It was still the same: its steps are, or were, carried out. It is honoured once."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    """The plan, its target or its finding changed before it was used."""


class PlanStep(Value, frozen=True, kw_only=True):
    """One action that waits: which policy asks for it, with what, and the changes it comes to, as data."""

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
    at: datetime


class Plan(Value, frozen=True, kw_only=True):
    """What waits, as its case stores it.

    `needed` people must approve it before `expires_at`. `reason`, `by` and `said` tell how it ended, by whom, and in
    that person's words. `after` says why the plan before it in the same case no longer holds.
    """

    digest: str
    policy_digest: str
    steps: tuple[PlanStep, ...]
    created_at: datetime
    expires_at: datetime
    needed: int = 1
    approvals: tuple[Approval, ...] = ()
    state: PlanState = PlanState.WAITING
    reason: str = ""
    by: str = ""
    said: str = ""
    after: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether nothing was done by it yet, and something still may be."""
        return self.state in {PlanState.WAITING, PlanState.APPROVED}

    @property
    def targets(self) -> frozenset[str]:
        """The UIDs of all objects that would be changed."""
        return frozenset(uid for step in self.steps for uid in step.targets)

    def is_meant_by(self, digest: str) -> bool:
        """Whether the digest, or the first eight or more digits of one, is this plan's."""
        return len(digest) >= MIN_DIGEST and self.digest.startswith(digest)


def plan_digest(steps: Iterable[PlanStep], policy_digest: str, finding_key: str) -> str:
    """SHA-256 over the plan as canonical JSON (sorted keys, no spaces): another plan, policy or case is another digest.

    The digest of the whole policy set is part of it, so that an edited policy or guardrail needs another approval.
    """
    content = {"finding": finding_key, "policies": policy_digest, "steps": msgspec.to_builtins(tuple(steps))}
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
