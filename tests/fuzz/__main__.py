"""`python -m tests.fuzz [--seconds N] [--crashes DIR]`: fuzz notifications by coverage, from the goldens on.

Prints its figures as JSON. The status is 0 where nothing was found, 1 where something was, 2 where it cannot run here.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz.run import Unavailable, fuzz


def main() -> int:
    """Fuzz for some seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: %(default)s)")
    parser.add_argument("--crashes", type=Path, default=Path("fuzz-crashes"), help="where inputs are kept that fail")
    options = parser.parse_args()
    try:
        figures = fuzz(options.seconds, options.crashes)
    except Unavailable as error:
        print(f"NOT FUZZED: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures, indent=2))
    return 1 if figures["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
