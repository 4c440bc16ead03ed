"""Check policies by the cases beside them: `x.test.yaml` says what `x.yaml` must and must not do.

policy: contain-malicious-library
cases:
  - name: A standalone pod is not deleted, for nothing would take its place
    finding: modified_malicious_library_loaded
    given: {pod: {owners: []}}
    expect: {then: [label_pod, "delete_pod: pod_standalone"]}

`finding` names FINDING.json in a folder of findings, and what was read of its target is FINDING.context.json beside it,
with `given` merged over it (null removes). `age` is how late the finding arrives. `then` lists every action in order:
its name where it is planned, `name: reason` where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.decide import MATCHED, PolicyDecision, decide
from scc_responder.documents import read_document
from scc_responder.duration import parse_duration
from scc_responder.errors import PolicyError
from scc_responder.explanation import Facts, context_of, read_facts
from scc_responder.guard import guard
from scc_responder.policy import TEST_SUFFIX, Policy, PolicySet
from scc_responder.value import StrictValue
from scc_responder.wire import parse_notification


class Expected(StrictValue, frozen=True, kw_only=True):
    """What must come of a case: the policy's answer, and every action of it. Nothing else may come of it."""

    reason: str = MATCHED
    then: tuple[str, ...] = ()


class PolicyCase(StrictValue, frozen=True, kw_only=True):
    """One case: `name` is a sentence about the policy."""

    name: str
    finding: str
    given: dict[str, Any] = {}
    age: str = "0s"
    expect: Expected


class CaseFile(StrictValue, frozen=True, kw_only=True):
    """A `.test.yaml` file."""

    policy: str
    cases: tuple[PolicyCase, ...]


def check_policies(policies: PolicySet, folder: Path, findings: Path) -> tuple[str, ...]:
    """Every fault of the folder's policies by their cases, as sentences. Raises PolicyError for an unusable file."""
    return tuple(fault for policy in policies.policies for fault in _check_policy(policies, policy, folder, findings))


def _check_policy(policies: PolicySet, policy: Policy, folder: Path, findings: Path) -> Iterator[str]:
    path = folder / f"{policy.name}{TEST_SUFFIX}"
    if not path.exists():
        yield f"{policy.name}: no {path.name} stands beside it; give it a case that acts and one that does not"
        return
    file = read_document(path, CaseFile)
    if file.policy != policy.name:
        yield f"{path.name}: policy: {file.policy!r} must be {policy.name!r}"
    for case in file.cases:
        came = answer(policies, policy, case, findings)
        yield from (f"{path.name}: {case.name}: {fault}" for fault in differences(case.expect, came))
    yield from (f"{path.name}: {fault}" for fault in gaps(policy, [case.expect for case in file.cases]))


def answer(policies: PolicySet, policy: Policy, case: PolicyCase, findings: Path) -> PolicyDecision:
    """What the policy does in a case, under the set's guardrails. Raises PolicyError."""
    finding = parse_notification(_read(findings / f"{case.finding}.json"))
    facts = findings / f"{case.finding}.context.json"
    given = _given(read_facts(_read(facts), facts.name) if facts.exists() else Facts(), case)
    context = context_of(finding, given)
    now = finding.event_time + parse_duration(case.age)
    return guard(context, decide(context, (policy,)), policies.guardrails, now).policies[0]


def differences(expected: Expected, came: PolicyDecision) -> Iterator[str]:
    """Where an answer is not what was expected, both ways: what did not happen, and what was not to happen."""
    if came.reason != expected.reason:
        yield f"expected {expected.reason}, came {came.reason}"
    told = tuple(item.action if item.result == "planned" else f"{item.action}: {item.reason}" for item in came.actions)
    if told != expected.then:
        yield f"expected then: {_listed(expected.then)}; came {_listed(told)}"


def gaps(policy: Policy, expected: Iterable[Expected]) -> Iterator[str]:
    """What no case shows: that the policy acts, that it does not where it must not, and each of its steps."""
    cases = list(expected)
    planned = {step for case in cases for step in case.then if ": " not in step}
    if not any(case.then and all(": " not in step for step in case.then) for case in cases):
        yield "no case in which every step is planned"
    if not any(case.reason != MATCHED or any(": " in step for step in case.then) for case in cases):
        yield "no case in which the policy does not match, or a step is held"
    for step in policy.then:
        if step.action not in planned:
            yield f"no case plans {step.action}"


def _given(facts: Facts, case: PolicyCase) -> Facts:
    try:
        return msgspec.convert(_merged(msgspec.to_builtins(facts), case.given), Facts)
    except msgspec.ValidationError as error:
        raise PolicyError("invalid_context", f"{case.name}: given: {error}") from error


def _merged(known: Any, given: Any) -> Any:
    """JSON merge patch."""
    if not isinstance(given, dict):
        return given
    kept = dict(known) if isinstance(known, dict) else {}
    for key, value in given.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = _merged(kept.get(key), value)
    return kept


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError("unreadable_file", f"{path.name}: {error.strerror}") from error


def _listed(steps: Iterable[str]) -> str:
    return ", ".join(steps) or "nothing"
