"""What a file of cases may begin with where a policy has none: a finding on which it acts, and one it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scc_responder.domain.reasons import Reason
from scc_responder.intake.threats import catalogue
from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policies.cases.case_file import Expected, PolicyCase

CaseAnswer = Callable[[PolicyCase], list[str]]
"""What the policy does in a case: its answer, and then its actions, held ones with their reasons."""

_SCHEMA_LINE = "# yaml-language-server: $schema=./.schema/test.json"


def first_cases(policy: Policy, answer: CaseAnswer) -> tuple[str, ...]:
    """The lines of such a file; empty where no plain finding shows the policy act, or all do."""
    known = [row.name for row in catalogue()]
    named = [name for name in as_tuple(policy.when.threat or ()) if name in known]
    acts = _first(named or known, answer, matched=True)
    other = _first(known, answer, matched=False)
    return tuple(_lines(policy.name, *acts, *other)) if acts and other else ()


def _first(names: list[str], answer: CaseAnswer, *, matched: bool) -> tuple[str, list[str]] | None:
    told = ((name, answer(PolicyCase(name="", finding=name, expect=Expected()))) for name in names)
    return next(((name, lines) for name, lines in told if (lines[0] == Reason.MATCHED) is matched), None)


def _lines(name: str, acts: str, does: list[str], other: str, answers: list[str]) -> Iterator[str]:
    steps = ", ".join(f'"{step}"' if ": " in step else step for step in does[1:])
    yield from (_SCHEMA_LINE, f"policy: {name}", "cases:")
    yield from (f"  - name: It acts on {acts}", f"    finding: {acts}", f"    expect: {{then: [{steps}]}}")
    yield from (f"  - name: It leaves {other} alone", f"    finding: {other}", f"    expect: {{reason: {answers[0]}}}")
