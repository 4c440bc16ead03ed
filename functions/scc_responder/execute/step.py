"""One step as it is carried out: its id, its mode, and how its intent is written before the world is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scc_responder.domain.status import StepStatus
from scc_responder.domain.value import Value


class Result(Value, frozen=True, kw_only=True):
    """What came of one change. `reason` is a snake_case word, `detail` says more, for people."""

    status: StepStatus
    reason: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRun:
    """What an adapter of changes needs to know of the step it carries out.

    `intend` writes the intent ahead; it is called after the probe and right before each request that changes
    anything, and raises if this process may no longer act. `intended` says that an earlier attempt got that far, so
    that a target in the wanted state is our own work. `renew` keeps the case through a step that takes long.
    """

    action_id: str
    dry_run: bool
    intended: bool
    intend: Callable[[], None]
    renew: Callable[[], None]


def done(reason: str, detail: str = "") -> Result:
    """The step is done and was read back."""
    return Result(status=StepStatus.DONE, reason=reason, detail=detail)


def failed(reason: str, detail: str = "") -> Result:
    """The step cannot be done; no later delivery will change that."""
    return Result(status=StepStatus.FAILED, reason=reason, detail=detail)
