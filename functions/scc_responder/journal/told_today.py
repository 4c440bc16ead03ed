"""Remembers what people were told today, so that they are told once a day and not for every finding."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta

from scc_responder.domain.errors import AlreadyExists, Conflict, StoreError
from scc_responder.domain.store import CasStore, write_over

TOLD_PREFIX = "told/"
KEEP_TOLD = timedelta(days=2)


def is_first_today(store: CasStore, reason: str, about: str, now: datetime) -> bool:
    """Whether nobody was told this reason about the same (a cluster's path, a finding's key) on this day in UTC.

    The next call says no. Where the store does not answer it is yes: twice is better than never.
    """
    key = f"{TOLD_PREFIX}{reason}/{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    today = now.date().isoformat().encode()
    try:
        entry = store.get(key)
        if entry is not None and entry.value == today:
            return False
        with suppress(AlreadyExists, Conflict):
            write_over(store, key, today, entry, keep=KEEP_TOLD)
            return True
    except StoreError:
        return True
    return False
