"""What a decision is carried out with: the cluster, the limits, the stores, and who tells people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from time import sleep

from scc_responder.domain.changes import ChangedObject, Collector
from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.ports import (
    Clock,
    CloudLogs,
    CloudMetrics,
    CloudRunApi,
    Evidence,
    ImageRegistry,
    KubernetesApi,
    Notifier,
    Signer,
)
from scc_responder.domain.store import CasStore
from scc_responder.execute.evidence.reading import Reading
from scc_responder.guard.kill_switch import KillSwitchCeiling
from scc_responder.guard.limiter import Limiter
from scc_responder.guard.trust.warm_up import WarmUp


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The finding's cluster, its limits and first shots, where evidence goes and who tells people.

    None is what this finding or deployment has not. `function_url` is the function's own address, as far as known, at
    which a person answers a plan that waits. `until`: no step starts later; `waits_until`: none waits any longer for an
    answer. Evidence is stored on `evidence_pool`. `collector` is what our own containers in a pod are made with.
    `unread` are the errors of the reads before the decision, by what could not be read; `early` is the evidence that
    was read before the first step, by its target. `run`, `logs`, `registry` and `metrics` give Cloud Run, Cloud
    Logging, Artifact Registry and Cloud Monitoring, once something asks for them; `run_read` is that of `RunSession`.
    `wait` waits some seconds. `signer` signs what is captured; what it could not sign is noted in `store`.
    """

    cluster: ClusterSession | None
    api: KubernetesApi | None
    limiter: Limiter
    warm_up: WarmUp
    evidence: Evidence | None
    notifier: Notifier | None
    clock: Clock
    ceiling: Callable[[], KillSwitchCeiling]
    until: datetime
    waits_until: datetime | None = None
    function_url: str = ""
    pool: Executor
    evidence_pool: ThreadPoolExecutor
    collector: Collector
    unread: Mapping[str, ResponderError] = field(default_factory=dict)
    early: Mapping[ChangedObject | None, tuple[Reading, ...]] = field(default_factory=dict)
    run: Callable[[], CloudRunApi | None] = lambda: None
    run_read: dict[str, RunService] = field(default_factory=dict)
    wait: Callable[[float], None] = sleep
    logs: Callable[[], CloudLogs | None] = lambda: None
    registry: Callable[[], ImageRegistry | None] = lambda: None
    metrics: Callable[[], CloudMetrics | None] = lambda: None
    signer: Signer | None = None
    store: CasStore | None = None
