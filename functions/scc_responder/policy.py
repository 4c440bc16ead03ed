"""What a policy file says: when it applies, unless what, then which actions, in which mode."""

from __future__ import annotations

import difflib
import hashlib
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.action import Params, actions
from scc_responder.documents import read_document
from scc_responder.errors import PolicyError
from scc_responder.guardrails import FILE_NAME, Guardrails
from scc_responder.guardrails_file import load_guardrails
from scc_responder.limits import Limit
from scc_responder.match import Match, Severity
from scc_responder.mode import Mode
from scc_responder.value import StrictValue, Value

TEST_SUFFIX = ".test.yaml"


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


class PolicyStep(Value, frozen=True, kw_only=True, dict=True):
    """One step, its parameters checked and typed. See `StepFile`."""

    action: str
    params: Params
    needs: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.STOP

    @cached_property
    def variant(self) -> str:
        """What is asked for, as one text: the same parameters are the same text."""
        return msgspec.json.encode(self.params, order="sorted").decode()


class Policy(Value, frozen=True, kw_only=True):
    """One policy, ready to be matched. `condition` is a CEL expression, or empty.

    `limits` count what this policy does anywhere; those of the guardrails hold beside them.
    """

    name: str
    description: str
    owner: str
    mode: Mode
    when: Match
    unless: Match
    condition: str = ""
    then: tuple[PolicyStep, ...]
    limits: tuple[Limit, ...] = ()


class PolicySet(Value, frozen=True, kw_only=True):
    """All policies of a folder and its guardrails. `digest` stands in every record that they led to."""

    policies: tuple[Policy, ...]
    guardrails: Guardrails
    digest: str


def load_policies(folder: Path) -> PolicySet:
    """Every policy of the folder: all of them or none. Raises PolicyError."""
    if not folder.is_dir():
        raise PolicyError("no_policy_folder", f"{folder}: there is no such folder; name one with --policies")
    rails = load_guardrails(folder)
    for path in folder.glob("*.yml"):
        raise PolicyError("invalid_policy", f"{path.name}: rename it to {path.stem}.yaml, or it is not read")
    paths = sorted(path for path in folder.glob("*.yaml") if _is_policy(path))
    policies = tuple(_load_policy(path, rails) for path in paths)
    return PolicySet(policies=policies, guardrails=rails, digest=_digest(folder, paths))


def _is_policy(path: Path) -> bool:
    return not path.name.endswith(TEST_SUFFIX) and path.name != FILE_NAME


def _digest(folder: Path, paths: list[Path]) -> str:
    digest = hashlib.sha256()
    rails = folder / FILE_NAME
    for path in [*paths, *([rails] if rails.exists() else [])]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _load_policy(path: Path, rails: Guardrails) -> Policy:
    file = read_document(path, PolicyFile, {"mode": Mode, "severity": Severity, "on_failure": OnFailure})
    if file.name != path.stem:
        raise PolicyError(
            "invalid_policy", f"{path.name}: name: {file.name!r} must be the file's own name, {path.stem!r}"
        )
    if not file.then:
        raise PolicyError("invalid_policy", f"{path.name}: then: at least one action is needed")
    if not file.when.given():
        raise PolicyError("invalid_policy", f"{path.name}: when: at least one condition is needed")
    _refuse_empty(path, file)
    steps = tuple(_load_step(path, index, step, rails) for index, step in enumerate(file.then))
    _refuse_unmet(path, file)
    return Policy(
        name=file.name,
        description=file.description,
        owner=file.owner,
        mode=file.mode,
        when=file.when,
        unless=file.unless,
        condition=file.condition,
        then=steps,
        limits=file.limits,
    )


def _refuse_empty(path: Path, file: PolicyFile) -> None:
    """An empty list holds for nothing, and empty labels for every pod: nobody means either."""
    for part, conditions in (("when", file.when), ("unless", file.unless)):
        for name, value in conditions.given().items():
            patterns = value.values() if isinstance(value, dict) else (value,)
            if not value or not all(patterns):
                raise PolicyError("invalid_policy", f"{path.name}: {part}.{name}: empty; give a pattern or remove it")


def _refuse_unmet(path: Path, file: PolicyFile) -> None:
    """What a step needs must stand before it, or it could never be met."""
    for index, step in enumerate(file.then):
        earlier = [other.action for other in file.then[:index]]
        for needed in step.needs:
            if needed not in earlier:
                where = f"{path.name}: then[{index}].needs"
                raise PolicyError("invalid_policy", f"{where}: {needed!r} must be an action of an earlier step")


def _load_step(path: Path, index: int, step: StepFile, rails: Guardrails) -> PolicyStep:
    known = actions()
    where = f"{path.name}: then[{index}]"
    if step.action not in known:
        raise PolicyError(
            "unknown_action", f"{where}.action: unknown action {step.action!r}{_hint(step.action, known)}"
        )
    try:
        params = msgspec.convert(step.parameters, known[step.action].params)
    except msgspec.ValidationError as error:
        raise PolicyError("invalid_policy", f"{where}.with: {error}") from error
    refused = params.refused_by(rails)
    if refused:
        raise PolicyError("invalid_policy", f"{where}.with: {refused}")
    return PolicyStep(action=step.action, params=params, needs=step.needs, on_failure=step.on_failure)


def _hint(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f", expected one of: {', '.join(known)}{meant}"
