"""`python -m tests.bench.compare OTHER_CHECKOUT [--pairs N]`: this checkout's function against another's.

Both run on one cluster, in turn, so that the machine's speed counts for both alike. Prints JSON: the median of each
figure on either side, and their ratio; 1 if a ratio is over the limit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.cold import JUNK
from tests.bench.rig import ALL, GUARDRAILS, Rig, first_answer, rig
from tests.e2e.served import PACK, ROOT, unzip
from tests.findings import push_body
from tests.kits.responder import policy, write_policies

LIMIT = 1.03
WARM_UP = 3
COMPILE = """
import sys
from importlib import import_module
from pathlib import Path
folder, names = Path(sys.argv[1]), sys.argv[2:]
for name in names:
    try:
        (folder / ".compiled.json").write_bytes(import_module(name).compile_policies(folder))
        break
    except ModuleNotFoundError:
        continue
else:
    sys.exit("no module of this checkout compiles policies")
"""
COMPILERS = (
    "scc_responder.workbench.policy_files.policy_file",
    "scc_responder.policy.policy_file",
    "scc_responder.compiled_policies",
)
"""The module that compiles policies, by its names in this version and in earlier ones."""


@dataclass
class Side:
    """One checkout: its unpacked zip, its policies in its own compiled form, and what was measured of it."""

    checkout: Path
    function: Path
    policies: Path
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        """Keep one measurement."""
        self.figures.setdefault(name, []).append(value)


def side(folder: Path, checkout: Path) -> Side:
    """The zip of a checkout, made and compiled by its own code."""
    folder.mkdir()
    policies = write_policies(folder / "policies", policy(*ALL), guardrails=GUARDRAILS)
    command = [sys.executable, "-c", COMPILE, str(policies), *COMPILERS]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(checkout / "functions")})
    pack = checkout / PACK.relative_to(ROOT)  # another version may not know what a newer pack says
    return Side(checkout=checkout, function=unzip(folder, checkout, pack), policies=policies)


def measure_cold(parts: Rig, one: Side) -> None:
    """Seconds to the first answer to junk, and to the first label on a pod, each of a process of its own."""
    function = served(parts, one)
    try:
        one.note("cold_ready", first_answer(function, JUNK))
    finally:
        function.stop()
    document = parts.victims(1)[0]
    function, begun = served(parts, one), datetime.now(UTC)
    try:
        first_answer(function, push_body(document))
    finally:
        function.stop()
    patches = [event for event in parts.plane.audit(since=begun, namespace=parts.namespace) if event.verb == "patch"]
    one.note("cold_contained", (patches[0].completed - begun).total_seconds())


def measure_warm(parts: Rig, one: Side, function: Any, *, counted: bool) -> None:
    """Seconds from the push to the deletion on a function that has answered before, and its API requests."""
    document, begun = parts.victims(1)[0], datetime.now(UTC)
    assert function.post(push_body(document))[0] == 204
    events = parts.plane.audit(since=begun)
    delete = next(event for event in events if event.verb == "delete")
    if counted:
        one.note("warm", (delete.completed - begun).total_seconds())
        one.note("requests", len(events))


def served(parts: Rig, one: Side) -> Any:
    """A function of this side that is not started yet."""
    parts.function, parts.policies, parts.repository = one.function, one.policies, one.checkout
    return parts.served()


def compare(parts: Rig, ours: Side, theirs: Side, pairs: int) -> None:
    """Measure both sides in turn; which is first changes with each pair."""
    for number in range(pairs):
        for one in (ours, theirs) if number % 2 else (theirs, ours):
            measure_cold(parts, one)
        print(f"cold pair {number + 1} of {pairs}", file=sys.stderr, flush=True)
    with served(parts, ours) as our_function, served(parts, theirs) as their_function:
        both = ((ours, our_function), (theirs, their_function))
        for number in range(pairs + WARM_UP):
            for one, function in both if number % 2 else both[::-1]:
                measure_warm(parts, one, function, counted=number >= WARM_UP)
        for one, function in both:
            one.note("memory", function.resident_megabytes())


def main() -> int:
    """Compare, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare")
    parser.add_argument("other", type=Path, help="another checkout of this repository")
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scc-responder-compare-") as folder, rig(Path(folder)) as parts:
        ours = side(Path(folder) / "ours", ROOT)
        theirs = side(Path(folder) / "theirs", options.other.resolve())
        compare(parts, ours, theirs, options.pairs)
    medians = {
        name: (statistics.median(ours.figures[name]), statistics.median(theirs.figures[name])) for name in ours.figures
    }
    ratios = {name: round(mine / other, 3) for name, (mine, other) in medians.items()}
    told = {"ours": {}, "theirs": {}, "ratios": ratios, "pairs": options.pairs}
    for name, (mine, other) in medians.items():
        told["ours"] |= {name: round(mine, 4)}
        told["theirs"] |= {name: round(other, 4)}
    print(json.dumps(told, indent=2))
    return 1 if any(ratio > LIMIT for ratio in ratios.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
