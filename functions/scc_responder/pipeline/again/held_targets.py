"""Which targets of one policy are held in one scope: counted over sweeps and instances, in one document of the store.

One sweep meets a part of all cases. What others met counts as long as its case still stands so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError
from scc_responder.domain.store import CasStore, Entry, write_over
from scc_responder.domain.value import Value, resolved
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode

HELD_TARGETS = "held_targets/"
KEEP_HELD_TARGETS = timedelta(days=2)
MOST_HELD_KEPT = 200
"""So many targets a document keeps: more than any limit lets be done at once is all that anybody asks for."""
_TRIES = 4


class HeldTargets(Value, frozen=True, kw_only=True):
    """The key of the case of each target, by the target's UID."""

    targets: dict[str, str] = {}


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
        known = _kept(entry)
        others = {target: case for target, case in known.items() if target not in met}
        if len(met) + len(others) > most:
            others = _still(store, others, is_held)
        held = dict([*met.items(), *others.items()][:MOST_HELD_KEPT])
        if held == known:
            return held
        with suppress(AlreadyExists, Conflict):
            write_over(store, key, msgspec.json.encode(HeldTargets(targets=held)), entry, keep=KEEP_HELD_TARGETS)
            return held
    return None


def _kept(entry: Entry | None) -> dict[str, str]:
    """What the document keeps; nothing where it makes no sense: the next write replaces it."""
    with suppress(msgspec.DecodeError, UnicodeError):
        return msgspec.json.decode(entry.value, type=resolved(HeldTargets)).targets if entry else {}
    return {}


def _still(store: CasStore, targets: Mapping[str, str], is_held: Callable[[CaseRecord, str], bool]) -> dict[str, str]:
    """Those whose case still holds them. A case that cannot be read counts: nobody knows that it does not."""
    entries = store.get_many([f"case/{case}" for case in targets.values()])
    still: dict[str, str] = {}
    for (target, case), entry in zip(targets.items(), entries, strict=True):
        try:
            if entry is not None and is_held(decode(entry.value), target):
                still[target] = case
        except RetryableError:
            still[target] = case
    return still
