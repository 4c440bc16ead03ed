"""Remembers what people were told a short time ago, so that they are told once and not for every finding."""

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


def is_first_within(store: CasStore, about: str, case: str, now: datetime, within: timedelta) -> bool:
    """Whether no other case told people of a hold of the same (a workload, a pod) within this time before now.

    The next case's call says no. Where the store does not answer it is yes: twice is better than never.
    """
    key = f"{TOLD_PREFIX}held/{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    try:
        entry = store.get(key)
        at, _, by = entry.value.decode().partition(" ") if entry else ("", "", "")
        if at and by != case and now - datetime.fromisoformat(at) < within:
            return False
        with suppress(AlreadyExists, Conflict):
            write_over(store, key, f"{now.isoformat()} {case}".encode(), entry, keep=KEEP_TOLD)
            return True
    except (StoreError, TypeError, ValueError):
        return True
    return False
