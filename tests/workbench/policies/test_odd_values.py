"""Whatever stands where a value should, `policy lint` says what is wrong, or nothing: it never ends in a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.workbench.policies.policy_lint import lint
from tests.counts import Count

TRIED = Count("odd values in guardrails, a policy and its cases", 606, 1_819)
ODD = (
    "",
    " ",
    "x",
    "*",
    "!x",
    "31.12.2026",
    "2026-12-31 12:00:00",
    "99:99",
    "999999d",
    "-1h",
    0,
    -1,
    10**30,
    1.5,
    True,
    [],
    {},
)
EVERYTHING = {"namespace": "shop", "cluster": "projects/p/locations/l/clusters/c", "labels": {"app": "web"}}
GUARDRAILS = {
    "protected": {
        "namespaces": ["kube-system"],
        "workloads": ["shop/Deployment/web"],
        "principals": ["ops@example.com"],
        "locations": ["us-*"],
    },
    "max_mode": "enforce",
    "ceilings": [{"name": "c", "clusters": [EVERYTHING["cluster"]], "max_mode": "approve", "actions": ["delete_pod"]}],
    "quiet_hours": [
        {
            "name": "q",
            "days": ["fri"],
            "from": "22:00",
            "to": "06:00",
            "timezone": "Europe/Berlin",
            "max_mode": "dry_run",
        }
    ],
    "exemptions": [
        {"name": "e", "when": EVERYTHING, "expires": "2026-12-31", "owner": "o", "reason": "r", "ticket": "t"}
    ],
    "approval": {"approvers": ["a@example.com"], "needed": 1, "expires": "1h"},
    "limits": {"cluster": [{"most": 1, "within": "1h"}]},
    "environments": [{"name": "prod", "clusters": [EVERYTHING["cluster"]], "share": "50%"}],
    "cluster_share": "25%",
    "keep_serving": ["shop/Deployment/web"],
    "storm_breaker": {"targets": 5, "denials": 5, "within": "10m"},
    "warm_up": "10m",
    "allowed_keys": {"labels": ["app"], "annotations": ["team"]},
}
POLICY = {
    "name": "odd",
    "description": "For a test.",
    "owner": "secops@example.com",
    "mode": "approve",
    "when": {"threat": ["reverse_shell"], "severity": "LOW", **EVERYTHING},
    "unless": {"image": "europe-docker.pkg.dev/example-project/**", "workload": "Deployment/web"},
    "condition": "finding.severity == 'HIGH'",
    "then": [{"action": "capture_evidence"}, {"action": "delete_pod", "with": {"grace_period_seconds": 5}}],
    "limits": [{"most": 1, "within": "24h"}],
}
CASES = {
    "policy": "odd",
    "cases": [{"name": "c", "finding": "reverse_shell", "age": "1m", "expect": {"then": ["notify"]}}],
}


def changed(value: Any) -> Iterator[Any]:
    """The value once for each place and each odd value in it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: other} for other in changed(item))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in changed(item))
    yield from ODD


@pytest.mark.parametrize(
    ("file", "whole"),
    [("guardrails.yaml", GUARDRAILS), ("odd.yaml", POLICY), ("odd.test.yaml", CASES)],
    ids=["guardrails", "policy", "cases"],
)
def test_an_odd_value_ends_no_lint(tmp_path: Path, file: str, whole: dict[str, Any]) -> None:
    """Each place of guardrails, a policy and its cases, with what nobody should write there."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, content in (("guardrails.yaml", GUARDRAILS), ("odd.yaml", POLICY), ("odd.test.yaml", CASES)):
        (folder / name).write_text(yaml.safe_dump(content))
    assert lint(folder, date(2026, 3, 2)).errors == ()
    for odd in list(changed(whole))[:: TRIED.full // TRIED.number]:
        (folder / file).write_text(yaml.safe_dump(odd))
        try:
            lint(folder, date(2026, 3, 2))
        except Exception as error:
            raise AssertionError(json.dumps(odd)) from error
