"""The decision that each runbook's golden must lead to, as `scc-responder explain` prints it.

Policies that are about other threats are left out, so that one more of them changes nothing here.

python -m tests.findings.decisions --write    write them anew, to be read before they are committed
"""

from __future__ import annotations

import argparse
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

from scc_responder.cli.main import main
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.findings import FOLDER, RUNBOOKS
from tests.findings.expected import OTHER_THREAT


def decision(name: str) -> str:
    """What `explain` prints of a golden and its context file, with the shipped policies that are about its threat."""
    printed = io.StringIO()
    arguments = [str(FOLDER / f"{name}.json"), "--context", str(FOLDER / f"{name}.context.json")]
    with redirect_stdout(printed):
        main(["explain", *arguments, "--policies", str(PACK), "--format", "json"])
    told = json.loads(printed.getvalue())
    told["policies"] = [policy for policy in told["policies"] if policy["reason"] != OTHER_THREAT]
    return json.dumps(told, indent=2) + "\n"


def committed(name: str) -> Path:
    """The file that holds it."""
    return FOLDER / f"{name}.decision.json"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", required=True, help="write the decisions anew")
    parser.parse_args()
    for golden in RUNBOOKS:
        committed(golden).write_text(decision(golden))
