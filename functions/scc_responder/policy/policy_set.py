"""A policy, ready to be matched, and how a folder of them is loaded: all of them or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import msgspec

from scc_responder.actions import Params
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.policy.guardrails import GUARDRAILS_FILE, Guardrails
from scc_responder.policy.guardrails_file import load_guardrails
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match
from scc_responder.policy.mistakes import Fault, refusal
from scc_responder.policy.policy_file import OnFailure, PolicyFile, policy_mistakes, typed
from scc_responder.policy.strict_yaml import read_document

TEST_SUFFIX = ".test.yaml"

_T = TypeVar("_T")


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
    """Every policy of the folder: all of them or none. Raises PolicyError that tells the mistakes of all files."""
    rails, files = read_policy_files(folder)
    return policy_set(files, rails, digest(folder))


def read_policy_files(folder: Path) -> tuple[Guardrails, tuple[PolicyFile, ...]]:
    """The guardrails and policies of the folder as written. Raises PolicyError that tells the mistakes of all files."""
    if not folder.is_dir():
        raise PolicyError("no_policy_folder", f"{folder}: there is no such folder; name one with --policies")
    faults = [
        Fault(file=path.name, text=f"rename it to {path.stem}.yaml, or it is not read")
        for path in sorted(folder.glob("*.yml"))
    ]
    rails = _collected(faults, partial(load_guardrails, folder))
    read = [_collected(faults, partial(_read_policy, path, rails)) for path in policy_paths(folder)]
    if faults or rails is None:
        raise refusal(faults)
    return rails, tuple(file for file in read if file)


def policy_set(files: Iterable[PolicyFile], rails: Guardrails, digest: str) -> PolicySet:
    """Checked files as a set that can be decided by."""
    return PolicySet(policies=tuple(map(_policy, files)), guardrails=rails, digest=digest)


def policy_paths(folder: Path) -> list[Path]:
    """The policies of a folder, in the order of their names."""
    return sorted(path for path in folder.glob("*.yaml") if _is_policy(path))


def digest(folder: Path) -> str:
    """What every file of the folder that a decision depends on says, as one number."""
    found = hashlib.sha256()
    rails = folder / GUARDRAILS_FILE
    for path in [*policy_paths(folder), *([rails] if rails.exists() else [])]:
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _collected(faults: list[Fault], read: Callable[[], _T]) -> _T | None:
    """What is read; where it is refused, None, and its mistakes beside the others."""
    try:
        return read()
    except PolicyError as error:
        faults += error.faults or [Fault(file="", text=str(error), reason=error.reason)]
        return None


def _is_policy(path: Path) -> bool:
    return not path.name.endswith(TEST_SUFFIX) and path.name != GUARDRAILS_FILE


def _read_policy(path: Path, rails: Guardrails | None) -> PolicyFile:
    return read_document(path, PolicyFile, lambda file: policy_mistakes(file, path.stem, rails))


def _policy(file: PolicyFile) -> Policy:
    return Policy(
        name=file.name,
        description=file.description,
        owner=file.owner,
        mode=file.mode,
        when=file.when,
        unless=file.unless,
        condition=file.condition,
        then=tuple(
            PolicyStep(action=step.action, params=typed(step), needs=step.needs, on_failure=step.on_failure)
            for step in file.then
        ),
        limits=file.limits,
    )
