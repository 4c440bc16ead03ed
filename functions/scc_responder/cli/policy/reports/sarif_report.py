"""What lint finds as SARIF, which code hosts show at the lines of a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scc_responder import __version__
from scc_responder.domain.text import visible
from scc_responder.workbench.policies.policy_lint import Linted
from scc_responder.workbench.policy_files.mistakes import Fault

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Linted, folder: Path) -> str:
    """Each error and warning with its file, from where the command is run, and its line."""
    results = [_result(fault, "error", folder) for fault in found.errors]
    results += [_result(fault, "warning", folder) for fault in found.warnings]
    rules = sorted({result["ruleId"] for result in results})
    driver = {"name": "scc-responder", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(fault: Fault, level: str, folder: Path) -> dict[str, Any]:
    told = f"{fault.path}: {fault.text}" if fault.path else fault.text
    text = "\n".join(visible(line) for line in f"{told}\n{fault.detail}".strip().split("\n"))
    place: dict[str, Any] = {"artifactLocation": {"uri": (folder / fault.file).as_posix()}}
    if fault.line:
        place["region"] = {"startLine": fault.line}
    return {
        "ruleId": fault.reason,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
