"""SARIF of what lint finds, as code hosts read it."""

from __future__ import annotations

import json
from pathlib import Path

from scc_responder.cli.policy.reports.sarif_report import sarif
from scc_responder.workbench.policies.policy_lint import Linted
from scc_responder.workbench.policy_files.mistakes import Fault


def test_each_fault_is_a_result_at_its_line() -> None:
    """Errors and warnings with their files as the command's caller names them, and each reason as a rule."""
    found = Linted(
        policies=1,
        errors=(Fault(file="team-a/x.yaml", line=5, path="mode", text="unknown\x1b value", detail="a\n^"),),
        warnings=(Fault(file="notes.txt", text="it is not read", reason="not_read"),),
    )
    told = json.loads(sarif(found, Path("policies")))
    (run,) = told["runs"]
    assert (told["version"], run["tool"]["driver"]["rules"]) == (
        "2.1.0",
        [{"id": "invalid_policy"}, {"id": "not_read"}],
    )
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("invalid_policy", "error"),
        ("not_read", "warning"),
    ]
    first, second = (result["locations"][0]["physicalLocation"] for result in run["results"])
    assert first == {"artifactLocation": {"uri": "policies/team-a/x.yaml"}, "region": {"startLine": 5}}
    assert second == {"artifactLocation": {"uri": "policies/notes.txt"}}
    assert run["results"][0]["message"]["text"].startswith("mode: unknown")
    assert "\x1b" not in run["results"][0]["message"]["text"]


def test_nothing_found_is_a_whole_document() -> None:
    """A run without results tells a code host that earlier ones are mended."""
    told = json.loads(sarif(Linted(policies=1, errors=(), warnings=()), Path("policies")))
    assert told["runs"][0]["results"] == []
