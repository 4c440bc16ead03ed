"""`python -m tests.node [ROUNDS]` (`make node`): what the product says of pods on a real node, beside what is true.

The situations of `MEASURED` are played in 9 rounds: prepared side by side, and then answered one after another. All
others are played once. Figures are milliseconds after the push of the finding: the median, the 90th percentile, and in
how many rounds it happened. Ends with 1 where one word was false, or a case did not end as it should. No round begins
later than `ROUNDS_SECONDS`, so that all of it takes some 12 minutes at most.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from threading import BrokenBarrierError

from tests.cluster.binaries import BinariesUnavailable
from tests.cluster.client import ApiFailure
from tests.node import real_node as nodes
from tests.node.attackers import ATTACKERS, Looked, look_at
from tests.node.floor import floors
from tests.node.looks import offer_collector
from tests.node.packages import NodeUnavailable
from tests.node.play import play_all
from tests.node.real_node import Node
from tests.node.situations import MEASURED, SITUATIONS
from tests.node.trial import Trial

ROUNDS_SECONDS = 420
"""After so long no further round begins."""

MOST_REQUESTS = 40
"""To the API server, in one delivery."""

SIDE_BY_SIDE = 8

WRONG = ("FALSE", "UNEXPECTED")

FIGURES: dict[str, Callable[[Trial], int | None]] = {
    "said: all is sealed, and answered": lambda trial: trial.said.at,
    "said: contained": lambda trial: (trial.later or trial.said).contained,
    "true: last new connection": lambda trial: trial.true.last_new,
    "true: new connections after that": lambda trial: max((trial.true.last_new or 0) - trial.said.at, 0) or None,
    "true: last heartbeat": lambda trial: trial.true.silent,
    "true: process stopped": lambda trial: trial.true.frozen,
    "true: process dead": lambda trial: trial.true.dead,
    "true: API says terminated": lambda trial: trial.true.terminated,
    "true: object gone": lambda trial: trial.true.gone,
    "requests to the API server": lambda trial: trial.requests,
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
    lines = [name, *(f"  said {times}x {text}" for text, times in words.items())]
    contained = [trial.said.contained_seconds for trial in trials if trial.said.contained_seconds is not None]
    lines += [f"  said {len(contained)}x contained_seconds, median {median(contained):.1f}"] if contained else []
    lines += [f"  {label:<36}{figure(map(read, trials))}" for label, read in FIGURES.items()]
    false = Counter(word for trial in trials for word in trial.false_words)
    lines += [f"  FALSE {times}x {word}" for word, times in false.items()]
    odd = sum(trial.end not in SITUATIONS[name].said for trial in trials)
    lines += [f"  UNEXPECTED {odd}x, not {' or '.join(SITUATIONS[name].said)}"] if odd else []
    many = max((trial.requests or 0 for trial in trials), default=0)
    lines += [f"  UNEXPECTED {many} requests, more than {MOST_REQUESTS}"] if many > MOST_REQUESTS else []
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
    lines = [name, *(f"  said {times}x {text}" for text, times in words.items())]
    lines += [f"  {label:<36}{figure(values)}" for label, values in figures.items()]
    false = Counter(word for look in looks for word in look.false_words)
    return "\n".join([*lines, *(f"  FALSE {times}x {word}" for word, times in false.items())])


class Playing:
    """What was played so far, by situation, and what could not be."""

    def __init__(self, node: Node, scratch: Path) -> None:
        self.trials: dict[str, list[Trial]] = {name: [] for name in (*MEASURED, *SITUATIONS)}
        self.lost: list[str] = []
        self._node = node
        self._folders = (scratch / str(number) for number in count())
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """For how long."""
        return time.monotonic() - self._began

    def play(self, names: Sequence[str], *, one_by_one: bool) -> None:
        """Play these situations; where one of them cannot be prepared, none of them counts."""
        situations = {name: SITUATIONS[name] for name in names}
        try:
            trials = play_all(self._node, next(self._folders), situations, one_by_one=one_by_one)
        except (TimeoutError, ApiFailure, BrokenBarrierError) as error:
            self.lost.append(f"LOST {', '.join(names)}: {error}")
            return
        for name, trial in trials.items():
            self.trials[name].append(trial)

    def rounds(self, most: int) -> None:
        """The rounds of what is measured, one after another."""
        for number in range(1, most + 1):
            progress(f"round {number} of {most}, after {self.seconds:.0f} s")
            self.play(MEASURED, one_by_one=True)
            if self.seconds > ROUNDS_SECONDS and number < most:
                self.lost.append(f"LOST rounds {number + 1} to {most}: none begins after {ROUNDS_SECONDS} s")
                return

    def others(self) -> None:
        """All other situations once, some side by side."""
        names = [name for name in SITUATIONS if name not in MEASURED]
        for first in range(0, len(names), SIDE_BY_SIDE):
            progress(f"other situations, {first} of {len(names)}, after {self.seconds:.0f} s")
            self.play(names[first : first + SIDE_BY_SIDE], one_by_one=False)

    def attackers(self, image: str) -> Iterator[str]:
        """What the collector says in the pod of each attacker, beside what is true: side by side, once each."""
        progress(f"{len(ATTACKERS)} attackers, after {self.seconds:.0f} s")
        with ThreadPoolExecutor(len(ATTACKERS)) as pool:
            running = {name: pool.submit(look_at, self._node, image, each) for name, each in ATTACKERS.items()}
        for name, looked in running.items():
            error = looked.exception()
            if isinstance(error, TimeoutError | ApiFailure):
                self.lost.append(f"LOST attacker {name}: {error}")
            else:
                yield look_page(f"attacker: {name}", [looked.result()])


def play(node: Node, rounds: int, scratch: Path) -> Iterator[str]:
    """Play all of it. What is printed, each part as soon as it is known."""
    # From here on under the admission policy that is shipped.
    image = offer_collector(node, scratch / "collector")
    playing = Playing(node, scratch)
    yield "idle floor, median of 9 in milliseconds:"
    yield "\n".join(f"  {call:<36}{took:7.1f}" for call, took in floors(node).items())
    yield f"milliseconds after the push{'median':>18} {'p90':>7}   rounds"
    playing.rounds(rounds)
    yield from (page(name, playing.trials[name]) for name in MEASURED if playing.trials[name])
    playing.others()
    yield from (page(name, trials) for name, trials in playing.trials.items() if trials and name not in MEASURED)
    yield from playing.attackers(image)
    yield from playing.lost
    yield from (f"UNEXPECTED never played: {name}" for name, trials in playing.trials.items() if not trials)
    yield f"{len(playing.lost)} LOST; {playing.seconds:.0f} s in all"


def main(rounds: int) -> int:
    """Play, print, and return the exit code."""
    progress("building what is missing")
    paths = nodes.programs()
    progress("starting the node")
    wrong = 0
    with nodes.running(paths) as node, tempfile.TemporaryDirectory() as scratch:
        for text in play(node, rounds, Path(scratch)):
            print(text, flush=True)
            wrong += sum(line.strip().startswith(WRONG) for line in text.splitlines())
    print(f"{wrong} lines FALSE or UNEXPECTED")
    return int(bool(wrong))


def progress(words: str) -> None:
    """For whom waits."""
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    except (NodeUnavailable, BinariesUnavailable) as error:
        sys.exit(f"no real node: {error.reason}\n{error.remedy}")
