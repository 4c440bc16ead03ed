"""The decision that each runbook's golden must lead to, as `scc-responder explain` prints it.

python -m tests.findings.decisions --write    write them anew, to be read before they are committed
"""

from __future__ import annotations

import argparse
import io
from contextlib import redirect_stdout
from pathlib import Path

from scc_responder.cli.main import main
from tests.findings import FOLDER, RUNBOOKS

POLICIES = Path(__file__).parents[2] / "policies"


def decision(name: str) -> str:
    """What `explain` prints of a golden and its context file, with the shipped policies."""
    printed = io.StringIO()
    arguments = [str(FOLDER / f"{name}.json"), "--context", str(FOLDER / f"{name}.context.json")]
    with redirect_stdout(printed):
        main(["explain", *arguments, "--policies", str(POLICIES), "--format", "json"])
    return printed.getvalue()


def committed(name: str) -> Path:
    """The file that holds it."""
    return FOLDER / f"{name}.decision.json"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", required=True, help="write the decisions anew")
    parser.parse_args()
    for golden in RUNBOOKS:
        committed(golden).write_text(decision(golden))
