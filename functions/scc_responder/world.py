"""What changes are carried out with, for one finding."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from scc_responder.cluster_changes import ClusterChanges
from scc_responder.control import Ceiling
from scc_responder.limiter import Limiter
from scc_responder.ports import Clock, Evidence, KubernetesApi, Outcomes


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
