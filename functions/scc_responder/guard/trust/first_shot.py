"""The first shot of a policy in a place: what it would do there first that cannot be undone, and what came of it. Pure.

There is one document for each place and content of a policy; `warm_up.py` stores it. A policy that was edited is
another. Times are the store's own.

    waiting   each act waits for the warm-up; the first one that has waited decides for all that are there by then
    passed    they fit the limits: they are done, and so is what comes later, without another wait
    refused   they do not: none is done, nor what comes later, until a person lets it pass or edits the policy
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec.structs import replace

from scc_responder.domain.store import MAX_VALUE_BYTES
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.guard.ledger import admit
from scc_responder.guard.limits.ledger_document import DisruptionRequest, State
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.limits import Limit
from scc_responder.policy.policy_set import Policy

FIRST_SHOTS = "first_shot/"
MOST_WAITING = 200
"""As many acts wait in one document. Where there are more, it is refused: no limit that is meant is so large."""
_MOST_BYTES = MAX_VALUE_BYTES - 8 * 1024
"""Of a document that takes another act: with that, and what comes of all, it fits into the store."""
MOST_ON_TARGET = 3
"""As many acts on one target, each of another finding; a further one waits with the latest of them."""
FORGOTTEN_AFTER = timedelta(hours=1)
"""An act that waited for so long is not done any more: its finding came to another end."""


class FirstShotState(StrEnum):
    """What came of a first shot."""

    WAITING = "waiting"
    PASSED = "passed"
    REFUSED = "refused"


class WaitingAct(Value, frozen=True, kw_only=True):
    """What waits, by its action's id in its case, and since when; None: since the document was made."""

    request: DisruptionRequest
    since: AwareDatetime | None = None


class FirstShot(Value, frozen=True, kw_only=True):
    """The document of a policy's first shot in a place: a cluster's path, or `projects/P` of Cloud Run.

    `content` is the digest of the policy. `acts` are those that wait, or were refused. `detail` says what limit they
    do not fit. `told_at` is None until a person was told that it was refused, `by` and `said` are who let it pass.
    """

    place: str
    policy: str
    content: str
    schema: Literal[1] = 1
    state: FirstShotState = FirstShotState.WAITING
    acts: tuple[WaitingAct, ...] = ()
    detail: str = ""
    decided_at: AwareDatetime | None = None
    paging_since: AwareDatetime | None = None
    told_at: AwareDatetime | None = None
    by: str = ""
    said: str = ""

    def since(self, request: DisruptionRequest) -> datetime | None:
        """Since when this act waits, or the latest on the same target; None where none does."""
        same = [act for act in self.acts if act.request.target == request.target]
        own = [act.since for act in same if act.request.action_id == request.action_id]
        return (own or [act.since for act in same] or [None])[-1]

    @property
    def targets(self) -> int:
        """How many objects its acts are about."""
        return len({act.request.target for act in self.acts})

    @property
    def is_full(self) -> bool:
        """Whether so many acts wait that it is refused whatever else comes."""
        return len(self.acts) >= MOST_WAITING or len(msgspec.json.encode(self)) > _MOST_BYTES


def policy_content(policy: Policy) -> str:
    """The digest of all that a policy says: one that was edited has another."""
    return hashlib.sha256(msgspec.json.encode(policy)).hexdigest()


def first_shot_key(place: str, content: str) -> str:
    """Where the document is."""
    return FIRST_SHOTS + hashlib.sha256(f"{place} {content}".encode()).hexdigest()[:32]


def with_times(shot: FirstShot, made_at: datetime) -> FirstShot:
    """The stored document with the time of each act: `made_at` of those that were there from the start."""
    return replace(shot, acts=tuple(replace(act, since=act.since or made_at) for act in shot.acts))


def with_act(shot: FirstShot, request: DisruptionRequest, now: datetime | None) -> FirstShot:
    """The document with one more act; the same object where it waits already. `now` is None where there was none.

    Acts that are forgotten are left out.
    """
    kept = tuple(act for act in shot.acts if now is None or act.since is None or now - act.since < FORGOTTEN_AFTER)
    same = [act.request.action_id for act in kept if act.request.target == request.target]
    if request.action_id in same or len(same) >= MOST_ON_TARGET or replace(shot, acts=kept).is_full:
        return shot
    act = WaitingAct(request=replace(request, policy_limits=()), since=now)
    return replace(shot, acts=(*kept, act))


def decided(shot: FirstShot, limits: tuple[Limit, ...], guardrails: Guardrails, now: datetime) -> FirstShot:
    """The document at the end of the warm-up: its acts are done if all of them, by themselves, fit every limit.

    `limits` are the policy's own. What others have used up is asked for each act, as without a warm-up.
    """
    detail = _too_much(shot, limits, guardrails, now)
    if detail:
        return replace(shot, state=FirstShotState.REFUSED, detail=detail, decided_at=now, paging_since=now)
    return replace(shot, state=FirstShotState.PASSED, acts=(), decided_at=now)


def _too_much(shot: FirstShot, limits: tuple[Limit, ...], guardrails: Guardrails, now: datetime) -> str:
    if shot.is_full:
        return f"{len(shot.acts)} acts and more wait"
    state = State()
    for act in shot.acts:
        state, answer = admit(state, replace(act.request, policy_limits=limits), guardrails, now)
        if not answer.allowed:
            return f"{shot.targets} targets at once; {answer.detail}"
    return ""
