"""Which folder of policies is meant, and which files of it; a folder without policies is the wrong folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.cli.terminal.policy_folder import USUAL_FOLDER, AskedPolicies, asked_policies, require_policies
from scc_responder.domain.errors import SettingsError


def test_an_empty_folder_names_the_option() -> None:
    """One policy is enough."""
    require_policies(1, Path("policies"))
    with pytest.raises(SettingsError, match="no policies in other; name their folder with --policies"):
        require_policies(0, Path("other"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders of policies, one of which has a team."""
    for name in ("policies", "others"):
        (tmp_path / name / "team-a" / "web").mkdir(parents=True)
        for file in ("guardrails.yaml", "contain.yaml", "team-a/scope.yaml", "team-a/web/isolate.yaml"):
            (tmp_path / name / file).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        ([], ()),
        (["."], ()),
        ([".", "contain.yaml"], ()),
        (["contain.yaml"], ("contain.yaml",)),
        (["team-a"], ("team-a",)),
        (["team-a/web/isolate.yaml", "contain.yaml"], ("team-a/web/isolate.yaml", "contain.yaml")),
    ],
)
def test_plain_arguments_name_files_of_a_folder(folder: Path, paths: list[str], chosen: tuple[str, ...]) -> None:
    """They may be in the folder of the option, or in another one that has guardrails."""
    for name, option in (("others", folder / "others"), ("policies", folder / "policies"), ("others", USUAL_FOLDER)):
        told = asked_policies([str(folder / name / path) for path in paths], option)
        assert told == AskedPolicies(folder=folder / name if paths else option, chosen=chosen)


@pytest.mark.parametrize(
    ("paths", "option", "told"),
    [
        (["policies/contian.yaml"], USUAL_FOLDER, "contian.yaml: there is no such file or folder"),
        (["policies/contain.yaml"], Path("others"), "leave out --policies, or name its folder"),
        (["policies/contain.yaml", "others"], USUAL_FOLDER, "others are in different folders of policies; name one"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, paths: list[str], option: Path, told: str) -> None:
    """A file that is not there, one beside the folder that was named, files of two folders."""
    given = [str(folder / path) for path in paths]
    with pytest.raises(SettingsError, match=told):
        asked_policies(given, option if option == USUAL_FOLDER else folder / option)


@pytest.mark.parametrize(
    ("chosen", "file", "concerns"),
    [
        ((), "a.yaml", True),
        (("a.yaml",), "a.yaml", True),
        (("a.yaml",), "", True),
        (("a.yaml",), "b.yaml", False),
        (("team-a",), "team-a/a.yaml", True),
        (("team-a",), "team-ab/a.yaml", False),
        (("team-a/a.yaml",), "team-a", True),
        (("team-a/a.yaml",), "team-a/b.yaml", False),
    ],
)
def test_a_file_concerns_what_holds_it(chosen: tuple[str, ...], file: str, *, concerns: bool) -> None:
    """Whoever asks about a file hears of the folder that it lies in, and of no other file."""
    assert AskedPolicies(folder=USUAL_FOLDER, chosen=chosen).concerns(file) is concerns
