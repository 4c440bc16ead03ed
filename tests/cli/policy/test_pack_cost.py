"""What checking, testing and simulating policies costs: a start is not noticed, a large pack is not waited for.

These are measurements in seconds of processor time: under a tracer such as coverage.py, or beside other tests, they say
less, so they stand apart.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from scc_responder.policy.policy_set import policy_paths
from tests.cli.commands import COMMAND, environment
from tests.counts import Count
from tests.findings import FOLDER
from tests.findings.recorded import write_lines
from tests.kits.responder import SHIPPED

POLICIES = Count("policies of a large pack", 100, 1_000)
FINDINGS = Count("findings that a large pack is simulated with", 1_000, 10_000)
START = 0.4
"""Seconds that a command may take for what it does not do by policy or finding."""


def seconds(*arguments: object) -> float:
    """Seconds of processor time that a command takes: the least of three, for the first one compiles modules."""
    return min(_once(arguments) for _ in range(3))


def _once(arguments: tuple[object, ...], status: int = 0) -> float:
    command = [*map(str, COMMAND), *map(str, arguments)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
        _, ended, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
    assert process.returncode == status, shown
    return used.ru_utime + used.ru_stime


def large_pack(folder: Path) -> Path:
    """As many policies as are asked for: the shipped ones again and again, each with its cases and a condition."""
    folder.mkdir()
    shutil.copy(SHIPPED / "guardrails.yaml", folder)
    shipped = policy_paths(SHIPPED)
    for number in range(POLICIES.number):
        path = shipped[number % len(shipped)]
        name = f"{path.stem}-{number}"
        text = path.read_text().replace(f"name: {path.stem}\n", f"name: {name}\n")
        (folder / f"{name}.yaml").write_text(f"{text.rstrip()}\ncondition: finding.category != 'none-{number}'\n")
        cases = path.with_name(f"{path.stem}.test.yaml").read_text()
        renamed = cases.replace(f"policy: {path.stem}\n", f"policy: {name}\n")
        (folder / f"{name}.test.yaml").write_text(renamed)
    return folder


@pytest.mark.parametrize(
    "command", [("policy", "lint"), ("policy", "test"), ("explain", FOLDER / "reverse_shell.json")]
)
def test_the_shipped_pack_is_read_at_once(command: tuple[object, ...]) -> None:
    """Whoever edits a shipped policy has the answer in less than 0.4 s."""
    assert seconds(*command) < START


def test_a_large_pack_is_tested_in_seconds(tmp_path: Path) -> None:
    """A thousand policies, each with a condition and all cases of a shipped one, are tested in less than 3 s."""
    took = seconds("policy", "test", "--policies", large_pack(tmp_path / "policies"), "--findings", FOLDER)
    assert took < _share(3, POLICIES)


def test_a_large_pack_is_simulated_in_seconds(tmp_path: Path) -> None:
    """Ten thousand findings against a thousand policies, each with a condition, take less than 15 s."""
    export = write_lines(tmp_path / "export.json", FINDINGS.number)
    simulate = partial(_once, ("simulate", export, "--policies", large_pack(tmp_path / "policies"), "--assume-present"))
    assert simulate() < _share(15, FINDINGS)


def test_a_proof_is_waited_for(tmp_path: Path) -> None:
    """What one changed policy adds is proved in less than 5 s, and the whole shipped pack in less than a minute."""
    changed = tmp_path / "policies"
    shutil.copytree(SHIPPED, changed)
    policy = changed / "isolate-reverse-shell.yaml"
    policy.write_text(policy.read_text().replace("  - action: isolate_pod\n", "  - action: evict_pod\n"))
    assert _once(("policy", "prove", "--policies", SHIPPED)) < 60
    assert _once(("policy", "prove", "--policies", changed, "--against", SHIPPED), status=1) < 5


def _share(whole: float, count: Count) -> float:
    """The bound of this run: that of the whole where all of it is run, else its share and what any start takes."""
    return whole if count.number == count.full else START + whole * count.number / count.full
