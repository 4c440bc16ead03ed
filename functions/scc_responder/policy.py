"""What a policy file says: when it applies, unless what, then which actions, in which mode."""

from __future__ import annotations

import difflib
import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from scc_responder import guardrails
from scc_responder.action import Params, actions
from scc_responder.documents import read_document
from scc_responder.errors import PolicyError
from scc_responder.guardrails import Guardrails
from scc_responder.value import StrictValue, Value

TEST_SUFFIX = ".test.yaml"


class Mode(StrEnum):
    """How far a policy goes: not at all, everything but the write, or all of it."""

    DISABLED = "disabled"
    DRY_RUN = "dry_run"
    ENFORCE = "enforce"


class Severity(StrEnum):
    """SCC's severities, lowest first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


Patterns = str | tuple[str, ...]


class Match(StrictValue, frozen=True, kw_only=True):
    """Conditions on a finding and its context. A list means any of these; `*` and `?` are wildcards.

    `severity` means at least this severe. `labels` are the pod's, by key.
    """

    threat: Patterns | None = None
    category: Patterns | None = None
    detector: Patterns | None = None
    severity: Severity | None = None
    kind: Patterns | None = None
    confidence: Patterns | None = None
    surface: Patterns | None = None
    cluster: Patterns | None = None
    project: Patterns | None = None
    namespace: Patterns | None = None
    workload: Patterns | None = None
    labels: dict[str, Patterns] | None = None
    image: Patterns | None = None
    node_pool: Patterns | None = None
    principal: Patterns | None = None

    def given(self) -> dict[str, Any]:
        """The conditions that were written, by field."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


class StepFile(StrictValue, frozen=True, kw_only=True, rename={"parameters": "with"}):
    """One step as written: `action` and its `with`."""

    action: str
    parameters: dict[str, Any] = {}


class PolicyFile(StrictValue, frozen=True, kw_only=True):
    """A policy file, field by field."""

    name: str
    description: str
    owner: str
    mode: Mode
    when: Match
    unless: Match = Match()
    then: tuple[StepFile, ...]


class PolicyStep(Value, frozen=True, kw_only=True):
    """One step, its parameters checked and typed."""

    action: str
    params: Params


class Policy(Value, frozen=True, kw_only=True):
    """One policy, ready to be matched."""

    name: str
    description: str
    owner: str
    mode: Mode
    when: Match
    unless: Match
    then: tuple[PolicyStep, ...]


class PolicySet(Value, frozen=True, kw_only=True):
    """All policies of a folder and its guardrails. `digest` stands in every record that they led to."""

    policies: tuple[Policy, ...]
    guardrails: Guardrails
    digest: str


def load_policies(folder: Path) -> PolicySet:
    """Every policy of the folder: all of them or none. Raises PolicyError."""
    if not folder.is_dir():
        raise PolicyError("no_policy_folder", f"{folder}: there is no such folder; name one with --policies")
    rails = guardrails.load_guardrails(folder)
    for path in folder.glob("*.yml"):
        raise PolicyError("invalid_policy", f"{path.name}: rename it to {path.stem}.yaml, or it is not read")
    paths = sorted(path for path in folder.glob("*.yaml") if _is_policy(path))
    policies = tuple(_load_policy(path, rails) for path in paths)
    return PolicySet(policies=policies, guardrails=rails, digest=_digest(folder, paths))


def _is_policy(path: Path) -> bool:
    return not path.name.endswith(TEST_SUFFIX) and path.name != guardrails.FILE_NAME


def _digest(folder: Path, paths: list[Path]) -> str:
    digest = hashlib.sha256()
    rails = folder / guardrails.FILE_NAME
    for path in [*paths, *([rails] if rails.exists() else [])]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _load_policy(path: Path, rails: Guardrails) -> Policy:
    file = read_document(path, PolicyFile, {"mode": Mode, "severity": Severity})
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
    return Policy(
        name=file.name,
        description=file.description,
        owner=file.owner,
        mode=file.mode,
        when=file.when,
        unless=file.unless,
        then=steps,
    )


def _refuse_empty(path: Path, file: PolicyFile) -> None:
    """An empty list holds for nothing, and empty labels for every pod: nobody means either."""
    for part, conditions in (("when", file.when), ("unless", file.unless)):
        for name, value in conditions.given().items():
            patterns = value.values() if isinstance(value, dict) else (value,)
            if not value or not all(patterns):
                raise PolicyError("invalid_policy", f"{path.name}: {part}.{name}: empty; give a pattern or remove it")


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
    return PolicyStep(action=step.action, params=params)


def _hint(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f", expected one of: {', '.join(known)}{meant}"
