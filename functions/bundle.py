"""Make the zip that is deployed: `python functions/bundle.py [dist/scc-responder.zip]`.

It holds the entry point, the package without what only a desk needs, the policies without their tests and with their
compiled form, and the hash-pinned requirements. The same content makes the same bytes, so that the digest in its name
changes only with it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.compiled import COMPILED_FILE, compile_policies
from scc_responder.policy.policy_set import TEST_SUFFIX

FUNCTIONS = Path(__file__).parent
POLICIES = FUNCTIONS.parent / "policies"
DESK_ONLY = ("cli", "workbench")
# Compression differs between zlib versions; stored bytes do not.
EPOCH = (1980, 1, 1, 0, 0, 0)


def contents() -> Iterator[tuple[str, bytes]]:
    """Every file of the zip as (name inside, content), in the order it is written. Raises PolicyError."""
    package = FUNCTIONS / "scc_responder"
    found = {"main.py": FUNCTIONS / "main.py", "requirements.txt": FUNCTIONS / "requirements.txt"}
    for path in package.rglob("*"):
        inside = path.relative_to(FUNCTIONS)
        if path.suffix in {".py", ".json"} and inside.parts[1] not in DESK_ONLY:
            found[inside.as_posix()] = path
    for path in POLICIES.glob("*.yaml"):
        if not path.name.endswith(TEST_SUFFIX):
            found[f"policies/{path.name}"] = path
    files = {name: path.read_bytes() for name, path in found.items()}
    yield from sorted({**files, f"policies/{COMPILED_FILE}": compile_policies(POLICIES)}.items())


def write(target: Path) -> str:
    """Write the zip and return its SHA-256. Raises PolicyError where the policies cannot be loaded."""
    files = list(contents())
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w", ZIP_STORED) as bundle:
        for name, content in files:
            entry = ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            bundle.writestr(entry, content)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> int:
    """Write the zip that the command line names."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist/scc-responder.zip")
    try:
        digest = write(target)
    except PolicyError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    print(f"{target} sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
