"""Which targets of one policy are held in one scope: over sweeps and instances, in one document of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError
from scc_responder.domain.store import CasStore, entries_of, stored_as, write_over
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decoded

HELD_TARGETS = "held_targets/"
KEEP_HELD_TARGETS = timedelta(days=2)
MOST_HELD_KEPT = 200
_TRIES = 4


def held_targets(
    store: CasStore, about: str, met: Mapping[str, str], most: int, is_held: Callable[[CaseRecord, str], bool]
) -> dict[str, str] | None:
    """The targets that are held, each with the key of its case: those `met` now, and what earlier sweeps met.

    `about` names policy, scope and place. Where they are more than `most`, the cases of the others are read: one counts
    where `is_held` says so. None where other sweeps write the document all the time: then nobody knows. Raises
    StoreError.
    """
    key = f"{HELD_TARGETS}{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    for _ in range(_TRIES):
        entry = store.get(key)
        known = stored_as(dict[str, str], entry) or {}
        others = {target: case for target, case in known.items() if target not in met}
        if len(met) + len(others) > most:
            others = _still(store, others, is_held)
        held = dict([*met.items(), *others.items()][:MOST_HELD_KEPT])
        if held == known:
            return held
        with suppress(AlreadyExists, Conflict):
            write_over(store, key, msgspec.json.encode(held), entry, keep=KEEP_HELD_TARGETS)
            return held
    return None


def _still(store: CasStore, targets: Mapping[str, str], is_held: Callable[[CaseRecord, str], bool]) -> dict[str, str]:
    entries = entries_of(store, [f"case/{case}" for case in targets.values()])
    still: dict[str, str] = {}
    for (target, case), entry in zip(targets.items(), entries, strict=True):
        try:
            if entry is not None and is_held(decoded(entry), target):
                still[target] = case
        except RetryableError:
            still[target] = case
    return still
