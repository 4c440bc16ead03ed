"""A person says of a case whether what was done was right. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from scc_responder.domain.changes import Disruption, kind_of_stored
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.guard.trust.error_budget import Verdict
from scc_responder.journal.case import CaseRecord, PersonsMark
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import is_another_plan
from scc_responder.journal.step import Step

_MADE = frozenset({StepStatus.DONE, StepStatus.TERMINATING, StepStatus.NOT_EFFECTIVE})


def marked(record: CaseRecord, is_held: bool, mark: PersonsMark, plan: str = "") -> Transition:
    """Keep the mark, in place of an earlier one. A `journal.TransitionRule`.

    Refused with 409 `case_in_progress` while a delivery works on the case: what it does is still to come; and
    `plan_digest_differs` where the person was shown another plan of it.
    """
    if is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=409)
    if is_another_plan(record.plan, plan):
        return Transition(reason=Reason.PLAN_DIGEST_DIFFERS, status=409)
    return Transition(reason=Reason.MARKED, status=204, record=replace(record, mark=mark))


def verdicts(record: CaseRecord, mark: PersonsMark) -> Iterator[tuple[str, Verdict]]:
    """The mark as a verdict on each policy that did something in the case: cut off its target, or what is final."""
    made = [step for step in record.steps if _counts(step)]
    for policy in dict.fromkeys(step.policy for step in made):
        steps = [step for step in made if step.policy == policy]
        cut = any(_is_reversible(step) for step in steps)
        namespace, workload = _where(record) if cut else ("", "")
        yield (
            policy,
            Verdict(
                case=case_id(record.finding_key),
                is_wrong=mark.is_wrong,
                at=mark.at,
                by=mark.by,
                is_final=not all(map(_is_reversible, steps)),
                workload=workload,
                namespace=namespace,
            ),
        )


def _counts(step: Step) -> bool:
    """Whether a policy made the change, and it is more than a mark, evidence, or the cordon of a node."""
    kind, reason = kind_of_stored(step.change), Reason.read(step.reason)
    stood_so = reason is not None and reason.is_already
    is_made = bool(step.policy) and step.status in _MADE and not stood_so and not step.undoes
    return is_made and kind is not None and kind.disrupts in {Disruption.PODS, Disruption.SERVICES}


def _is_reversible(step: Step) -> bool:
    kind = kind_of_stored(step.change)
    return kind is not None and kind.reversible


def _where(record: CaseRecord) -> tuple[str, str]:
    """Namespace and workload of the case's pod, as far as they were read; of Cloud Run, the service or job twice."""
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    if pod:
        return str(pod.get("namespace", "")), str(pod.get("workload") or f"Pod/{pod.get('name', '')}")
    name = str(run.get("name") or case_id(record.finding_key))
    return name, name
