"""A plan as a page shows it: each step with its changes and what people feel of it, who approved, and for how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from scc_responder.actions import actions
from scc_responder.domain.changes import is_reversible
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.journal.account.about_acts import changes_made, felt_words
from scc_responder.journal.account.answers import AccountLine
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import Plan, PlanState, PlanStep, lesser_plan


class ShownStep(Value, frozen=True, kw_only=True):
    """One step of a plan. `targets` are what it changes, `changes` lines of name and text. All of it is inert.

    `meaning` is what its action is for; empty where this version has no such action.
    """

    action: str
    meaning: str
    policy: str
    felt: str
    can_be_undone: bool
    targets: tuple[str, ...]
    changes: tuple[tuple[AccountLine, ...], ...]


class ShownPlan(Value, frozen=True, kw_only=True):
    """A plan. `given` are its approvals, `missing` how many are needed still; `ended` is empty while it waits.

    `left_out` are the actions that people approve it without.
    """

    digest: str
    steps: tuple[ShownStep, ...]
    given: tuple[str, ...]
    missing: int
    minutes_left: int
    after: str
    ended: str
    left_out: tuple[str, ...]


def shown_plan(plan: Plan, now: datetime) -> ShownPlan:
    """The plan at this moment."""
    over = plan.state is not PlanState.WAITING or now >= plan.expires_at
    return ShownPlan(
        digest=plan.digest,
        steps=tuple(map(_step, plan.steps)),
        given=tuple(f"{inert(given.by)} at {given.at:%H:%M:%S} UTC" for given in plan.approvals),
        missing=max(0, plan.needed - len(plan.approvals)),
        minutes_left=max(0, int((plan.expires_at - now).total_seconds() // 60)),
        after=inert(plan.after),
        left_out=tuple(inert(step.action) for step in plan.left_out),
        ended=_ended(plan) if over else "",
    )


_ENDED = {
    PlanState.WAITING: "nobody answered in time",
    PlanState.EXPIRED: "nobody answered in time",
    PlanState.APPROVED: "it is approved, and not begun yet",
    PlanState.USED: "it is approved and carried out",
    PlanState.REJECTED: "it is rejected",
    PlanState.VOID: "it is void",
}


def _ended(plan: Plan) -> str:
    """How it ended, by whom, and why."""
    reason = Reason.read(plan.reason)
    by = f", by {plan.by}" if plan.by else ""
    why = "; ".join(filter(None, (reason.meaning if reason else plan.reason, plan.said)))
    return inert(f"{_ENDED[plan.state]}{by}" + (f": {why}" if why else ""))


def shown_lesser(record: CaseRecord, now: datetime) -> ShownPlan | None:
    """The case's plan without what cannot be undone; None where there is no such plan."""
    lesser = lesser_plan(record.plan, record.finding_key) if record.plan else None
    return shown_plan(lesser, now) if lesser else None


def plan_digests(record: CaseRecord) -> frozenset[str]:
    """What a form about the case may say of its plan: the digest of the whole one, or of the lesser one."""
    plan = record.plan
    lesser = lesser_plan(plan, record.finding_key) if plan else None
    return frozenset({plan.digest if plan else "", lesser.digest if lesser else plan.digest if plan else ""})


def has_approved(plan: Plan, name: str) -> bool:
    """Whether this person has approved it already: then it is another one's turn."""
    return any(given.by.lower() == name.lower() for given in plan.approvals)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago it was, in words.

    >>> from datetime import timedelta
    >>> then = datetime(2026, 1, 1)
    >>> ago(then, then + timedelta(seconds=4)), ago(then, then + timedelta(minutes=90))
    ('4 s ago', '90 min ago')
    """
    seconds = max(0, int((now - moment).total_seconds()))
    return (
        f"{seconds} s ago"
        if seconds < 120
        else f"{seconds // 60} min ago"
        if seconds < 7200
        else f"{moment:%Y-%m-%d %H:%M} UTC"
    )


def _step(step: PlanStep) -> ShownStep:
    return ShownStep(
        action=inert(step.action),
        meaning=_meaning(step.action),
        policy=inert(step.policy),
        felt=inert(felt_words(step.action, step.changes)),
        can_be_undone=all(map(is_reversible, step.changes)),
        targets=tuple(dict.fromkeys(map(_target, step.changes))),
        changes=tuple(tuple(_lines(change)) for change in step.changes),
    )


def standing_lines(record: CaseRecord) -> list[str]:
    """What was changed and stands, and what is felt of it: each act once."""
    made = (
        (step.action, _target(step.change), felt_words(step.action, [step.change])) for step in changes_made(record)
    )
    return [*dict.fromkeys(f"{inert(action)}: {target}; users feel: {inert(felt)}" for action, target, felt in made)]


def _meaning(action: str) -> str:
    """The first paragraph of its documentation, in one line."""
    found = actions().get(action)
    told = (found.plan.__doc__ or "").partition("\n\n")[0] if found else ""
    return " ".join(told.replace("`", "").split())


def _target(change: dict[str, object]) -> str:
    """What a change is made to, as far as it says so."""
    named = [str(change[name]) for name in ("namespace", "pod_name", "name") if change.get(name)][:2]
    place = "/".join(named) or str(change.get("path", ""))
    kind = str(change.get("kind") or change.get("change") or "change").replace("_", " ")
    return inert(f"{kind} {place}".strip())


def _lines(change: dict[str, object]) -> Iterator[AccountLine]:
    for name, value in change.items():
        if value not in ("", {}, None, [], False):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
            yield AccountLine(name=inert(name), text=inert(text))
