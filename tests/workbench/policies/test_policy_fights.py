"""Two policies that ask for the same thing differently are named: no order of names decides between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.workbench.policies.policy_fights import Fight, fights
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import SHIPPED, policy, write_policies

MARK = "label_pod {labels: {scc-responder/tier: %s}}"


def found(folder: Path, *policies: str) -> list[Fight]:
    return list(fights(load_policies(write_policies(folder, *policies)).policies))


def one(value: str, name: str, **options: str) -> str:
    return policy(MARK % value, name=name, **options)


def test_two_values_for_one_label_are_a_fight(tmp_path: Path) -> None:
    """Where both policies may match one finding, the label would be whatever was written last."""
    assert found(tmp_path, one("high", "a"), one("low", "b")) == [
        Fight(policy="b", step=0, other="a", what="label scc-responder/tier")
    ]


def test_an_end_done_in_two_ways_is_a_fight(tmp_path: Path) -> None:
    """A deletion happens once: the other way of it would never be."""
    found_one = found(
        tmp_path, policy("delete_pod", name="a"), policy("delete_pod {grace_period_seconds: 3}", name="b")
    )
    assert [(fight.other, fight.what) for fight in found_one] == [("a", "delete_pod")]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(one("high", "b"), id="same-value"),
        pytest.param(one("low", "b", mode="dry_run"), id="other-mode"),
        pytest.param(one("low", "b", mode="disabled"), id="disabled"),
        pytest.param(one("low", "b", when="threat: added_binary_executed"), id="other-threat"),
        pytest.param(one("low", "b", when="surface: node"), id="other-surface"),
        pytest.param(one("low", "b", when="namespace: payments"), id="other-namespace"),
        pytest.param(one("low", "b").replace("then:", "unless: {namespace: [shop, pay*]}\nthen:"), id="excepted"),
        pytest.param(policy("annotate_pod {annotations: {scc-responder/tier: low}}", name="b"), id="annotation"),
        pytest.param(policy("label_pod {labels: {scc-responder/team: low}}", name="b"), id="other-key"),
    ],
)
def test_what_never_meets_is_no_fight(tmp_path: Path, other: str) -> None:
    """The mode decides between two modes; two threats, two namespaces and an exception keep policies apart."""
    mine = one("high", "a", when="threat: reverse_shell\n  namespace: shop")
    assert found(tmp_path, mine, other) == []


def test_disabled_policies_do_not_fight(tmp_path: Path) -> None:
    """What does nothing is in nobody's way."""
    assert found(tmp_path, one("high", "a", mode="disabled"), one("low", "b", mode="disabled")) == []


@pytest.mark.parametrize("namespace", ["shop", "sho*", "'*'", "[other, shop]"])
def test_what_may_meet_is_a_fight(tmp_path: Path, namespace: str) -> None:
    """One namespace that both name is enough."""
    mine = one("high", "a", when="threat: reverse_shell\n  namespace: shop")
    assert len(found(tmp_path, mine, one("low", "b", when=f"namespace: {namespace}"))) == 1


def test_shipped_policies_do_not_fight() -> None:
    """Whatever several of them do to one target, they agree on it."""
    assert list(fights(load_policies(SHIPPED).policies)) == []
