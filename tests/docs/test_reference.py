"""policies/README.md: how to write a policy on one screen, and tables that are what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scc_responder.actions import actions
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy, PolicyStep
from scc_responder.workbench.needed_permissions import permissions_of
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.docs import reference
from tests.kits.responder import SHIPPED, policy, write_policies

PAGE = reference.PAGE.read_text()
BY_HAND = PAGE.partition(reference.BEGINS)[0]


def test_nothing_has_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    """The tables are what the generator makes of actions, conditions, facts and policies."""
    assert reference.main([]) == 0, capsys.readouterr().err


def test_drift_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that says something else is named, with the command that fixes it."""
    page = tmp_path / "policies" / "README.md"
    write_policies(page.parent)
    page.write_text(PAGE.replace("`delete_pod`", "`remove_pod`"))
    monkeypatch.setattr(reference, "PAGE", page)
    assert reference.main([]) == 1
    assert reference.COMMAND in capsys.readouterr().err
    assert reference.main(["--write"]) == 0
    assert page.read_text().startswith(BY_HAND)


def test_the_introduction_fits_one_screen() -> None:
    """What is to be read before the first policy is written fits on a screen or so."""
    assert len(BY_HAND.splitlines()) <= 90


def test_the_whole_language_is_shown() -> None:
    """Every field of a policy and of a step, and every mode, is in an example of the page."""
    shown = "\n".join(block.split("\n```")[0] for block in BY_HAND.split("```yaml\n")[1:])
    fields = {*Policy.__struct_fields__, *PolicyStep.__struct_fields__, "with"} - {"parameters"}
    assert [name for name in sorted(fields) if f"{name}:" not in shown] == []
    assert "disabled | dry_run | approve | enforce" in shown


@pytest.mark.parametrize("name", Match.__struct_fields__)
def test_each_condition_example_loads(name: str, tmp_path: Path) -> None:
    """The example of each condition is one that loads."""
    example = reference.CONDITIONS[name][1]
    loaded = load_policies(write_policies(tmp_path / "policies", policy("notify", when=f"{name}: {example}")))
    assert list(loaded.policies[0].when.given()) == [name]


@pytest.mark.parametrize("action", actions().values(), ids=lambda action: action.name)
def test_each_action_is_fully_described(action: reference.Action) -> None:
    """Each action stands there with its parameters, permissions and example."""
    part = PAGE.partition(f"\n### {action.name}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    assert [f"`{name}`" in part for name in action.params.__struct_fields__] == [True] * len(
        action.params.__struct_fields__
    )
    assert all(f"`{permission}`" in part for permission in reference.described(permissions_of(action.name)))
    steps = yaml.safe_load(part.partition("```yaml\n")[2].partition("```")[0])["then"]
    assert action.name in [step["action"] for step in steps]


def test_every_shipped_policy_is_listed() -> None:
    """Each policy of the folder is in the table of its tier, once."""
    listed = PAGE.partition("## The policies in this folder")[2]
    for shipped in load_policies(SHIPPED).policies:
        assert listed.count(f"[{shipped.name}]({shipped.name}.yaml)") == 1
