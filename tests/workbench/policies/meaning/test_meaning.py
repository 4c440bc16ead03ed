"""A folder whose policies cannot mean what they say: told by file and line, packed by nothing, started all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.guardrails import GUARDRAILS_FILE
from scc_responder.policy.policy_set import ROUTES_FILE
from scc_responder.workbench.policies.meaning.meaning import meaning_faults, require_meaning, with_meaning
from scc_responder.workbench.policy_files.mistakes import Fault
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.cli.beginners import GUARDRAILS, RIGHT
from tests.cli.commands import run
from tests.kits.as_shipped import policies_as_shipped
from tests.kits.responder import SHIPPED

NAME = "contain-reverse-shell"
NEVER = RIGHT.replace("namespace: [sandbox]", "cluster: prod-*\n  namespace: [sandbox, Shop]")


def folder_of(path: Path, text: str, rails: str = GUARDRAILS) -> Path:
    (path / f"{NAME}.yaml").write_text(text)
    (path / GUARDRAILS_FILE).write_text(rails)
    return path


def places(folder: Path) -> list[str]:
    return [f"{fault.file}:{fault.line}: {fault.path}" for fault in meaning_faults(folder)]


def test_the_shipped_policies_mean_what_they_say() -> None:
    """Nothing in them is impossible."""
    assert places(SHIPPED) == []


def test_each_mistake_has_its_file_and_line(tmp_path: Path) -> None:
    """In policies and in guardrails."""
    rails = f"{GUARDRAILS}  principals: ['serviceAccount:a@example.com']\n"
    assert places(folder_of(tmp_path, NEVER, rails)) == [
        f"{NAME}.yaml:11: unless.cluster",
        f"{NAME}.yaml:12: unless.namespace[1]",
        "guardrails.yaml:4: protected.principals[0]",
    ]


WHENS = (
    "threat: reverse_shell, surface: node",
    "threat: reverse_shell, namespace: a, service: b",
    "category: Something New, surface: pod",
)
SIGNED = "expires: 2026-06-30, owner: o, reason: r, ticket: t"
EXEMPTIONS = "".join(f"  - {{name: e{index}, when: {{{when}}}, {SIGNED}}}\n" for index, when in enumerate(WHENS))


def test_an_exemption_of_nothing_and_a_rule_about_nothing_are_named(tmp_path: Path) -> None:
    """An exemption holds where a target's name is not known, and never for a finding that there is not."""
    folder = folder_of(tmp_path, RIGHT, f"{GUARDRAILS}exemptions:\n{EXEMPTIONS}")
    routes = "routes: {a: {receiver: slack, address: b}}\nfallback: [a]\nrules:\n  - {owner: [], to: [a]}\n"
    (folder / ROUTES_FILE).write_text(routes)
    assert places(folder) == ["guardrails.yaml:5: exemptions[0].when", "routes.yaml:4: rules[0].owner"]


def test_what_started_before_still_starts(tmp_path: Path) -> None:
    """The new checks are for who writes and packs: the folder loads as it did."""
    folder = folder_of(tmp_path, NEVER)
    assert [policy.name for policy in load_policies(folder).policies] == [NAME]
    with pytest.raises(PolicyError, match="can never match"):
        require_meaning(folder)


def test_a_file_that_does_not_load_is_still_looked_at(tmp_path: Path) -> None:
    """What is right in it is checked, beside what keeps it from loading."""
    assert f"{NAME}.yaml:11: unless.cluster" in places(folder_of(tmp_path, NEVER.replace("mode: dry_run", "mode: on")))


def test_an_odd_character_is_told_instead_of_what_it_causes() -> None:
    """One place, one error: the cause of it."""
    refused = Fault(file="a.yaml", line=3, path="when.threat", text="unknown threat")
    odd = Fault(file="a.yaml", line=3, path="when.threat", text="U+043E", reason="odd_character")
    other = Fault(file="a.yaml", line=3, path="when.threat", text="never")
    later = Fault(file="a.yaml", line=4, path="when.image", text="never")
    assert with_meaning([refused], [odd, later]) == [odd, later]
    assert with_meaning([refused], [other]) == [refused]


def test_no_zip_is_made_of_what_can_never_match(tmp_path: Path) -> None:
    """The zip that is deployed is made of policies that mean something."""
    policies = policies_as_shipped(tmp_path)
    (policies / "isolate-key-theft.yaml").write_text(
        (SHIPPED / "isolate-key-theft.yaml").read_text().replace("\nthen:", "\nunless: {cluster: prod-*}\nthen:")
    )
    made = run("bundle", "--out", "out.zip", cwd=tmp_path)
    assert (made.returncode, (tmp_path / "out.zip").exists()) == (2, False)
    assert "unless.cluster: 'prod-*' can never match" in made.stderr
