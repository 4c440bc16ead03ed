"""The case: the stored record of one finding, from its first delivery on. Pure.

`case_json.py` has its stored form; `journal.py` stores it. Times are for people: leases go by the store's own clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from scc_responder.domain.changes import is_about_node, kind_of_stored, owner_uid
from scc_responder.domain.finding import Finding
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.intake.notification import content_digest
from scc_responder.journal.chain.step_chain import StepChain
from scc_responder.journal.plan import Approval, AskedStep, PersonsRequest, Plan, PlanState
from scc_responder.journal.step import FOR_SWEEP, Step
from scc_responder.journal.watch.watch import Watch

CASE_SCHEMA = 1
KEEP_CLOSINGS = 20
KEEP_CLOSED = timedelta(days=400)
"""How long a closed case and a reservation are needed: a year's incidents, and no copy comes later."""

KEEP_REJECTED = timedelta(days=90)
"""How long a rejected message is kept."""

UNTOLD = "untold"
"""Holds a case whose plan has ended until people are told: a sweep does that where its process has ended too."""

MAX_DETAIL = 500


class WordKind(StrEnum):
    """What a person said of a case that is an end of its own."""

    UNDONE = "undone"
    """What was done was taken back."""
    REJECTED = "rejected_by_person"
    """The plan is not to be carried out."""
    EXEMPTED = "exempted"
    """This threat on this workload is let be, for a time."""


class PersonsWord(Value, frozen=True, kw_only=True):
    """A person's word on a case: no event of the same content about the same objects opens the case again.

    `by` is a verified e-mail address or `local`, `said` that person's words. `digest` is the content that the word is
    about (`case_digest`), `uids` the objects, as far as they are known. `until`: it counts for events before; None: for
    all.
    """

    kind: WordKind
    by: str
    at: AwareDatetime
    said: str = ""
    digest: str = ""
    uids: tuple[str, ...] = ()
    until: AwareDatetime | None = None


class PersonsMark(Value, frozen=True, kw_only=True):
    """What a person said of what was done in a case: right, or wrong. It ends nothing; `said` is why."""

    is_wrong: bool
    by: str
    at: AwareDatetime
    said: str = ""


class Closing(Value, frozen=True, kw_only=True):
    """An earlier closing of a case that was opened again.

    `approvals` are those its plan was given, `captures` the details of its captures of evidence, whose steps are not
    kept. `word` is the person's word that the case had, `taken_back` the steps that a person took back, and those by
    which that was done. `extra` holds fields that this version does not know.
    """

    state: CaseState
    epoch: int
    reason: str = ""
    closed_at: AwareDatetime | None = None
    approvals: tuple[Approval, ...] = ()
    captures: tuple[str, ...] = ()
    word: PersonsWord | None = None
    taken_back: tuple[Step, ...] = ()
    extra: dict[str, Any] = {}


class CaseRecord(Value, frozen=True, kw_only=True):
    """One finding's case as stored.

    `epoch` counts the claims, `attempts` those since it was last opened. `owner` is the token of who holds the lease,
    empty where nobody does; `writer` and `seq` name the last write. `event_time` and `digest` are of the finding as it
    was last confirmed, or as it was notified while it is not confirmed yet. `seen` counts copies that changed nothing
    (bounded). `canonical_name` is under the nearest ancestor: who may read the findings of one project or folder alone
    reads by it. `cluster` is the path of the one that the finding is about, once confirmed; of Cloud Run `projects/P`.
    `plan` is what waits for approval, or how it ended. `request` is what a person asks for that is not done yet;
    `asked` the step of it, `revision` the one of Cloud Run that a person chose. `inspection` is what a look into the
    container told. `word` is a person's, where it ended the case; `mark` what a person said of what was done. `undone`
    is when it was found that others took away what was done. `unasked`: a sweep opened it by itself, so what cannot be
    undone waits for a person. `watch` says when what was done is looked at, and what was seen. `chain` is the hash
    chain over what is `chained`.
    `extra` holds fields that this version does not know.
    """

    finding_key: str
    finding_name: str
    event_time: AwareDatetime
    digest: str
    schema: int = CASE_SCHEMA
    canonical_name: str = ""
    cluster: str = ""
    state: CaseState = CaseState.OPEN
    reason: str = ""
    finding_state: str = ""
    category: str = ""
    epoch: int = 1
    attempts: int = 1
    owner: str = ""
    writer: str = ""
    seq: int = 0
    seen: int = 0
    steps: tuple[Step, ...] = ()
    decision: dict[str, Any] = {}
    plan: Plan | None = None
    request: PersonsRequest | None = None
    asked: AskedStep | None = None
    revision: str = ""
    inspection: Inspection | None = None
    watch: Watch | None = None
    history: tuple[Closing, ...] = ()
    word: PersonsWord | None = None
    mark: PersonsMark | None = None
    undone: tuple[AwareDatetime, ...] = ()
    unasked: bool = False
    opened_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    chain: StepChain | None = None
    extra: dict[str, Any] = {}

    @property
    def current_steps(self) -> tuple[Step, ...]:
        """The steps since the case was last opened."""
        before = self.history[-1].epoch if self.history else 0
        return tuple(step for step in self.steps if step.epoch > before)

    @property
    def chained(self) -> tuple[Step | Plan, ...]:
        """What the hash chain is made of: the steps that were taken back before, those of now, and the plan."""
        before = (step for closing in self.history for step in closing.taken_back)
        return (*before, *self.steps, *([self.plan] if self.plan else ()))

    @property
    def opened_epoch(self) -> int:
        """The first claim since the case was last opened."""
        return self.epoch - self.attempts + 1

    @property
    def target_uids(self) -> frozenset[str]:
        """UIDs of the pods, or of what is on Cloud Run, acted upon since it was last opened: it is about no others."""
        return self._uids(of_nodes=False)

    @property
    def node_uids(self) -> frozenset[str]:
        """The same of nodes."""
        return self._uids(of_nodes=True)

    @property
    def node_name(self) -> str:
        """The node acted upon since the case was last opened; empty where there is none."""
        names = (step.change.get("name", "") for step in self.current_steps if is_about_node(step.change))
        return next(names, "")

    @property
    def node_marks(self) -> frozenset[str]:
        """The ids of the actions on nodes: what was changed carries one."""
        return frozenset(step.action_id for step in self.current_steps if is_about_node(step.change))

    @property
    def has_ended_pod(self) -> bool:
        """Whether the case itself has ended the pod that it is about, or is about to, since it was last opened."""
        ended = (step for step in self.current_steps if step.status is StepStatus.DONE or step.is_awaited)
        kinds = (kind_of_stored(step.change) for step in ended if step.expected_uid)
        return any(kind is not None and kind.ends_pod for kind in kinds)

    def _uids(self, *, of_nodes: bool) -> frozenset[str]:
        steps = (step for step in self.current_steps if step.change and is_about_node(step.change) == of_nodes)
        return frozenset(uid for step in steps if (uid := owner_uid(step.change, step.expected_uid)))

    @property
    def is_approved(self) -> bool:
        """Whether a person approved what mode `approve` plans, and nothing had changed when it began."""
        return self.plan is not None and self.plan.state is PlanState.USED

    @property
    def planned_at(self) -> datetime | None:
        """When the plan was made, unless it is void: a finding's age counts up to it, not up to the answer."""
        return self.plan.created_at if self.plan and self.plan.state is not PlanState.VOID else None

    def step(self, action_id: str, index: int = 0) -> Step | None:
        """What is recorded of one step, or None."""
        return next((step for step in self.steps if (step.action_id, step.index) == (action_id, index)), None)

    def with_steps(self, steps: tuple[Step, ...]) -> CaseRecord:
        """The record with these steps in place of those of the same (action_id, index), new ones at the end.

        What was intended under the same claim before others, and is written again after them, comes to the end too.
        """
        known = {(step.action_id, step.index): step for step in self.steps}
        for step in steps:
            name = step.action_id, step.index
            before = known.get(name, step)
            if _is_overtaken(before, step.epoch, known.values()):
                del known[name]
            extra, detail = {**before.extra, **step.extra}, step.detail[:MAX_DETAIL]
            known[name] = msgspec.structs.replace(step, detail=detail, extra=extra)
        return msgspec.structs.replace(self, steps=tuple(known.values()))


def _is_overtaken(intended: Step, epoch: int, steps: Iterable[Step]) -> bool:
    """Whether the step is not settled yet, and others under its claim were intended later."""
    if intended.is_settled or intended.epoch != epoch or intended.intended_at is None:
        return False
    return any(step.intended_at and step.intended_at > intended.intended_at for step in steps if step.epoch == epoch)


def kept(record: CaseRecord) -> timedelta | None:
    """How long the case is to be kept from now on: an open one for ever."""
    return None if record.state is CaseState.OPEN else KEEP_CLOSED


HELD_FOR_NOW = frozenset(
    {Reason.CONTROL_DISABLED, Reason.CLUSTER_PAUSED, Reason.CLUSTER_NOT_ONBOARDED, Reason.CLUSTER_ACCESS_LOST}
)
"""Why a case is held until a person lets it go on: by the kill switch, or in the cluster."""


def left_to_sweep(record: CaseRecord) -> Reason:
    """Why the case is left open for a sweep."""
    return next(reason for reason in FOR_SWEEP if any(step.reason == reason for step in record.current_steps))


def is_held_for_now(record: CaseRecord) -> bool:
    """Whether the kill switch held the case, or its cluster is paused or lets us in no longer, or not yet."""
    held = record.state is CaseState.HELD and record.reason in HELD_FOR_NOW
    return held or (record.state in {CaseState.HELD, CaseState.PARTIAL} and bool(approved_and_switched_off(record)))


def approved_and_switched_off(record: CaseRecord) -> Reason | None:
    """Why the kill switch keeps what was approved from being done; None where it does not, or nothing is approved."""
    approved = record.plan is not None and record.plan.state in {PlanState.APPROVED, PlanState.USED}
    held = [Reason.read(step.reason) for step in record.current_steps if step.status is StepStatus.HELD]
    lowered = (reason for reason in held if reason and reason.word is Reason.MODE_LOWERED_BY)
    return next(lowered, None) if approved and record.word is None else None


def case_digest(finding: Finding) -> str:
    """What decides whether a newer notification brings something new: content, state, and which containers it means.

    A pod recreated under the same name differs in its containers' `create_time`; without that field the two look the
    same. Security marks are left out, so that setting one never makes a finding new.
    """
    started = sorted((item.name, item.create_time) for item in finding.containers if item.create_time)
    parts = (content_digest(finding), finding.state, finding.mute == "MUTED", started)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def action_id(action: str, cluster_path: str, target_uid: str, finding_key: str) -> str:
    """The name of one action on one object for one finding: the same at every delivery and attempt.

    Where one policy may ask for the same action on the same object in two ways, name the difference in `action`.
    """
    parts = msgspec.json.encode([action, cluster_path, target_uid, finding_key])
    return hashlib.sha256(parts).hexdigest()[:32]


class Rejection(Value, frozen=True, kw_only=True):
    """A message that was no finding, stored by the SHA-256 of its body under `rejected/<sha256>`.

    `size` is in bytes; `count` is bounded, and `last_seen` is when it was last counted.
    """

    sha256: str
    reason: str
    size: int = 0
    count: int = 1
    first_seen: AwareDatetime | None = None
    last_seen: AwareDatetime | None = None
    schema: int = CASE_SCHEMA
