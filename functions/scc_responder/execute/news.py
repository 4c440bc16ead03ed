"""What of a case's steps people have not been told yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.execute.dependencies import STOPS
from scc_responder.journal.step import Step

_NEWS = frozenset({StepStatus.HELD, StepStatus.FAILED, StepStatus.WAITING})
"""Outcomes about which a person is notified."""

_SEVERE_NEWS = _NEWS | STOPS | {StepStatus.NOT_EFFECTIVE, StepStatus.TERMINATING}
"""Those about which a person is notified if the threat is severe."""

_TOLD_OTHERWISE = frozenset({Reason.CLUSTER_PAUSED, Reason.WARMING_UP})
"""Why a step is held of which people are told by another notice, or will be.

Of a paused cluster they are told for each severe finding, else once a day.
"""
_TOLD_AT_ONCE = frozenset({Reason.STORM_BREAKER, Reason.FIRST_SHOT_TOO_WIDE})
"""The same for what is not severe: of a breaker its page tells, and one notice of a first shot that was refused."""


def untold(steps: Iterable[Step], *, severe: bool, opened: int = 0) -> list[Step]:
    """The steps that were held, failed or began to wait after the last message that was published, if any was.

    What is tried again is no news, nor what the first shot's notice was about: it waited since the claim number
    `opened`, by which the case was opened, and came to its refusal by a later one.
    """
    steps, news = tuple(steps), _SEVERE_NEWS if severe else _NEWS
    left_out = _TOLD_OTHERWISE if severe else _TOLD_OTHERWISE | _TOLD_AT_ONCE
    settled = [
        (step, step.settled_at)
        for step in steps
        if step.settled_at and step.reason not in left_out and not (step.answers or step.is_awaited)
        if not (step.reason == Reason.FIRST_SHOT_TOO_WIDE and step.epoch > opened > 0)
    ]
    told = last_told(steps)
    return [step for step, at in settled if step.status in news and (told is None or at > told)]


def is_outdated(steps: Iterable[Step], epoch: int) -> bool:
    """Whether a policy's message came before this delivery (`epoch`) made a change, and none since."""
    steps = tuple(steps)
    told = [step for step in steps if _is_told(step)]
    asked = any(step.policy for step in told) and all(step.epoch < epoch for step in told)
    last = last_told(steps)
    made = (step for step in steps if step.epoch == epoch and not actions()[step.action].observes)
    # What was made before, and still stands, has the epoch of the delivery that saw so.
    return asked and any(last is None or step.settled_at is None or step.settled_at >= last for step in made)


def last_told(steps: Iterable[Step]) -> datetime | None:
    """When the last message was published, if any was."""
    told = (step.settled_at for step in steps if _is_told(step))
    return max((at for at in told if at), default=None)


def _is_told(step: Step) -> bool:
    return (step.action, step.status) == ("notify", StepStatus.DONE)
