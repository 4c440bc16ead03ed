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
from tests.node.attackers import ATTACKERS, Looked, look_at, look_at_all
from tests.node.floor import floors
from tests.node.looks import offer_collector
from tests.node.packages import NodeUnavailable
from tests.node.play import play_all
from tests.node.real_node import Node
from tests.node.situations import SITUATIONS
from tests.node.trial import Trial

FIGURES: dict[str, Callable[[Trial], int | None]] = {
    "said: the delivery is answered": lambda trial: trial.said.at,
    "said: contained": lambda trial: (trial.later or trial.said).contained,
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


def look_page(name: str, looks: Sequence[Looked]) -> str:
    """What is told of one attacker, in milliseconds after the pod's isolation was asked for."""

    def after(moment: int | None, began: int) -> int | None:
        return None if moment is None else moment - began

    words = Counter(f"cut {look.cut.reason or 'whole'}, look {look.look.reason or 'whole'}" for look in looks)
    figures = {
        "true: last new connection": [look.last_new - look.began for look in looks],
        "true: last heartbeat": [look.last_beat - look.began for look in looks],
        "said: severed since": [after(look.severed_at, look.began) for look in looks],
        "true: process stopped": [after(look.still, look.began) for look in looks],
        "said: frozen since": [after(look.frozen_at, look.began) for look in looks],
        "said: all is known, program read": [look.look.at - look.began if look.look.whole else None for look in looks],
    }
    lines = [name, *(f"  said {count}x {text}" for text, count in words.items())]
    lines += [f"  {label:<32}{figure(values)}" for label, values in figures.items()]
    false = Counter(word for look in looks for word in look.false_words)
    return "\n".join([*lines, *(f"  FALSE {count}x {word}" for word, count in false.items())])


def look_pages(node: Node, image: str, rounds: int) -> list[str]:
    """The collector in a pod that hides nothing, its image present and not, alone; then every attacker once."""
    plain = ATTACKERS["nothing"]
    look_at(node, image, plain)
    present = [look_at(node, image, plain) for _ in range(rounds)]
    absent = [look_at(node, image, plain, pulled=True) for _ in range(rounds)]
    attacked = look_at_all(node, image, ATTACKERS)
    pages = [look_page("cut and look, image present", present), look_page("cut and look, image absent", absent)]
    return pages + [look_page(f"attacker: {name}", [look]) for name, look in attacked.items()]


def main(rounds: int) -> int:
    """Play, print, and return the exit code."""
    paths = nodes.programs()
    results: dict[str, list[Trial]] = {name: [] for name in SITUATIONS}
    with nodes.running(paths) as node, tempfile.TemporaryDirectory() as scratch:
        # From here on under the admission policy that is shipped.
        image = offer_collector(node, Path(scratch) / "collector")
        print("idle floor, median in milliseconds:")
        print("\n".join(f"  {call:<34}{took:7.1f}" for call, took in floors(node).items()), flush=True)
        for number in range(rounds):
            for name, trial in play_all(node, Path(scratch) / str(number), SITUATIONS, one_by_one=True).items():
                results[name].append(trial)
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        looks = look_pages(node, image, rounds)
    print(f"milliseconds after the push{'median':>20} {'p90':>5}  rounds")
    pages = [page(name, trials) for name, trials in results.items()] + looks
    print("\n".join(pages))
    return int(any(line.strip().startswith(("FALSE", "UNEXPECTED")) for text in pages for line in text.splitlines()))


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    except (NodeUnavailable, BinariesUnavailable) as error:
        sys.exit(f"no real node: {error.reason}\n{error.remedy}")
