"""Whatever lies in a folder of policies is read, or it is said that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.workbench.policy_files.policy_layout import case_paths, layout_faults, told_name, unread_warnings
from tests.kits.responder import policy, write_policies

SCOPE = "max_mode: enforce\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one policy at its top and one of a team."""
    folder = write_policies(tmp_path / "policies", policy("notify", name="report"))
    write(folder, "team-a/scope.yaml", SCOPE)
    return write(folder, "team-a/isolate-web.yaml", policy("notify", name="isolate-web"))


def write(folder: Path, name: str, text: str = "") -> Path:
    """One more file in the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


def test_a_folder_with_teams_needs_no_word(folder: Path) -> None:
    """Policies at the top and in a bounded subfolder are all read; what is written for people is left alone."""
    for name in ("README.md", "CODEOWNERS", ".hidden", ".schema/policy.json", ".git/hook.yml", "guardrails.test.yaml"):
        write(folder, name)
    assert [*layout_faults(folder), *unread_warnings(folder)] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("contain.yml", "contain.yml: rename it to contain.yaml, or it is not read"),
        ("contain.YAML", "contain.YAML: rename it to contain.yaml, or it is not read"),
        ("contain.test.Yml", "contain.test.Yml: rename it to contain.test.yaml, or it is not read"),
        ("team-a/contain.yml", "team-a/contain.yml: rename it to contain.yaml, or it is not read"),
        ("team-a/guardrails.yaml", "team-a/guardrails.yaml: not read: it holds for every folder; write it into guard"),
        ("team-a/guardrails.test.yaml", "team-a/guardrails.test.yaml: not read: it holds for every folder; write it"),
        ("team-a/shipped.yaml", "team-a/shipped.yaml: not read: it holds for every folder; write it into shipped"),
        ("scope.yaml", "scope.yaml: bounds the policies of a subfolder; at the top guardrails.yaml does"),
        ("team-b/contain.yaml", "team-b/contain.yaml: no scope.yaml in team-b says how far its policies may go; write"),
        ("team-b/web/contain.yaml", "team-b/web/contain.yaml: no scope.yaml in team-b says how far"),
        ("team-a/report.yaml", "team-a/report.yaml:1: name: 'report' is the name of report.yaml too"),
    ],
)
def test_what_would_not_be_read_is_refused(folder: Path, name: str, told: str) -> None:
    """Another ending, guardrails in a subfolder, a folder that nothing bounds, a second policy of one name."""
    (fault,) = layout_faults(write(folder, name, SCOPE))
    assert str(fault).startswith(told)


def test_a_link_to_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """What lies behind a link is not read; a hidden one, such as a mounted volume has, may stay."""
    (tmp_path / "elsewhere").mkdir()
    (folder / "..data").symlink_to(tmp_path / "elsewhere")
    assert list(layout_faults(folder)) == []
    (folder / "team-a" / "linked").symlink_to(tmp_path / "elsewhere")
    (fault,) = layout_faults(folder)
    assert (fault.file, fault.text) == (
        "team-a/linked",
        "a link to a folder is not followed; move the folder itself here",
    )


@pytest.mark.parametrize("name", ["notes.txt", "contain.yaml.bak", "contain.json", "contain", "team-a/contain.yaml~"])
def test_a_file_of_another_kind_is_told(folder: Path, name: str) -> None:
    """It keeps nothing from loading, and may be a policy that somebody believes in."""
    assert list(layout_faults(write(folder, name))) == []
    (warning,) = unread_warnings(folder)
    assert (warning.file, warning.text) == (
        name,
        "it is not read: policies end in .yaml; rename it, or keep it elsewhere",
    )


def test_an_empty_folder_is_told(folder: Path) -> None:
    """One without any policy, however deep; one whose policies are further below is not empty."""
    write(folder, "team-a/web/README.md")
    assert [warning.file for warning in unread_warnings(folder)] == ["team-a/web"]
    write(folder, "team-a/web/shop/contain.yaml")
    assert list(unread_warnings(folder)) == []


def test_cases_are_found_in_every_folder(folder: Path) -> None:
    """By their names, wherever they lie; not in hidden folders."""
    for name in ("team-a/isolate-web.test.yaml", "report.test.yaml", ".old/contain.test.yaml"):
        write(folder, name)
    assert [told_name(path, folder) for path in case_paths(folder)] == [
        "team-a/isolate-web.test.yaml",
        "report.test.yaml",
    ]
