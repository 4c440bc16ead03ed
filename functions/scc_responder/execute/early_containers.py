"""Put in the containers that cut and freeze before the steps before them: they begin while the pod is being isolated.

A container takes longer to begin than an isolation to be written. And a kubelet that was just told of another change of
a pod, such as a label, takes up to a second until it looks at the pod again: what is put in after that begins late.
The steps keep their order: each finds its container in the pod and reads the answer in its turn, and a cut counts only
where the isolation came in time for it. Whatever stands in the way here is left to the steps.

Root beside a container of ours may stop it before it begins, and then the kubelet starts and reports no other of the
pod. So beside root what looks is put in alone, once the kubelet works on the cut: it reports what that started before
it starts anything else. Source: k8s.io/kubernetes/pkg/kubelet, `podWorkerLoop` and `SyncPod`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from scc_responder.collect.confirm import Settled
from scc_responder.domain.changes import Change, Collector, Disruption
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.collector_container import NO_KEY, CollectorJob, impossible
from scc_responder.domain.kubernetes.collector_stream import public_text
from scc_responder.domain.kubernetes.container_processes import may_be_root
from scc_responder.domain.kubernetes.ephemeral_containers import (
    Role,
    container_name,
    ephemeral_of,
    ephemeral_status,
    together,
)
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.status import not_the_target
from scc_responder.execute.dependencies import must_wait, unmet
from scc_responder.execute.execution import REPEATABLE, Execution, Task
from scc_responder.execute.gate import Gate, Withheld
from scc_responder.journal.claimed_case import LostLease
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision
from scc_responder.policy.order import in_order
from scc_responder.policy.policy_set import OnFailure

_REPORT_WAITS_SECONDS = tuple(0.03 * 2**number for number in range(6))
"""Before each look at whether the kubelet works on the cut, 2 s in all: it reports that some 20 ms after the request.

It takes 0.1 s to start one. What looks has to come within that, or it begins a second later: after the pod's new label.
"""


@dataclass(frozen=True, slots=True)
class _Early:
    task: Task
    change: Change
    job: CollectorJob
    is_free: bool


def begin_early(execution: Execution) -> tuple[Change, ...]:
    """Put the containers in, if nothing stands in the way. Returns the changes that they rely on: they come first now.

    Raises LostLease, Settled where the kill switch ends everything.
    """
    session, collector, pod = execution.world.cluster, execution.world.collector, execution.context.objects.get("pod")
    if session is None or pod is None or not collector.image:
        return ()
    early = _together([*_candidates(execution, pod)], pod)
    if not early:
        return ()
    jobs = [item.job for item in early]
    try:
        put_in_together(session, collector, jobs, partial(_check, execution, early), partial(_intend, execution, early))
    except (LostLease, Settled):
        raise
    except (ResponderError, Withheld):
        session.forget(early[0].job.path)
        return ()
    return tuple(item.change.relies_on for item in early if item.change.relies_on)


def put_in_together(
    session: ClusterSession,
    collector: Collector,
    jobs: Sequence[CollectorJob],
    check: Callable[[], None],
    intend: Callable[[], None],
) -> None:
    """Put several containers into one pod with one request, each in its first form. Nothing where that is refused.

    Beside what may be root, the first alone, and all once the kubelet has taken that up: it starts them in their order.
    `check` raises where they may not be put in, while the cluster is asked; `intend` writes their intents. The steps
    find them there then. Raises ApiError, StoreError.
    """
    first, names = jobs[0], {container_name(job.role, collector.case) for job in jobs}
    read, path = session.read(first.path), api_paths.ephemeral_containers(first.namespace, first.pod)
    if read is None or not_the_target(read, first.uid) or impossible(read, collector):
        return
    if any(ephemeral_of(read, name) for name in names):
        return

    def put(key: str, chosen: Sequence[CollectorJob], *, dry_run: bool = False) -> ApiObject:
        made = [(job.container(collector.case, key), job.forms(read)[0]) for job in chosen]
        body = together([container.patch(collector.image, first.uid, form) for container, form in made])
        return session.api.patch(path, body, dry_run=dry_run, strategic=True)

    rehearsal = session.pool.submit(put, NO_KEY, jobs, dry_run=True)
    try:
        check()
    except BaseException:
        rehearsal.cancel()
        raise
    rehearsal.result()
    key = public_text(collector.private_key())
    intend()
    waits = first.role is Role.CUT and any(may_be_root(read, job.target) for job in jobs[1:])
    session.keep(first.path, put(key, jobs[:1] if waits else jobs))
    if waits:
        name = container_name(first.role, collector.case)
        session.beside(first.path, partial(_put_once_reported, session, first.path, name, partial(put, key, jobs)))


def _put_once_reported(session: ClusterSession, path: str, name: str, put: Callable[[], object]) -> None:
    """Put the rest in once the kubelet reports that container in whatever state: it works on a pod without the rest."""
    for seconds in _REPORT_WAITS_SECONDS:
        session.wait(seconds)
        if ephemeral_status(session.api.get(path), name):
            put()
            return


def _check(execution: Execution, early: Sequence[_Early]) -> None:
    """Raises what `Gate.check` does, for any of them."""
    for item in early:
        Gate(execution=execution, task=item.task, withheld=None, dry_run=False).check()


def _intend(execution: Execution, early: Sequence[_Early]) -> None:
    """Write all intents at once."""
    now, epoch = execution.world.clock(), execution.case.record.epoch
    execution.case.save(*execution.pending, *(item.task.step(now, epoch) for item in early))
    execution.pending.clear()


def _together(candidates: Sequence[_Early], pod: ApiObject) -> Sequence[_Early]:
    """Those of one request, each container once, the cut first. Beside root nothing looks before a cut that waits."""
    by_name = {item.job.role: item for item in reversed(candidates) if item.is_free}
    if Role.CUT not in by_name and any(item.job.role is Role.CUT for item in candidates):
        by_name = {role: item for role, item in by_name.items() if not may_be_root(pod, item.job.target)}
    urgent = any(item.change.declared.disrupts is Disruption.PODS for item in by_name.values())
    return sorted(by_name.values() if urgent else (), key=lambda item: item.job.role is not Role.CUT)


def _candidates(execution: Execution, pod: ApiObject) -> Iterator[_Early]:
    """The changes of the decision that begin with a container of ours and are not carried out yet."""
    before: list[Change] = []
    for policy, planned in in_order(execution.decision):
        if planned.result != ActionResult.PLANNED or policy.mode not in {Mode.APPROVE, Mode.ENFORCE}:
            continue
        for index, change in enumerate(planned.changes):
            name = execution.action_id(planned)
            task = Task(policy=policy, action=planned.action, action_id=name, index=index, change=change)
            job = change.begins_with(pod)
            recorded = execution.recorded(task)
            if job and (recorded is None or recorded.status in REPEATABLE):
                is_free = _is_free(execution, policy, planned) and change.relies_on in (None, *before)
                yield _Early(task, change, job, is_free)
        before += planned.changes


def _is_free(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> bool:
    """Whether the outcome of no step before it decides whether it is carried out."""
    if must_wait(execution, policy, planned) or unmet(execution, policy, planned):
        return False
    earlier = policy.actions[: policy.actions.index(planned)]
    return not any(item.on_failure == OnFailure.STOP for item in earlier)
