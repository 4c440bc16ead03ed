"""Warnings that somebody answers for: silent until their day, and never for longer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

import scc_responder.workbench.policies
from scc_responder.policy.guardrails import Acceptable, AcceptedWarning
from scc_responder.workbench.policies.meaning.accepted_warnings import (
    ACCEPTED_BY_NOBODY,
    ACCEPTED_EXPIRED,
    ACCEPTED_FOR_NOTHING,
    not_accepted,
)
from scc_responder.workbench.policies.policy_lint import lint
from scc_responder.workbench.policy_files.mistakes import Mistake
from tests.cli.beginners import CASES, GUARDRAILS, RIGHT

TODAY = date(2026, 3, 2)
WARNED = Mistake(path=("unless", "labels"), text="x", reason=Acceptable.LABEL_OF_THE_POD)
OTHER = Mistake(path=("then", 0), text="x", reason=Acceptable.NO_CHAIN)


def entry(**changed: object) -> AcceptedWarning:
    given = {"warning": Acceptable.LABEL_OF_THE_POD, "owner": "o", "reason": "r", "expires": TODAY, **changed}
    return AcceptedWarning(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accepted", "reasons"),
    [
        ((), ["label_of_the_pod", "no_chain"]),
        ((entry(),), ["no_chain"]),
        ((entry(expires=TODAY - timedelta(days=1)),), [ACCEPTED_EXPIRED, "label_of_the_pod", "no_chain"]),
        ((entry(warning=Acceptable.LIMIT_OFF),), [ACCEPTED_FOR_NOTHING, "label_of_the_pod", "no_chain"]),
        ((entry(owner=" "),), [ACCEPTED_BY_NOBODY, "label_of_the_pod", "no_chain"]),
        ((entry(reason=""),), [ACCEPTED_BY_NOBODY, "label_of_the_pod", "no_chain"]),
        ((entry(), entry(warning=Acceptable.NO_CHAIN)), []),
    ],
)
def test_what_is_accepted_is_silent(accepted: tuple[AcceptedWarning, ...], reasons: list[str]) -> None:
    """By somebody, for a reason, until a day: else it is told as before, and why the entry does not hold."""
    assert [str(item.reason) for item in not_accepted([WARNED, OTHER], accepted, TODAY)] == reasons


LIST = "accepted:\n  - {{warning: {}, owner: me, reason: r, expires: 2026-03-02}}\n"


def linted(folder: Path, text: str, rails: str, today: date) -> list[str]:
    for name, content in ((".yaml", text), (".test.yaml", CASES)):
        (folder / f"contain-reverse-shell{name}").write_text(content)
    (folder / "guardrails.yaml").write_text(rails)
    found = lint(folder, today)
    assert found.errors == ()
    return [f"{fault.file}: {fault.reason}" for fault in found.warnings]


def test_in_a_policy_and_in_guardrails(tmp_path: Path) -> None:
    """Each file answers for itself."""
    text = RIGHT.replace("namespace: [sandbox]", "namespace: [team-*]")
    rails = GUARDRAILS.replace("[kube-system]", "[gke-*]")
    both = (text + LIST.format("namespace_wildcard"), rails + LIST.format("namespace_wildcard"))
    assert len(linted(tmp_path, text, rails, TODAY)) == 2
    assert linted(tmp_path, both[0], rails, TODAY) == ["guardrails.yaml: namespace_wildcard"]
    assert linted(tmp_path, *both, TODAY) == []
    assert len(linted(tmp_path, *both, TODAY + timedelta(days=1))) == 4


def test_a_word_that_is_no_warning(tmp_path: Path) -> None:
    """What may be accepted is a closed list."""
    (tmp_path / "contain-reverse-shell.yaml").write_text(RIGHT + LIST.format("no_schema"))
    (tmp_path / "guardrails.yaml").write_text(GUARDRAILS)
    (fault,) = lint(tmp_path, TODAY).errors
    assert fault.path == "accepted[0].warning"
    assert "expected one of label_of_the_pod" in fault.text


def test_each_word_is_given_by_lint() -> None:
    """A word that nothing is warned of as would be accepted for nothing."""
    folder = Path(scc_responder.workbench.policies.__path__[0])
    text = "".join(path.read_text() for path in folder.rglob("*.py"))
    assert [word for word in Acceptable if f'"{word}"' not in text and f"Acceptable.{word.name}" not in text] == []
