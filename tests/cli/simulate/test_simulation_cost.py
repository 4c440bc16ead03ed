"""What a simulation costs: a large export takes hardly more memory than a small one, and little time for each finding.

These are measurements: under a tracer such as coverage.py they say nothing, so they stand apart.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import COMMAND, environment
from tests.counts import Count
from tests.findings.recorded import write_array, write_lines
from tests.findings.recorded_cluster import write_snapshot
from tests.kits.responder import policy, write_policies

FINDINGS = Count("findings of a large export", 3_000, 20_000)


def fifty_policies(folder: Path) -> Path:
    """Fifty policies, of which several meet every finding."""
    rows = ["surface: pod", "kind: [ioc, behavioral]", "threat: '*shell*'", "severity: LOW", "confidence: likely"]
    texts = [
        policy("label_pod", "isolate_pod", "capture_evidence", "delete_pod", name=f"p{number}", when=rows[number % 5])
        for number in range(50)
    ]
    return write_policies(folder, *texts)


def cost(export: Path, policies: Path, *options: str | Path) -> tuple[float, int, dict[str, Any]]:
    """Seconds of processor time, the most resident memory in bytes, and the report."""
    arguments = [*COMMAND, "simulate", export, "--policies", policies, *options, "--format", "json"]
    shown = export.with_suffix(".report")
    with shown.open("wb") as output:
        process = subprocess.Popen(list(map(str, arguments)), env=environment(), stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime, used.ru_maxrss * 1024, json.loads(shown.read_bytes())


@pytest.mark.parametrize("write", [write_array, write_lines], ids=["array", "lines"])
def test_memory_stays_flat_over_findings(tmp_path: Path, write: Any) -> None:
    """Ten times the findings, each about a pod of its own, take hardly more memory, and at most 3 ms each."""
    policies = fifty_policies(tmp_path / "policies")
    few, many = FINDINGS.number // 10, FINDINGS.number
    _, small, _ = cost(write(tmp_path / "few.json", few), policies, "--assume-present")
    seconds, large, told = cost(write(tmp_path / "many.json", many), policies, "--assume-present")
    assert told["findings"] == many
    assert large - small < 12 * 1024 * 1024, (small, large)
    assert seconds < many * 0.003


def test_memory_stays_flat_with_a_snapshot(tmp_path: Path) -> None:
    """So it is with limits that are met, about a thousand pods of a snapshot."""
    policies = fifty_policies(tmp_path / "policies")
    few, many = FINDINGS.number // 10, FINDINGS.number
    snapshot = write_snapshot(tmp_path / "prod-1.json", many, pods=1_000)
    _, small, _ = cost(write_lines(tmp_path / "few.json", few, pods=1_000), policies, "--snapshot", snapshot)
    seconds, large, told = cost(write_lines(tmp_path / "many.json", many, pods=1_000), policies, "--snapshot", snapshot)
    total = told["policies"][0]["total"]
    assert (told["findings"], total["touched"]["pods"]) == (many, 1_000)
    assert total["acts"]["isolate_pod"] > 0
    assert any("limit_" in reason for reason in total["held"])
    assert large - small < 12 * 1024 * 1024, (small, large)
    assert seconds < many * 0.003
