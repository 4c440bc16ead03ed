"""At which of its failpoints a test kills a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tests.counts import Cases
from tests.requirements import NOTE

Noted = Callable[[str, object], None]
"""pytest's `record_property`."""


def fatal(names: Sequence[str]) -> Sequence[int]:
    """Some of the failpoints of these names, as numbers from 1: those before a call, and the very last.

    From after a call to before the next nothing is written anywhere, so that both leave the same behind. Of calls that
    begin side by side, the first stands for all.
    """
    pairs = enumerate(pairwise(["", *names]), 1)
    return [*(number for number, (last, name) in pairs if "before" in name and name != last), len(names)]


def killed_at(what: str, names: Sequence[str], noted: Noted, *, each: int = 1) -> Sequence[int]:
    """Where `what` is killed in this run: `fatal`, or everywhere in `make soak`; the summary tells how often.

    `each`: at every second of these, say, the last among them.
    """
    few = fatal(names)[::-each][::-1]
    numbers = Cases(f"points at which {what} is killed", few, range(1, len(names) + 1))
    for note in numbers.count.notes:
        noted(NOTE, note)
    return numbers.chosen
