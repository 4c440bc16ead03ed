"""`python -m tests.node [ROUNDS]` (`make node`): what the product says of pods on a real node, beside what is true.

In each of 9 rounds all situations are prepared, and then answered one after another. Figures are milliseconds after the
push of the finding: the median, the 90th percentile, and in how many rounds it happened. Ends with 1 where one word was
false, or a case did not end as it should.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles

from tests.cluster.binaries import BinariesUnavailable
from tests.node import real_node as nodes
from tests.node.floor import floors
from tests.node.packages import NodeUnavailable
from tests.node.play import play_all
from tests.node.situations import SITUATIONS
from tests.node.trial import Trial

FIGURES: dict[str, Callable[[Trial], int | None]] = {
    "said: the delivery is answered": lambda trial: trial.said.at,
    "true: last new connection": lambda trial: trial.true.last_new,
    "true: new connections after that": lambda trial: max((trial.true.last_new or 0) - trial.said.at, 0) or None,
    "true: last heartbeat": lambda trial: trial.true.silent,
    "true: process stopped": lambda trial: trial.true.frozen,
    "true: process dead": lambda trial: trial.true.dead,
    "true: API says terminated": lambda trial: trial.true.terminated,
    "true: object gone": lambda trial: trial.true.gone,
}


def figure(values: Iterable[int | None]) -> str:
    """Median, 90th percentile and count: `  1832    2140   9/9`."""
    values = list(values)
    known = sorted(value for value in values if value is not None)
    if not known:
        return f"{'never':>15}   0/{len(values)}"
    high = quantiles(known, n=10, method="inclusive")[-1] if len(known) > 1 else known[0]
    return f"{median(known):7.0f} {high:7.0f}   {len(known)}/{len(values)}"


def page(name: str, trials: Sequence[Trial]) -> str:
    """What is told of one situation."""
    words = Counter(f"{trial.said.state}: {', '.join(trial.said.reasons)}" for trial in trials)
    lines = [name, *(f"  said {count}x {text}" for text, count in words.items())]
    contained = [trial.said.contained_seconds for trial in trials if trial.said.contained_seconds is not None]
    lines += [f"  said {len(contained)}x contained_seconds, median {median(contained):.1f}"] if contained else []
    lines += [f"  {label:<32}{figure(map(read, trials))}" for label, read in FIGURES.items()]
    false = Counter(word for trial in trials for word in trial.false_words)
    lines += [f"  FALSE {count}x {word}" for word, count in false.items()]
    odd = sum(trial.end not in SITUATIONS[name].said for trial in trials)
    lines += [f"  UNEXPECTED {odd}x, not {' or '.join(SITUATIONS[name].said)}"] if odd else []
    return "\n".join(lines)


def main(rounds: int) -> int:
    """Play, print, and return the exit code."""
    paths = nodes.programs()
    results: dict[str, list[Trial]] = {name: [] for name in SITUATIONS}
    with nodes.running(paths) as node, tempfile.TemporaryDirectory() as scratch:
        print("idle floor, median in milliseconds:")
        print("\n".join(f"  {call:<34}{took:7.1f}" for call, took in floors(node).items()), flush=True)
        for number in range(rounds):
            for name, trial in play_all(node, Path(scratch) / str(number), SITUATIONS, one_by_one=True).items():
                results[name].append(trial)
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    print(f"milliseconds after the push{'median':>20} {'p90':>5}  rounds")
    pages = [page(name, trials) for name, trials in results.items()]
    print("\n".join(pages))
    return int(any(line.strip().startswith(("FALSE", "UNEXPECTED")) for text in pages for line in text.splitlines()))


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    except (NodeUnavailable, BinariesUnavailable) as error:
        sys.exit(f"no real node: {error.reason}\n{error.remedy}")
