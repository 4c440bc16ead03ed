"""How far a case is, and how far each of its steps."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """How far a case is. Every state but `open` is an end."""

    OPEN = "open"
    DONE = "done"
    """Everything the policies asked for was done and verified, or there was nothing to do."""
    PARTIAL = "partial"
    """Some steps failed or were held: the steps say which and why."""
    HELD = "held"
    """Nothing was done, because something forbids it: a guardrail, the scope, the kill switch."""
    SUPERSEDED = "superseded"
    """The finding is no longer active or was muted before the last step."""
    REJECTED = "rejected"
    """The finding could not be confirmed: perhaps forged."""
    WAITING = "waiting"
    """A plan waits for a person's approval. Everything else is done; an approval opens the case again."""


class StepStatus(StrEnum):
    """How far a step is. `intent` and `unknown` are unsettled: the target is probed before anything is tried again."""

    INTENT = "intent"
    UNKNOWN = "unknown"
    DONE = "done"
    """Carried out, or found in the wanted state, and read back."""
    NOT_EFFECTIVE = "not_effective"
    """Carried out and read back, but the cluster does not make it hold, or cannot tell."""
    TERMINATING = "terminating"
    """The deletion was accepted; a finalizer or the grace period still keeps the object."""
    TARGET_GONE = "target_gone"
    TARGET_REPLACED = "target_replaced"
    NOT_POSSIBLE = "not_possible"
    """The platform does not allow it at all; later steps go on."""
    OVERRIDDEN = "overridden"
    """Carried out, and undone by another since: it is not done again."""
    FAILED = "failed"
    SKIPPED = "skipped"
    HELD = "held"
    DRY_RUN = "dry_run"
    WAITING = "waiting"
    """Part of a plan that a person has not approved yet."""
