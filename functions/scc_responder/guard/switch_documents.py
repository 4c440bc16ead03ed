"""The documents of the kill switch, as people read and turn them at a desk: each turn is one compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import write_over
from scc_responder.guard.kill_switch import CONTROL_PREFIX, Control, KillSwitch, Setting, key_of, parse

_TRIES = 8
KEEP_CHANGES = 20
"""As many changes before the present one are kept in a document."""

ControlRule = Callable[[Control | None, datetime | None], Control]
"""What becomes of a document, None where none can be read, at this moment by the store's clock."""


class SwitchDocuments(KillSwitch):
    """The kill switch, with what turns it."""

    def read(self, cluster: str = "") -> Control | None:
        """One document; None if there is none or it is unusable. Raises StoreError."""
        entry = self.store.get(key_of(cluster))
        return parse(entry.value, cluster) if entry else None

    def set(self, setting: Setting, cluster: str = "") -> Control:
        """Turn the switch. What cannot be read is replaced. Raises RetryableError `control_contended`, StoreError."""
        return self.change(lambda before, _: changed(before, setting, cluster), cluster)

    def change(self, rule: ControlRule, cluster: str = "") -> Control:
        """Store what the rule makes of the document. Raises what it raises, and what `set` does."""
        key = key_of(cluster)
        for _ in range(_TRIES):
            entry = self.store.get(key)
            control = rule(parse(entry.value, cluster), entry.server_time) if entry else rule(None, None)
            value = msgspec.json.encode(control)
            with suppress(AlreadyExists, Conflict):
                write_over(self.store, key, value, entry)
                return control
        raise RetryableError(
            Reason.CONTROL_CONTENDED, f"{key} changed {_TRIES} times meanwhile: look at it, and try again"
        )

    def documents(self) -> Iterator[tuple[str, Control | None]]:
        """Every document by its key, everywhere's last; None for one that is unusable. Raises StoreError."""
        cursor: str | None = None
        while True:
            page = self.store.scan(CONTROL_PREFIX, cursor)
            for entry in page.entries:
                yield entry.key, _own(entry.key, entry.value)
            cursor = page.cursor
            if cursor is None:
                return


def changed(before: Control | None, setting: Setting, cluster: str = "") -> Control:
    """The document after one more turn of the switch."""
    history: tuple[Setting, ...] = ()
    if before is not None:
        last = Setting(mode=before.mode, reason=before.reason, by=before.by, at=before.at)
        history = (last, *before.history)[:KEEP_CHANGES]
    made = Control(mode=setting.mode, reason=setting.reason, by=setting.by, at=setting.at, history=history)
    kept = before or made
    return replace(made, cluster=cluster, schema=kept.schema, timed=kept.timed, exemptions=kept.exemptions)


def _own(key: str, value: bytes) -> Control | None:
    control = parse(value)
    return control if control and key_of(control.cluster) == key else None
