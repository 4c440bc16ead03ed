"""`python -m tests.bench [--rounds N]`: measure, print JSON; 1 if a figure misses its target."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.cold import cold
from tests.bench.duplicates import duplicates_per_second
from tests.bench.on_firestore import MOST_WRITES, on_firestore
from tests.bench.parsing import parsing
from tests.bench.rig import rig
from tests.bench.warm import warm
from tests.findings import push_body

TARGETS = {
    "cold_ready": ("at_most", 1.5),
    "cold_contained": ("at_most", 5.0),
    "warm": ("at_most", 2.0),
    "requests_total": ("at_most", 22),
    "resident_megabytes": ("at_most", 150),
    "firestore_cold_ready": ("at_most", 2.8),
    "store_writes": ("at_most", MOST_WRITES),
    "duplicates_per_second": ("at_least", 300),
    "parsed_milliseconds": ("at_most", 2.0),
    "decided_milliseconds": ("at_most", 10.0),
    "thousand_decided_milliseconds": ("at_most", 20.0),
    "loaded_milliseconds": ("at_most", 1000.0),
    "deployed_load_milliseconds": ("at_most", 5.0),
}


def main() -> int:
    """Measure everything once."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="scc-responder-bench-") as folder, rig(Path(folder)) as parts:
        _say("parsing and deciding ...")
        figures: dict[str, Any] = parsing()
        _say("cold starts ...")
        figures |= cold(parts, rounds)
        with parts.served() as function:
            _say("warm findings ...")
            figures |= warm(parts, function, rounds)
            figures["resident_megabytes"] = round(function.resident_megabytes(), 1)
            _say("duplicates ...")
            body = push_body(parts.findings[-2 if rounds else -1])
            function.post(body)
            figures["duplicates_per_second"] = duplicates_per_second(function, body, 5.0)
        _say("Firestore ...")
        figures |= on_firestore(parts, rounds)
    missed = [name for name in TARGETS if not _met(name, figures)]
    told = {"figures": figures, "targets": TARGETS, "missed": missed, "machine": _machine()}
    print(json.dumps(told, indent=2))
    return 1 if missed else 0


def _met(name: str, figures: dict[str, Any]) -> bool:
    value = figures[name]["median"] if isinstance(figures[name], dict) else figures[name]
    bound, target = TARGETS[name]
    return bool(value <= target if bound == "at_most" else value >= target)


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
