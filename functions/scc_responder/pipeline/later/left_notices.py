"""Notices that are left in the store for the next sweep to tell: a command at somebody's desk may not publish."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta

import msgspec

from scc_responder.domain.errors import ApiError, Conflict
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.store import CasStore, Entry, stored_as
from scc_responder.journal.outbox.outbox import fitted_notice
from scc_responder.pipeline.services import Services

LEFT_NOTICES = "left_notice/"
MOST_TOLD = 10
"""As many are told by one sweep."""
_MOST_READ = 100
_KEEP_LEFT = timedelta(days=7)


def leave_notice(store: CasStore, notice: Notice) -> None:
    """Leave the notice for the next sweep. Raises StoreError."""
    store.create(f"{LEFT_NOTICES}{secrets.token_hex(16)}", msgspec.json.encode(fitted_notice(notice)), keep=_KEEP_LEFT)


def tell_left(services: Services) -> int:
    """Tell what was left, and return how many notices were told. Raises StoreError.

    What fails is told by a later sweep. Two sweeps at once may tell one twice.
    """
    entries = services.store.scan(LEFT_NOTICES, limit=_MOST_READ).entries
    # What cannot be read is from a later version, or nobody's: it is in nothing's way.
    left = [(entry, notice) for entry in entries if (notice := stored_as(Notice, entry))]
    return sum(_told(entry, notice, services) for entry, notice in left[:MOST_TOLD])


def _told(entry: Entry, notice: Notice, services: Services) -> bool:
    try:
        if services.notifier is not None:
            services.notifier.tell(notice)
    except ApiError:
        return False
    with suppress(Conflict):
        services.store.delete(entry.key, entry.version)
    return True
