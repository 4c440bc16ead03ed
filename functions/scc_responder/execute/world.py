"""What changes are carried out with, for one finding."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from scc_responder.domain.ports import Clock, Evidence, KubernetesApi, Outcomes
from scc_responder.execute.kubernetes import ClusterChanges
from scc_responder.guard.control import Ceiling
from scc_responder.guard.limiter import Limiter


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The finding's cluster and its limits, and where evidence and outcomes go.

    None is what this finding or deployment has not. `answered_at` is the function's own address, as far as known, at
    which a person answers a plan that waits. `until`: no step starts later.
    """

    cluster: ClusterChanges | None
    api: KubernetesApi | None
    limiter: Limiter
    evidence: Evidence | None
    outcomes: Outcomes | None
    clock: Clock
    ceiling: Callable[[], Ceiling]
    until: datetime
    answered_at: str = ""
    pool: ThreadPoolExecutor
