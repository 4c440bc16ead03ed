"""Damaged policies: whatever a hand or a tool does to a shipped policy, it does not act where it did not before unseen.

`make test` tries 500 damages, `make soak` 10,000.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.counts import Count
from tests.fuzz.damage import KINDS, Subject, damaged
from tests.kits.responder import SHIPPED

DAMAGES = Count("damages to policies", 500, 10_000)
PARTS = 4
SEED = 20_260_302
NAMES = [policy.name for policy in load_policies(SHIPPED).policies]


@pytest.mark.parametrize("part", range(PARTS))
def test_each_damage_is_refused_or_harmless(tmp_path: Path, part: int) -> None:
    """Each damage is refused at load, or fails the policy's test file, or acts on no golden that it did not before."""
    random = Random(SEED + part)
    subjects = [Subject(name, tmp_path / name) for name in NAMES[part::PARTS]]
    verdicts: Counter[str] = Counter()
    for number in range(DAMAGES.number // PARTS):
        subject = subjects[number % len(subjects)]
        text = damaged(subject.text, random)
        verdict = subject.verdict(text)
        verdicts[verdict] += 1
        assert verdict != "unnoticed", f"{subject.name} acts where it did not, and no test says so:\n{text}"
    assert verdicts["refused"] > DAMAGES.number // PARTS // 5
    assert verdicts["harmless"] > 0


def test_damages_are_of_every_kind() -> None:
    """Each kind of damage changes a policy's text, and the same seed does the same."""
    text = (SHIPPED / f"{NAMES[0]}.yaml").read_text()
    for kind in KINDS:
        assert any(kind(text, Random(seed)) != text for seed in range(10))
    assert damaged(text, Random(1)) == damaged(text, Random(1))


def test_a_widened_policy_is_noticed(tmp_path: Path) -> None:
    """A policy that matches every pod's finding fails the case in which it is not to match."""
    subject = Subject("respond-to-compiler", tmp_path / "p")
    widened = subject.text.replace("threat: launch_code_compiler_tool_in_container", "threat: '*'")
    assert widened != subject.text
    assert subject.verdict(subject.text) == "harmless"
    assert subject.verdict(widened) == "failed"


def test_a_widened_policy_without_that_case_is_not(tmp_path: Path) -> None:
    """What finds a widened policy is its test file: without the case that it must not match, it goes unnoticed."""
    subject = Subject("respond-to-compiler", tmp_path / "p")
    tests = tmp_path / "p" / "respond-to-compiler.test.yaml"
    head, _, _ = tests.read_text().partition("  - name: A malicious library")
    tests.write_text(head)
    widened = subject.text.replace("threat: launch_code_compiler_tool_in_container", "threat: '*'")
    assert subject.verdict(widened) == "unnoticed"
