"""`python -m tests.docs.pack [--write]`: the policies as they are shipped, recorded from `policies/`.

Whoever clones the repository may change `policies/` as they like: tests, tables and the wheel read what was recorded
last. Record a change that is to be shipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scc_responder.workbench.policy_files.shipped_pack import PACK

POLICIES = Path(__file__).parents[2] / "policies"


def main(arguments: Sequence[str] | None = None) -> int:
    """Record `policies/`, or say what differs from the record: then the status is 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.pack")
    parser.add_argument("--write", action="store_true", help="record them")
    names = list(differing(POLICIES, PACK))
    if parser.parse_args(arguments).write:
        record(names, POLICIES, PACK)
        return 0
    for name in names:
        print(f"policies/{name}: not as it is shipped")
    return 1 if names else 0


def differing(now: Path, recorded: Path) -> Iterator[str]:
    """The files that are in one of the folders alone, or differ, in the order of their names."""
    for name in sorted({path.name for folder in (now, recorded) for path in folder.glob("*.yaml")}):
        one, other = now / name, recorded / name
        if not (one.exists() and other.exists() and one.read_bytes() == other.read_bytes()):
            yield name


def record(names: Sequence[str], now: Path, recorded: Path) -> None:
    """Make these files of the record what they are now, or remove them."""
    for name in names:
        if (now / name).exists():
            (recorded / name).write_bytes((now / name).read_bytes())
        else:
            (recorded / name).unlink()


if __name__ == "__main__":
    sys.exit(main())
