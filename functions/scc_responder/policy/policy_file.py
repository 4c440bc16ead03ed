"""A policy file as written, and all that can be wrong with it beyond its types."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from scc_responder.actions import Params, actions
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import StrictValue
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.limits import Limit, limit_mistakes
from scc_responder.policy.match import Match, match_mistakes
from scc_responder.policy.mistakes import DocumentPath, Mistake, expected


class OnFailure(StrEnum):
    """What becomes of the later steps of a policy after one that failed."""

    STOP = "stop"
    CONTINUE = "continue"


class StepFile(StrictValue, frozen=True, kw_only=True, rename={"parameters": "with"}):
    """One step as written: `action` and its `with`.

    `needs` names actions of earlier steps that must have been carried out and proven before this one starts.
    """

    action: str
    parameters: dict[str, Any] = {}
    needs: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.STOP


class PolicyFile(StrictValue, frozen=True, kw_only=True):
    """A policy file, field by field."""

    name: str
    description: str
    owner: str
    mode: Mode
    when: Match
    unless: Match = Match()
    condition: str = ""
    then: tuple[StepFile, ...]
    limits: tuple[Limit, ...] = ()


def policy_mistakes(file: PolicyFile, own_name: str, rails: Guardrails | None) -> Iterator[Mistake]:
    """Every mistake of a policy whose file is `own_name`.yaml, under these guardrails; None if they cannot be read."""
    if file.name != own_name:
        yield Mistake(path=("name",), text=f"{file.name!r} must be the file's own name, {own_name!r}")
    for field in ("description", "owner"):
        if not getattr(file, field).strip():
            yield Mistake(path=(field,), text=f"empty; {_SAY[field]}")
    if not file.when.given():
        yield Mistake(path=("when",), text='at least one condition is needed; for every threat write threat: "*"')
    yield from match_mistakes(file.when, ("when",))
    yield from match_mistakes(file.unless, ("unless",))
    yield from _condition(file.condition)
    if not file.then:
        yield Mistake(path=("then",), text=f"at least one action is needed, one of {', '.join(actions())}")
    yield from _steps(file.then, rails)
    for index, limit in enumerate(file.limits):
        yield from limit_mistakes(limit, ("limits", index))


def _condition(expression: str) -> Iterator[Mistake]:
    if not expression:
        return
    from scc_responder.policy.cel_mistakes import condition_mistakes  # noqa: PLC0415 - only a policy with one needs it

    yield from condition_mistakes(expression, ("condition",))


_SAY = {"description": "say what the policy is for", "owner": "say who answers for it, such as secops@example.com"}


def _steps(steps: tuple[StepFile, ...], rails: Guardrails | None) -> Iterator[Mistake]:
    seen: dict[tuple[str, bytes], int] = {}
    for index, step in enumerate(steps):
        path: DocumentPath = ("then", index)
        if step.action not in actions():
            told = f"unknown action {step.action!r}; {expected(step.action, actions())}"
            yield Mistake(path=(*path, "action"), text=told, reason="unknown_action")
            continue
        mistakes = list(_parameters(step, (*path, "with"), rails))
        yield from mistakes
        yield from _unmet(step, [other.action for other in steps[:index]], (*path, "needs"))
        if not mistakes:
            asked = (step.action, msgspec.json.encode(typed(step), order="sorted"))
            if asked in seen:
                told = f"{step.action} with the same parameters is then[{seen[asked]}] already; remove one"
                yield Mistake(path=path, text=told)
            seen.setdefault(asked, index)


def typed(step: StepFile) -> Params:
    """The step's parameters as its action's own. Raises msgspec.ValidationError."""
    return msgspec.convert(step.parameters, actions()[step.action].params)


def _parameters(step: StepFile, path: DocumentPath, rails: Guardrails | None) -> Iterator[Mistake]:
    try:
        refused = typed(step).refused_by(rails.allowed_keys) if rails else ""
    except msgspec.ValidationError as error:
        from scc_responder.policy.type_mistakes import diagnose  # noqa: PLC0415 - only a mistake needs it

        found = list(diagnose(step.parameters, actions()[step.action].params)) or [Mistake(text=str(error))]
        yield from (msgspec.structs.replace(mistake, path=(*path, *mistake.path)) for mistake in found)
    else:
        if refused:
            field, _, told = refused.partition(": ")
            known = field in step.parameters
            yield Mistake(path=(*path, field) if known else path, text=told if known else refused)


def _unmet(step: StepFile, earlier: list[str], path: DocumentPath) -> Iterator[Mistake]:
    """What a step needs must stand before it, or it could never be met."""
    for index, needed in enumerate(step.needs):
        if needed not in earlier:
            found = f"; {expected(needed, earlier)}" if earlier else ", and this step is the first"
            told = f"{needed!r} must be an action of an earlier step{found}"
            yield Mistake(path=(*path, index), text=told)
