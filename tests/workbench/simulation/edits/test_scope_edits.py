"""Edits of `scope.yaml`, and policies that move to another folder: what bounds less is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.workbench.simulation.edits.scope_edits import scope_edits
from tests.kits.responder import policy, write_policies

SCOPE = {"max_mode": "approve", "namespaces": ["shop", "shop-*"], "actions": ["label_pod", "isolate_pod"]}


def folder(path: Path, **scopes: dict[str, Any]) -> Path:
    """A folder with a policy in each subfolder, and its scope."""
    write_policies(path, policy("label_pod", name="own"))
    for name, scope in scopes.items():
        (path / name).mkdir()
        (path / name / "scope.yaml").write_text(msgspec.json.encode(scope).decode())
        (path / name / f"of-{name}.yaml").write_text(policy("label_pod", name=f"of-{name}", when="namespace: shop"))
    return path


def told(former: Path, now: Path) -> list[tuple[str, bool]]:
    """Each edit by its field, and whether it widens."""
    return [(edit.field, edit.widens) for edit in scope_edits(former, now)]


@pytest.mark.parametrize(
    ("changes", "edits"),
    [
        ({}, []),
        ({"max_mode": "enforce"}, [("team/scope.yaml max_mode", True)]),
        ({"max_mode": "dry_run"}, [("team/scope.yaml max_mode", False)]),
        ({"namespaces": ["shop"]}, [("team/scope.yaml namespaces", False)]),
        ({"namespaces": ["shop", "bank"]}, [("team/scope.yaml namespaces", True)]),
        ({"namespaces": None}, [("team/scope.yaml namespaces", True)]),
        ({"clusters": ["projects/p/locations/l/clusters/c"]}, [("team/scope.yaml clusters", False)]),
        ({"actions": ["label_pod"]}, [("team/scope.yaml actions", False)]),
        ({"actions": None}, [("team/scope.yaml actions", True)]),
    ],
)
def test_each_bound_is_told(tmp_path: Path, changes: dict[str, Any], edits: list[tuple[str, bool]]) -> None:
    """A bound that leaves more widens; one that is left out leaves all."""
    former = folder(tmp_path / "former", team=SCOPE)
    now = {name: bound for name, bound in {**SCOPE, **changes}.items() if bound is not None}
    assert told(former, folder(tmp_path / "now", team=now)) == edits


def test_folders_that_come_and_go(tmp_path: Path) -> None:
    """A new scope widens nothing; nor does one that is gone with its policies."""
    without, having = folder(tmp_path / "without"), folder(tmp_path / "having", team=SCOPE)
    assert told(without, having) == told(having, without) == [("team/scope.yaml", False)]


def test_a_scope_below_another_that_is_gone(tmp_path: Path) -> None:
    """The policies that it bounded are still there: it widens."""
    former, now = (folder(tmp_path / name, team=SCOPE) for name in ("former", "now"))
    for path in (former, now):
        (path / "team" / "web").mkdir()
        (path / "team" / "web" / "front.yaml").write_text(policy("label_pod", name="front", when="namespace: shop"))
    (former / "team" / "web" / "scope.yaml").write_text("max_mode: dry_run\n")
    assert told(former, now) == [("team/web/scope.yaml", True)]


def test_a_policy_that_moves(tmp_path: Path) -> None:
    """Out of a scope it widens, into one it does not."""
    former, now = (folder(tmp_path / name, team=SCOPE) for name in ("former", "now"))
    (now / "team" / "of-team.yaml").rename(now / "of-team.yaml")
    (now / "team" / "other.yaml").write_text(policy("label_pod", name="other", when="namespace: shop"))
    assert told(former, now) == [("folder of of-team", True)]
    assert told(now, former) == [("folder of of-team", False)]
