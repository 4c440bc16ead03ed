"""`policy lint`'s findings: what keeps a folder from loading, and what is allowed but seldom meant."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.workbench.policies.policy_lint import SOON, Linted, lint
from scc_responder.workbench.policy_files.mistakes import Fault
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
        ":20: then[2].action: the pod is deleted before its evidence is kept; put capture_evidence before it",
        "no_evidence",
        id="evidence",
    ),
    pytest.param(
        ("threat: reverse_shell", "category: Reverse Shel"),
        ":8: when.category: no threat can match: with the conditions before it, category is another; "
        "did you mean 'reverse shell'?",
        "never_matches",
        id="category-misspelt",
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


NEVER = [
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
        ("  threat: reverse_shell", "  threat: reverse_shell\n  service: checkout"),
        ":8: when.threat: no threat can match",
        "never_matches",
        id="service-of-a-pods-threat",
    ),
    pytest.param(
        ("  threat: reverse_shell", "  threat: cloud_run_reverse_shell\n  service: checkout\n  node_pool: p"),
        ":9: when.service: no target can match: what has a node pool is no service of Cloud Run",
        "never_matches",
        id="service-in-a-cluster",
    ),
    pytest.param(
        ("  threat: reverse_shell", "  threat: reverse_shell\n  confidence: possible"),
        ":9: when.confidence: no threat can match: with the conditions before it, confidence is confirmed, likely",
        "never_matches",
        id="confidence",
    ),
]


@pytest.mark.parametrize(("change", "text", "reason"), NEVER)
def test_what_can_never_hold_is_an_error(tmp_path: Path, change: tuple[str, str], text: str, reason: str) -> None:
    """A policy that no finding meets is told with the condition that leaves nothing."""
    assert change[0] in RIGHT
    found = linted(tmp_path, RIGHT.replace(*change))
    assert found.warnings == ()
    assert [error.reason for error in found.errors] == [reason]
    assert told(found.errors)[0].startswith(f"{NAME}.yaml{text}")


TENANTS = [
    pytest.param("{namespace: 't*'}", ["namespace_wildcard"], "can name it after 't*'", id="some-namespaces"),
    pytest.param("{namespace: [kube-system, gke-*]}", ["namespace_wildcard"], "after 'gke-*'", id="one-of-two"),
    pytest.param("{namespace: team-?}", ["namespace_wildcard"], "list the namespaces by their full", id="one-letter"),
    pytest.param(
        "{labels: {role: scanner}}", ["label_of_the_pod"], "whoever makes a pod writes its labels", id="label"
    ),
    pytest.param("{namespace: shop, labels: {a: b}}", ["label_of_the_pod"], "name the namespace", id="label-and-name"),
    pytest.param("{namespace: [kube-system, shop]}", [], "", id="full-names"),
    pytest.param("{service: 'check*'}", ["service_wildcard"], "can name it after 'check*'", id="some-services"),
    pytest.param("{service: projects/*/locations/*/services/*}", ["service_wildcard"], "deploy", id="every-service"),
    pytest.param("{service: [checkout, projects/dev/locations/*/jobs/*]}", [], "", id="name-and-project"),
    pytest.param("{cluster: projects/*/locations/*/clusters/dev, workload: Job/*}", [], "", id="other-fields"),
]


@pytest.mark.parametrize(("exception", "reasons", "text"), TENANTS)
def test_an_exception_that_an_attacker_can_choose(
    tmp_path: Path, exception: str, reasons: list[str], text: str
) -> None:
    """Who makes a namespace names it, and who makes a pod labels it: `unless` and exemptions alike."""
    both = RIGHT.replace("threat: reverse_shell", "threat: [reverse_shell, cloud_run_reverse_shell]")
    unless = both.replace("unless:\n  namespace: [sandbox]", f"unless: {exception}")
    exempt = (
        f"{GUARDRAILS}exemptions:\n  - name: old\n    when: {exception}\n    expires: {TODAY + SOON * 2}\n"
        "    owner: me\n    reason: r\n    ticket: t\n"
    )
    for found, place in ((linted(tmp_path, unless), "unless."), (linted(tmp_path, guardrails=exempt), "0].when.")):
        assert (found.errors, [fault.reason for fault in found.warnings]) == ((), reasons)
        assert all(text in fault.text and place in str(fault) for fault in found.warnings)


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


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_empty_guardrails_are_pointed_out(tmp_path: Path, content: str) -> None:
    """They hold everything back, which looks like guardrails that work."""
    (warning,) = linted(tmp_path, guardrails=content).warnings
    assert (warning.file, warning.reason) == ("guardrails.yaml", "no_guardrails")
    assert "it is empty, so that nothing is enforced" in warning.text


def test_a_team_folder_is_linted_too(tmp_path: Path) -> None:
    """What is wrong in a subfolder is told with its path, and what is not read as well."""
    team = tmp_path / "team-a"
    team.mkdir()
    (team / "scope.yaml").write_text("max_mode: dry_run\n")
    (team / "isolate-web.yaml").write_text(RIGHT.replace(NAME, "isolate-web").replace("dry_run", "approve"))
    (team / "isolate-web.test.yaml").write_text(CASES.replace(NAME, "isolate-web").replace("expect:", "expct:", 1))
    (team / "gone.test.yaml").write_text(CASES.partition("\n")[2])
    (team / "notes.txt").touch()
    found = linted(tmp_path)
    assert found.policies == 2
    assert [(fault.file, fault.line) for fault in found.errors] == [
        ("team-a/isolate-web.test.yaml", 6),
        ("team-a/isolate-web.yaml", 5),
    ]
    assert [(fault.file, fault.reason) for fault in found.warnings] == [
        ("team-a/gone.test.yaml", "no_policy"),
        ("team-a/gone.test.yaml", "no_schema"),
        ("team-a/notes.txt", "not_read"),
    ]


def test_policies_that_fight_are_refused(tmp_path: Path) -> None:
    """Two policies of one mode that would write two values are told at the step of one, with the other's file."""
    team = tmp_path / "team-a"
    team.mkdir()
    (team / "scope.yaml").write_text("max_mode: dry_run\n")
    steps = "then:\n  - action: label_pod\n    with: {labels: {scc-responder/tier: %s}}\n"
    ours = RIGHT[: RIGHT.index("then:")]
    (team / "isolate-web.yaml").write_text(ours.replace(NAME, "isolate-web") + steps % "low")
    found = linted(tmp_path, ours + steps % "high")
    assert [(fault.file, fault.path, fault.reason) for fault in found.errors] == [
        ("team-a/isolate-web.yaml", "then[0]", "policies_fight")
    ]
    assert f"{NAME}.yaml asks for another label scc-responder/tier" in found.errors[0].text


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
        (f"{NAME}.yaml", 24, "then[4].action"),
        ("guardrails.yaml", 3, "protected.namespace"),
    ]
    assert all("did you mean" in fault.text for fault in found.errors)


def test_warnings_of_a_folder_with_errors(tmp_path: Path) -> None:
    """Where one file is wrong, the others are still looked at."""
    (tmp_path / "broken.yaml").write_text("name: [")
    found = linted(tmp_path, RIGHT.replace("  - action: capture_evidence\n", ""))
    assert [fault.file for fault in found.errors] == ["broken.yaml"]
    assert [fault.reason for fault in found.warnings] == ["no_evidence"]


CHAINS = [
    pytest.param("isolate_pod, capture_evidence, delete_pod", "delete_pod is done even if isolate_pod", id="isolate"),
    pytest.param(
        "capture_evidence, cordon_node, delete_pod", "cordon_node is done even if capture_evidence", id="cordon"
    ),
    pytest.param("capture_evidence, isolate_pod", "isolate_pod is done even if capture_evidence", id="late-isolation"),
    pytest.param("capture_evidence, delete_pod", None, id="a-deletion-needs-its-evidence"),
    pytest.param("label_pod, annotate_pod, isolate_pod", None, id="marks"),
    pytest.param("notify, isolate_pod", None, id="message"),
    pytest.param("isolate_pod, notify", None, id="nothing-disruptive-comes-later"),
]


@pytest.mark.parametrize(("steps", "text"), CHAINS)
def test_a_chain_that_is_none_any_more(tmp_path: Path, steps: str, text: str | None) -> None:
    """What went no further where an earlier step failed: the author says which is meant now."""
    names = steps.split(", ")
    then = "then:\n" + "".join(f"  - action: {name}\n" for name in names)
    head = RIGHT.partition("then:\n")[0]
    chained = linted(tmp_path, head + then).warnings
    meant = linted(tmp_path, head + then.replace("\n  -", "\n    on_failure: stop\n  -")).warnings
    needed = linted(tmp_path, head + then + f"    needs: [{', '.join(names[:-1])}]\n").warnings

    assert [fault.reason for fault in chained][:1] == ["no_chain"] * (text is not None)
    assert text is None or text in chained[0].text
    assert ([fault.reason for fault in meant], len(needed) < max(len(chained), 1)) == ([], True)


def test_an_absent_folder_is_no_empty_one(tmp_path: Path) -> None:
    """A folder that is not there is wrong use, not an empty folder."""
    with pytest.raises(PolicyError, match="there is no such folder"):
        lint(tmp_path / "none", TODAY)
