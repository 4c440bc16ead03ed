"""The atheris target: bytes as a notification and as a push body, changed by structure as well as by libFuzzer.

Run through `python -m tests.fuzz`, which prepares the corpus; arguments are libFuzzer's.
"""

from __future__ import annotations

import json
import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["scc_responder"]):
    import scc_responder.intake.envelope
    import scc_responder.intake.notification
    import scc_responder.intake.threats
    import scc_responder.workbench.explanation

from tests.fuzz.mutate import mutate, notification
from tests.fuzz.property import delivered, examined

assert scc_responder.intake.notification.parse_notification


def target(content: bytes) -> None:
    """One input: any exception is a crash."""
    examined(content)
    delivered(content)


def mutated(content: bytes, max_size: int, seed: int) -> bytes:
    """The input with some of its values changed where it is JSON, at times a fresh one; else with its bytes changed."""
    random = Random(seed)
    choice = random.random()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if choice < 0.35 or document is None:
        return bytes(atheris.Mutate(content, max_size))
    if choice < 0.4:
        return notification(random)[:max_size]
    for _ in range(random.randint(1, 4)):
        mutate(document, random)
    try:
        return json.dumps(document).encode("utf-8", "surrogatepass")[:max_size]
    except RecursionError:
        return content


if __name__ == "__main__":
    atheris.Setup(sys.argv, target, custom_mutator=mutated)
    atheris.Fuzz()
