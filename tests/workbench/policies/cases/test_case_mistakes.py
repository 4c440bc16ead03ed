"""Words of a case that could never come are told, as misspelt words pass for what nobody expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.workbench.policies.cases.case_file import (
    CaseFile,
    Expected,
    GuardrailsCase,
    GuardrailsCaseFile,
    GuardrailsExpected,
    PolicyCase,
    open_cases,
)
from scc_responder.workbench.policies.cases.case_mistakes import (
    case_faults,
    guardrails_mistakes,
    is_answer,
    together_mistakes,
    word_mistakes,
)
from scc_responder.workbench.policy_files.policy_layout import GUARDRAILS_TESTS, case_paths
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("matched", True),
        ("when_threat_differs", True),
        ("when_node_pool_missing", True),
        ("unless_namespace", True),
        ("unless_namespace_missing", True),
        ("condition_pod_missing", True),
        ("condition_error", True),
        ("mode_disabled", True),
        ("mode_disabled_by_guardrails", True),
        ("when_thread_differs", False),
        ("unless_", False),
        ("match", False),
        ("namespace_protected", False),
        ("", False),
    ],
)
def test_what_a_policy_can_answer(reason: str, *, answer: bool) -> None:
    """The words of a policy's answer, with the conditions that there are; a step's reason is none."""
    assert is_answer(reason) is answer


@pytest.mark.parametrize(
    ("field", "word", "right"),
    [
        ("severity", "HIHG", "HIGH"),
        ("state", "active", "ACTIVE"),
        ("mute", "MUTE", "MUTED"),
        ("detector", "container_threat", "container_threat_detection"),
    ],
)
def test_closed_words_of_a_finding(field: str, word: str, right: str) -> None:
    """A word that no finding has is told with those that there are."""
    case = PolicyCase(name="x", finding="reverse_shell", found={field: word}, expect=Expected())
    (mistake,) = word_mistakes(case)
    assert (mistake.path, right in mistake.text) == (("with", field), True)
    assert list(word_mistakes(PolicyCase(name="x", finding="f", found={field: right}, expect=Expected()))) == []


def test_steps_are_words_too() -> None:
    """An action or a reason that does not exist could never come."""
    then = ("notify", "notfy", "delete_pod: pod_replaced", "delete_pod: pod_replacd", "delete_pod: needs_notify")
    case = PolicyCase(name="x", finding="reverse_shell", expect=Expected(reason=Reason.MATCHED, then=then))
    assert [mistake.path[-1] for mistake in word_mistakes(case)] == [1, 3]


def test_every_shipped_case_is_right() -> None:
    """What lint says of the cases beside the shipped policies: nothing."""
    kinds = {path: GuardrailsCaseFile if path.name == GUARDRAILS_TESTS else CaseFile for path in case_paths(SHIPPED)}
    known = {path.name.removesuffix(".test.yaml") for path in kinds}
    files = [open_cases(path, path.name, kind) for path, kind in kinds.items()]
    assert [fault for file in files for fault in case_faults(file, FOLDER, known)] == []


@pytest.mark.parametrize(
    ("together", "order", "places"),
    [
        ((), (), []),
        (("other",), ("other: notify",), []),
        (("othr",), ("other: notify",), [("together", 0)]),
        (("other",), (), [("expect", "order")]),
        ((), ("other: notify",), [("expect", "order")]),
    ],
)
def test_who_comes_together_is_known(
    together: tuple[str, ...], order: tuple[str, ...], places: list[tuple[str | int, ...]]
) -> None:
    """Policies that there are, and an order wherever there are several."""
    case = PolicyCase(name="x", finding="reverse_shell", together=together, expect=Expected(order=order))
    assert [mistake.path for mistake in together_mistakes(case, {"other"})] == places


def test_cases_of_guardrails_have_words_too() -> None:
    """The actions that are tried, and what is expected of each."""
    case = GuardrailsCase(
        name="x", finding="reverse_shell", do=("notfy",), expect=GuardrailsExpected(then=("notify: no_reson",))
    )
    assert [mistake.path for mistake in guardrails_mistakes(case)] == [("do", 0), ("expect", "then", 0)]


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    """Of the file, of each case that cannot be read, and of each that cannot be run, in one list."""
    path = tmp_path / "contain.test.yaml"
    path.write_text(
        "polcy: contain\ncases:\n"
        "  - {name: a, finding: reverse_shell, expct: {}}\n"
        "  - {name: b, finding: revers_shell, expect: {reason: matchd}}\n"
    )
    assert [(fault.line, fault.path) for fault in case_faults(open_cases(path, path.name), FOLDER, ())] == [
        (1, "polcy"),
        (3, "cases[0].expct"),
        (4, "cases[1].finding"),
        (4, "cases[1].expect.reason"),
    ]
