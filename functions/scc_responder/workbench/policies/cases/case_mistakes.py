"""What a case says in words that mean nothing: reasons, actions and closed words that do not exist."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.intake.threats import DETECTORS
from scc_responder.policy.match import FIELDS, Severity
from scc_responder.workbench.policies.cases.case_file import GuardrailsCase, OpenedCases, PolicyCase, Situation
from scc_responder.workbench.policies.cases.case_situation import CaseError, situation
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Fault, Mistake, did_you_mean, expected

FINDING_WORDS: Mapping[str, tuple[str, ...]] = {
    "severity": (*Severity, "SEVERITY_UNSPECIFIED"),
    "state": ("ACTIVE", "INACTIVE", "STATE_UNSPECIFIED"),
    "mute": ("MUTED", "UNMUTED", "UNDEFINED", "MUTE_UNSPECIFIED"),
    "detector": DETECTORS,
}
"""The fields of a finding, as `with` changes them, whose words are few."""

_OF_FIELDS = (Reason.WHEN_DIFFERS, Reason.WHEN_MISSING, Reason.UNLESS, Reason.UNLESS_MISSING)
_ANSWERS = (
    Reason.MATCHED,
    Reason.MODE_DISABLED,
    Reason.MODE_DISABLED_BY_GUARDRAILS,
    Reason.CONDITION_DIFFERS,
    Reason.CONDITION_ERROR,
    Reason.CONDITION_TOO_LARGE,
)


def word_mistakes(case: PolicyCase) -> Iterator[Mistake]:
    """The words of a case that could never come, by their places in it."""
    yield from found_mistakes(case)
    if not is_answer(case.expect.reason):
        answers = [*_ANSWERS, *(reason.of(field) for reason in _OF_FIELDS for field in FIELDS)]
        text = f"no policy ever answers {case.expect.reason!r}{did_you_mean(case.expect.reason, answers)}"
        yield Mistake(path=("expect", "reason"), text=text)
    yield from step_mistakes(case.expect.then, ("expect", "then"))


def guardrails_mistakes(case: GuardrailsCase) -> Iterator[Mistake]:
    """The words of a case of the guardrails that could never come."""
    yield from found_mistakes(case)
    for index, action in enumerate(case.do):
        if action not in actions():
            yield Mistake(path=("do", index), text=f"unknown action {action!r}; {expected(action, actions())}")
    if not case.do:
        yield Mistake(path=("do",), text="name the actions that a policy would do, such as isolate_pod")
    yield from step_mistakes(case.expect.then, ("expect", "then"))


def together_mistakes(case: PolicyCase, known: Container[str]) -> Iterator[Mistake]:
    """Other policies that there are not, and an order that nobody wrote down."""
    for index, name in enumerate(case.together):
        if name not in known:
            yield Mistake(path=("together", index), text=f"there is no policy {name!r}")
    if case.together and not case.expect.order:
        text = "missing: which steps come in which order, such as [isolate-web: isolate_pod]"
        yield Mistake(path=("expect", "order"), text=text)
    if case.expect.order and not case.together:
        yield Mistake(path=("expect", "order"), text="there is no order of one policy: name the others in together")


def found_mistakes(case: Situation) -> Iterator[Mistake]:
    """Closed words that `with` gives to a finding, and that no finding has."""
    for field, words in FINDING_WORDS.items():
        given = case.found.get(field)
        if isinstance(given, str) and given not in words:
            yield Mistake(path=("with", field), text=f"unknown value {given!r}; {expected(given, words)}")


def step_mistakes(steps: Iterable[str], place: DocumentPath) -> Iterator[Mistake]:
    """Steps of which the action or the reason does not exist."""
    for index, step in enumerate(steps):
        action, held, reason = step.partition(": ")
        if action not in actions():
            yield Mistake(path=(*place, index), text=f"unknown action {action!r}; {expected(action, actions())}")
        elif held and Reason.read(reason) is None:
            text = f"unknown reason {reason!r}{did_you_mean(reason, Reason)}; docs/reasons.md has all of them"
            yield Mistake(path=(*place, index), text=text)


def is_answer(reason: str) -> bool:
    """Whether a policy can answer so."""
    word = Reason.read(reason)
    if word is None:
        return False
    return (
        word in _ANSWERS or word.word is Reason.CONDITION_MISSING or (word.word in _OF_FIELDS and word.detail in FIELDS)
    )


def case_faults(file: OpenedCases, findings: Path, known: Container[str]) -> Iterator[Fault]:
    """All that is wrong with a file of cases, without running one. `known` are the names of all policies."""
    yield from file.faults
    for read in file.cases:
        yield from read.faults
        if isinstance(read.case, PolicyCase):
            told = (*_unusable(read.case, findings), *word_mistakes(read.case), *together_mistakes(read.case, known))
            yield from file.told(read.index, told)
        elif isinstance(read.case, GuardrailsCase):
            yield from file.told(read.index, [*_unusable(read.case, findings), *guardrails_mistakes(read.case)])


def _unusable(case: Situation, findings: Path) -> tuple[Mistake, ...]:
    try:
        situation(case, findings)
    except CaseError as error:
        return error.mistakes
    return ()
