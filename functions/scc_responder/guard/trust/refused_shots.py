"""First shots that were refused: a person looks at them, and lets the policy act there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import Conflict, StoreError
from scc_responder.domain.store import CasStore, Entry
from scc_responder.guard.trust.first_shot import FIRST_SHOTS, FirstShot, FirstShotState
from scc_responder.guard.trust.warm_up import KEEP_DECIDED, read_first_shot

_TRIES = 8


def refused_shots(store: CasStore) -> Iterator[tuple[Entry, FirstShot]]:
    """Each that stands refused. One that this version cannot read is left out. Raises StoreError."""
    cursor: str | None = None
    while True:
        page = store.scan(FIRST_SHOTS, cursor)
        for entry in page.entries:
            shot = _readable(entry)
            if shot and shot.state is FirstShotState.REFUSED:
                yield entry, shot
        cursor = page.cursor
        if cursor is None:
            return


def let_policy_act(store: CasStore, policy: str, place: str, by: str, said: str) -> list[FirstShot]:
    """Let the policy act in the place, as it stands and as it stood: what was refused there. Raises StoreError."""
    for _ in range(_TRIES):
        with suppress(Conflict):
            meant = [item for item in refused_shots(store) if (item[1].policy, item[1].place) == (policy, place)]
            for entry, shot in meant:
                value = msgspec.json.encode(let_pass(shot, by, said, entry.server_time))
                store.replace(entry.key, value, entry.version, keep=KEEP_DECIDED)
            return [shot for _, shot in meant]
    return []


def _readable(entry: Entry) -> FirstShot | None:
    with suppress(StoreError):
        return read_first_shot(entry)
    return None


def let_pass(shot: FirstShot, by: str, said: str, now: datetime) -> FirstShot:
    """The document of a first shot that was refused, once a person lets the policy act."""
    return replace(shot, state=FirstShotState.PASSED, decided_at=now, by=by, said=said)
