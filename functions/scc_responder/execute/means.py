"""What changes are carried out with: the finding's cluster, evidence, and people who are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import to_builtins
from msgspec.structs import replace

from scc_responder.domain.changes import Change, Collector, Inspected, StepRun, stored
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import FrozenProcess, Result, StepStatus
from scc_responder.execute.evidence.capture import capture
from scc_responder.execute.execution import Execution
from scc_responder.execute.publish import publish
from scc_responder.journal.account.manifest_names import manifests_of
from scc_responder.journal.chain.chain_check import chain_fields, chain_statement
from scc_responder.journal.contained import contained_fields, frozen_processes, instances_unknown
from scc_responder.journal.messages import decision_summary
from scc_responder.journal.notices import outcome_notice


def without_target(execution: Execution) -> Result:
    """The outcome where there is nothing to act on."""
    return Result(status=StepStatus.SKIPPED, reason=execution.context.pod_missing)


class StepMeans:
    """`changes.Means` for one execution."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def in_cluster(self, change: Callable[[ClusterSession], Result]) -> Result:
        """See `Means.in_cluster`."""
        session = self._execution.world.cluster
        return without_target(self._execution) if session is None else change(session)

    def in_cloud_run(self, change: Callable[[RunSession], Result]) -> Result:
        """See `Means.in_cloud_run`."""
        world = self._execution.world
        api = world.run()
        if api is None:
            return Result(status=StepStatus.HELD, reason=Reason.CLOUD_RUN_NOT_REACHED)
        return change(RunSession(api, world.wait, world.run_read))

    @property
    def collector(self) -> Collector:
        """See `Means.collector`."""
        return self._execution.world.collector

    def frozen(self, uid: str) -> tuple[FrozenProcess, ...]:
        """See `Means.frozen`."""
        return frozen_processes(self._execution.current_steps, uid)

    def was_done_by(self, change: Change, moment: datetime) -> bool:
        """See `Means.was_done_by`."""
        same = [step for step in self._execution.steps if step.change == stored(change)]
        return all(step.status is StepStatus.DONE and (step.settled_at or moment) <= moment for step in same)

    def capture_evidence(self, change: Change, step: StepRun) -> Result:
        """See `Means.capture_evidence`."""
        execution = self._execution
        earlier, chain = manifests_of(execution.record), chain_statement(execution.record)
        return capture(change, step, execution.context, execution.world, earlier, chain=chain)

    def keep_inspection(self, inspected: Inspected) -> Result:
        """See `Means.keep_inspection`. The case keeps what it means, for this delivery and later ones."""
        from scc_responder.execute.evidence.inspection.keeping import keep_inspection  # noqa: PLC0415 - cold start

        case, context = self._execution.case, self._execution.context
        earlier, chain = manifests_of(self._execution.record), chain_statement(self._execution.record)
        result, facts = keep_inspection(inspected, context, self._execution.world, earlier, chain=chain)
        if facts != Inspection():
            case.inspected(facts)
        return result

    def publish_decision(self, step: StepRun, to: str) -> Result:
        """See `Means.publish_decision`."""
        from scc_responder.execute.evidence.kept_facts import kept_facts  # noqa: PLC0415 - cold start
        from scc_responder.journal.account.answer_fields import answer_fields  # noqa: PLC0415 - as above
        from scc_responder.journal.account.known_fields import known_fields  # noqa: PLC0415 - as above

        execution = self._execution
        context, world, plan = execution.context, execution.world, execution.case.record.plan
        facts, inspection = kept_facts(context), execution.case.record.inspection
        decided = decision_summary(context, execution.decision, "", facts)
        notice = outcome_notice(
            context,
            execution.decision,
            execution.steps,
            plan,
            function_url=world.function_url,
            state=execution.state,
            further={
                **known_fields(context.finding.name, to_builtins(context.threat), facts, inspection),
                **answer_fields(replace(execution.record, state=execution.state, decision=decided)),
                **contained_fields(execution.record, decided["policies"]),
                **self._unknown(),
                **chain_fields(execution.record, execution.steps),
            },
        )
        key = f"{execution.record.opened_epoch} {step.action_id}"
        labels = notice.labels | ({"to": to} if to else {})
        return publish(replace(notice, labels=labels, key=key), step, world.notifier)

    def _unknown(self) -> dict[str, str]:
        """`instances_unknown`, where nobody can say whether a retired revision still runs."""
        why = instances_unknown(self._execution.record, Reason.METRICS_BEFORE_CHANGE)
        if why == Reason.METRICS_BEFORE_CHANGE and self._execution.world.metrics() is None:
            why = Reason.NO_CLOUD_MONITORING
        return {"instances_unknown": why} if why else {}
