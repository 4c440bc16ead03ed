"""What is claimed of policies: what may happen, or what a change makes happen, and a situation that shows it."""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.value import Value
from scc_responder.workbench.proof.made_situation import MadeSituation


class ClaimKind(StrEnum):
    """What a situation shows."""

    REACHES_PROTECTED = "reaches_protected"
    """A target of Kubernetes itself or of Google is changed, which guardrails should protect."""
    NO_EVIDENCE_BEFORE = "no_evidence_before"
    """Something is done for good, and waits for no evidence."""
    POLICIES_FIGHT = "policies_fight"
    """Two policies of one mode ask for different things, and nothing but a name decides."""
    HELD_BY_GUARDRAILS = "held_by_guardrails"
    """A protected target would be changed but for the guardrails."""
    ADDED = "added"
    """Done now, and not before."""
    MODE_RAISED = "mode_raised"
    """Done in a mode that goes further."""
    LOOSENED = "loosened"
    """Done as before, but it waits for less, or less counts it."""
    TAKEN_AWAY = "taken_away"
    """Done before, and not any more."""
    MODE_LOWERED = "mode_lowered"
    """Done in a mode that goes less far."""
    TIGHTENED = "tightened"
    """Done as before, but it waits for more, or more counts it."""


OF_ONE_PACK = frozenset({ClaimKind.REACHES_PROTECTED, ClaimKind.NO_EVIDENCE_BEFORE, ClaimKind.POLICIES_FIGHT})
"""What must not be, whatever was before."""
WIDENING = frozenset({ClaimKind.ADDED, ClaimKind.MODE_RAISED, ClaimKind.LOOSENED})
"""What makes a target more affected."""


class Shown(Value, frozen=True, kw_only=True):
    """What is shown of one act. `detail` says more of it; `variant` are the parameters of its action.

    `other` is the policy that it fights with. `changes`: it changes something on the target.
    """

    kind: ClaimKind
    policy: str
    action: str
    variant: str = ""
    other: str = ""
    detail: str = ""
    changes: bool = True

    @property
    def fails(self) -> bool:
        """Whether a person has to look at it before it is deployed."""
        return self.kind in OF_ONE_PACK or (self.kind in WIDENING and self.changes)


class ProvedClaim(Value, frozen=True, kw_only=True):
    """What is shown, by which situation, and of findings of which threats it is so.

    `confirmed`: the finding, read from its notification, was decided upon anew, and shows it. What is not confirmed
    depends on a policy's `condition`, which may or may not hold there.
    """

    shown: Shown
    situation: MadeSituation
    threats: tuple[str, ...]
    confirmed: bool
