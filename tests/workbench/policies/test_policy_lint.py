"""`policy lint`'s findings: what keeps a folder from loading, and what is allowed but seldom meant."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.mistakes import Fault
from scc_responder.workbench.policies.policy_lint import SOON, Linted, lint
from tests.cli.beginners import CASES, GUARDRAILS, RIGHT

TODAY = date(2026, 3, 2)
NAME = "contain-reverse-shell"


def linted(
    folder: Path, text: str = RIGHT, *, guardrails: str | None = GUARDRAILS, cases: str | None = CASES
) -> Linted:
    """What is found in a folder of one policy."""
    files = {f"{NAME}.yaml": text, "guardrails.yaml": guardrails, f"{NAME}.test.yaml": cases}
    for name, content in files.items():
        if content is not None:
            (folder / name).write_text(content)
    return lint(folder, TODAY)


def told(faults: tuple[Fault, ...]) -> list[str]:
    return [str(fault) for fault in faults]


def test_nothing_to_say(tmp_path: Path) -> None:
    """A good folder is met with silence."""
    assert linted(tmp_path) == Linted(policies=1, errors=(), warnings=())


WARNINGS = [
    pytest.param((RIGHT.splitlines()[0], "# A policy."), ":1: no schema in line 1; for help", "no_schema", id="schema"),
    pytest.param(
        ("  - action: capture_evidence\n", ""),
        ":19: then[2].action: the pod is deleted before its evidence is kept; put capture_evidence before it",
        "no_evidence",
        id="evidence",
    ),
    pytest.param(
        ("  threat: reverse_shell", "  threat: reverse_shell\n  surface: [node, cloud_run]"),
        ":9: when.surface: no threat can match: with the conditions before it, surface is pod",
        "never_matches",
        id="surface",
    ),
    pytest.param(
        ("  threat: reverse_shell", "  threat: reverse_shell\n  category: Added Binary Executed"),
        ":9: when.category: no threat can match",
        "never_matches",
        id="category",
    ),
    pytest.param(
        ("threat: reverse_shell", "category: Reverse Shel"),
        ":8: when.category: no threat can match: with the conditions before it, category is another; "
        "did you mean 'reverse shell'?",
        "never_matches",
        id="category-misspelt",
    ),
    pytest.param(
        ("  threat: reverse_shell", "  threat: reverse_shell\n  confidence: possible"),
        ":9: when.confidence: no threat can match: with the conditions before it, confidence is confirmed, likely",
        "never_matches",
        id="confidence",
    ),
]


@pytest.mark.parametrize(("change", "text", "reason"), WARNINGS)
def test_warnings_name_their_line(tmp_path: Path, change: tuple[str, str], text: str, reason: str) -> None:
    """What is seldom meant is told with its line, and does not keep the folder from loading."""
    assert change[0] in RIGHT
    found = linted(tmp_path, RIGHT.replace(*change))
    assert found.errors == ()
    assert [warning.reason for warning in found.warnings] == [reason]
    assert told(found.warnings)[0].startswith(f"{NAME}.yaml{text}")


FITTING = [
    pytest.param("  threat: unknown\n  category: Something New", id="unknown-threat"),
    pytest.param("  category: reverse  SHELL", id="spelling"),
    pytest.param("  threat: reverse_shell\n  confidence: confirmed", id="raised-by-company"),
    pytest.param('  threat: "*"\n  detector: "*"', id="any"),
    pytest.param("  namespace: shop", id="no-threat"),
]


@pytest.mark.parametrize("when", FITTING)
def test_conditions_that_can_be_met(tmp_path: Path, when: str) -> None:
    """What some finding could satisfy is not warned of."""
    assert linted(tmp_path, RIGHT.replace("  threat: reverse_shell", when)).warnings == ()


RAILS = [
    pytest.param("limits: {cluster: []}\n", ":4: limits.cluster: no limit holds here; remove", "limit_off", id="off"),
    pytest.param("limits: {organization: [{most: 5, within: 1h}]}\n", None, "", id="other-limits"),
]


@pytest.mark.parametrize(("rails", "text", "reason"), RAILS)
def test_a_disabled_limit_is_pointed_out(tmp_path: Path, rails: str, text: str | None, reason: str) -> None:
    """A limit that is switched off is pointed out."""
    found = told(linted(tmp_path, guardrails=GUARDRAILS + rails).warnings)
    assert len(found) == (text is not None)
    assert text is None or found[0].startswith(f"guardrails.yaml{text}")


EXPIRES = [
    pytest.param(timedelta(-1), "'old' expires on 2026-03-01: it no longer holds; remove it", id="yesterday"),
    pytest.param(timedelta(0), "'old' expires on 2026-03-02: it ends within 14 days; ask me", id="today"),
    pytest.param(SOON, "'old' expires on 2026-03-16: it ends within 14 days; ask me", id="in-two-weeks"),
    pytest.param(SOON + timedelta(1), None, id="later"),
]


@pytest.mark.parametrize(("left", "text"), EXPIRES)
def test_an_expiring_exemption_is_pointed_out(tmp_path: Path, left: timedelta, text: str | None) -> None:
    """An exemption that has run out, or soon will, is pointed out with its line."""
    rails = (
        f"{GUARDRAILS}exemptions:\n  - name: old\n    when: {{namespace: x}}\n    expires: {TODAY + left}\n"
        "    owner: me\n    reason: r\n    ticket: t\n"
    )
    found = told(linted(tmp_path, guardrails=rails).warnings)
    assert found == ([] if text is None else [f"guardrails.yaml:7: exemptions[0].expires: {text}"])


def test_missing_files_are_pointed_out(tmp_path: Path) -> None:
    """A policy without a test, a test without a policy, and a folder without guardrails are pointed out."""
    (tmp_path / "gone.test.yaml").write_text(CASES)
    assert told(linted(tmp_path, guardrails=None, cases=None).warnings) == [
        f"{NAME}.yaml:1: no {NAME}.test.yaml stands beside it; give it a case that acts and one that does not",
        "gone.test.yaml: there is no gone.yaml that it could test",
        "guardrails.yaml: there is none, so that nothing is enforced",
    ]


def test_schemas_of_the_other_files(tmp_path: Path) -> None:
    """Tests and guardrails too are written with an editor."""
    cases, rails = CASES.partition("\n")[2], GUARDRAILS.partition("\n")[2]
    assert told(linted(tmp_path, guardrails=rails, cases=cases).warnings) == [
        f"{file}:1: no schema in line 1; for help while typing write "
        f"# yaml-language-server: $schema=./.schema/{kind}.json"
        for file, kind in ((f"{NAME}.test.yaml", "test"), ("guardrails.yaml", "guardrails"))
    ]


def test_errors_of_all_kinds_of_files(tmp_path: Path) -> None:
    """Mistakes in policy, test and guardrails are told together, in the order of files and lines."""
    found = linted(
        tmp_path,
        RIGHT.replace("mode: dry_run", "mode: dry-run").replace("notify", "notifi"),
        guardrails=GUARDRAILS.replace("namespaces", "namespace"),
        cases=CASES.replace("expect:", "expct:", 1),
    )
    assert [(fault.file, fault.line, fault.path) for fault in found.errors] == [
        (f"{NAME}.test.yaml", 6, "cases[0].expct"),
        (f"{NAME}.yaml", 5, "mode"),
        (f"{NAME}.yaml", 23, "then[4].action"),
        ("guardrails.yaml", 3, "protected.namespace"),
    ]
    assert all("did you mean" in fault.text for fault in found.errors)


def test_warnings_of_a_folder_with_errors(tmp_path: Path) -> None:
    """Where one file is wrong, the others are still looked at."""
    (tmp_path / "broken.yaml").write_text("name: [")
    found = linted(tmp_path, RIGHT.replace("  - action: capture_evidence\n", ""))
    assert [fault.file for fault in found.errors] == ["broken.yaml"]
    assert [fault.reason for fault in found.warnings] == ["no_evidence"]


@pytest.mark.parametrize(
    ("added", "expected"),
    [("", ["no_chain"]), ("\n    on_failure: stop", []), ("\n    on_failure: continue", [])],
)
def test_a_chain_that_is_none_any_more(tmp_path: Path, added: str, expected: list[str]) -> None:
    """An isolation after the evidence went no further where that failed: the author says which is meant now."""
    steps = "  - action: isolate_pod\n  - action: capture_evidence\n"
    turned = f"  - action: capture_evidence{added}\n  - action: isolate_pod\n"
    assert steps in RIGHT
    found = linted(tmp_path, RIGHT.replace(steps, turned))
    assert [fault.reason for fault in found.warnings] == expected
    assert all("isolate_pod is done even if capture_evidence fails" in fault.text for fault in found.warnings)


def test_an_absent_folder_is_no_empty_one(tmp_path: Path) -> None:
    """A folder that is not there is wrong use, not an empty folder."""
    with pytest.raises(PolicyError, match="there is no such folder"):
        lint(tmp_path / "none", TODAY)
