"""Put in the containers that cut and freeze before the steps before them: they begin while the pod is being isolated.

A container takes longer to begin than an isolation to be written. And a kubelet that was just told of another change of
a pod, such as a label, takes up to a second until it looks at the pod again: what is put in after that begins late.
The steps keep their order: each finds its container in the pod and reads the answer in its turn, and a cut counts only
where the isolation came in time for it. Whatever stands in the way here is left to the steps.
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
from scc_responder.domain.kubernetes.ephemeral_containers import container_name, ephemeral_of, together
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


@dataclass(frozen=True, slots=True)
class _Early:
    task: Task
    change: Change
    job: CollectorJob


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

    `check` raises where they may not be put in, while the cluster is asked; `intend` writes their intents. The steps
    find them there then. Raises ApiError, StoreError.
    """
    first, names = jobs[0], {container_name(job.role, collector.case) for job in jobs}
    read, path = session.read(first.path), api_paths.ephemeral_containers(first.namespace, first.pod)
    if read is None or not_the_target(read, first.uid) or impossible(read, collector):
        return
    if any(ephemeral_of(read, name) for name in names):
        return
    forms = [job.forms(read)[0] for job in jobs]

    def body(key: str) -> ApiObject:
        containers = [job.container(collector.case, key) for job in jobs]
        made = zip(containers, forms, strict=True)
        return together([container.patch(collector.image, first.uid, form) for container, form in made])

    rehearsal = session.pool.submit(session.api.patch, path, body(NO_KEY), dry_run=True, strategic=True)
    try:
        check()
    except BaseException:
        rehearsal.cancel()
        raise
    rehearsal.result()
    key = public_text(collector.private_key())
    intend()
    session.keep(first.path, session.api.patch(path, body(key), strategic=True))


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
    """Those of one request: a look at what may be root waits until the cut was read, and each container comes once."""
    cuts = any(not item.job.target for item in candidates)
    by_name = {
        item.job.role: item
        for item in reversed(candidates)
        if not (item.job.target and cuts and may_be_root(pod, item.job.target))
    }
    urgent = any(item.change.declared.disrupts is Disruption.PODS for item in by_name.values())
    return [item for item in candidates if urgent and by_name.get(item.job.role) is item]


def _candidates(execution: Execution, pod: ApiObject) -> Iterator[_Early]:
    """The changes of the decision that begin with a container of ours, and that nothing keeps back now."""
    before: list[Change] = []
    for policy, planned in in_order(execution.decision):
        if planned.result != ActionResult.PLANNED or policy.mode not in {Mode.APPROVE, Mode.ENFORCE}:
            continue
        for index, change in enumerate(planned.changes):
            name = execution.action_id(planned)
            task = Task(policy=policy, action=planned.action, action_id=name, index=index, change=change)
            job = change.begins_with(pod)
            if job and _is_free(execution, policy, planned, task) and change.relies_on in (None, *before):
                yield _Early(task, change, job)
        before += planned.changes


def _is_free(execution: Execution, policy: PolicyDecision, planned: PlannedAction, task: Task) -> bool:
    """Whether the outcome of no step before it decides whether it is carried out, nor is it carried out already."""
    recorded = execution.recorded(task)
    earlier = policy.actions[: policy.actions.index(planned)]
    return (
        (recorded is None or recorded.status in REPEATABLE)
        and not must_wait(execution, policy, planned)
        and not unmet(execution, policy, planned)
        and not any(item.on_failure == OnFailure.STOP for item in earlier)
    )
