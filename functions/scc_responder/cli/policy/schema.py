"""Print the JSON Schema of a kind of file, for editors that complete and check while one types.

Line 1 of each policy names it: # yaml-language-server: $schema=./.schema/policy.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy schema`."""
    parser.add_argument("kind", nargs="?", choices=tuple(FILE_KINDS), default="policy", help="the kind of file")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write all of them into this folder instead")


def run(options: argparse.Namespace) -> int:
    """Print one schema, or write all of them."""
    if options.write is None:
        print(schema_text(options.kind), end="")
        return 0
    options.write.mkdir(parents=True, exist_ok=True)
    for kind in FILE_KINDS:
        (options.write / f"{kind}.json").write_text(schema_text(kind))
    return 0
