"""The kill switch: one document for everywhere, and one for each project or cluster that needs its own, in the store.

A document is a ceiling on the mode of every policy: it can lower a mode, never raise it. No document for everywhere, or
one that makes no sense, means `dry_run`; no document for a place takes nothing away. It is read before every decision
and every intent, and turned by compare-and-set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError, StoreError, StoreUnavailable
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, write_over
from scc_responder.domain.value import Value, resolved
from scc_responder.guard.guard import lowered
from scc_responder.policy.decide import Decision

CONTROL_PREFIX = "control/"
GLOBAL = f"{CONTROL_PREFIX}global"
_TRIES = 8
NAME = "control"
LOWERED = Reason.MODE_LOWERED_BY.of(NAME)
CONTROL_SCHEMA = 1
KEEP_CHANGES = 20
"""As many changes before the present one are kept in a document."""


class Setting(Value, frozen=True, kw_only=True):
    """One turn of the switch: to which mode, why, by whom and when."""

    mode: Mode
    reason: str
    by: str
    at: datetime


class Control(Setting, frozen=True, kw_only=True):
    """The document: the present setting, and those before it, the latest first.

    `cluster` is a cluster's path, or `projects/P` of a whole project; empty: everywhere.
    """

    cluster: str = ""
    schema: int = CONTROL_SCHEMA
    history: tuple[Setting, ...] = ()


class KillSwitchCeiling(Value, frozen=True, kw_only=True):
    """The furthest mode that the kill switch allows now, and the reason if no document says it."""

    mode: Mode
    reason: str = ""


def parse(value: bytes, cluster: str | None = None) -> Control | None:
    """The document, or None if this version cannot read it or if it is about another place than `cluster`."""
    try:
        # As text: of bytes, what is skipped is not looked at, and may be no UTF-8.
        control = msgspec.json.decode(value.decode(), type=resolved(Control))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    is_meant = cluster is None or control.cluster == cluster
    return control if control.schema == CONTROL_SCHEMA and is_meant else None


def enclosing(place: str) -> tuple[str, ...]:
    """The places, besides everywhere, whose documents hold in a cluster or project: the project's, and its own.

    >>> enclosing("projects/p/locations/l/clusters/c"), enclosing("projects/p"), enclosing("")
    (('projects/p', 'projects/p/locations/l/clusters/c'), ('projects/p',), ())
    """
    project = "/".join(place.split("/")[:2])
    return tuple(dict.fromkeys(filter(None, (project, place))))


def ceiling(everywhere: bytes | None, *own: tuple[bytes | None, str]) -> KillSwitchCeiling:
    """The lowest of the documents, each as it is stored; None where there is none. `own` have their places."""
    lowest = (
        KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_MISSING)
        if everywhere is None
        else _ceiling_of(everywhere, "")
    )
    for document, place in own:
        special = KillSwitchCeiling(mode=Mode.ENFORCE) if document is None else _ceiling_of(document, place)
        lowest = special if capped(special.mode, lowest.mode) != lowest.mode else lowest
    return lowest


def changed(before: Control | None, setting: Setting, cluster: str = "") -> Control:
    """The document after one more turn of the switch."""
    history: tuple[Setting, ...] = ()
    if before is not None:
        last = Setting(mode=before.mode, reason=before.reason, by=before.by, at=before.at)
        history = (last, *before.history)[:KEEP_CHANGES]
    made = Control(mode=setting.mode, reason=setting.reason, by=setting.by, at=setting.at, history=history)
    return replace(made, cluster=cluster)


def under(limit: KillSwitchCeiling, decision: Decision) -> Decision:
    """The decision with every policy's mode under the kill switch's."""
    return Decision(policies=tuple(lowered(policy, limit.mode, NAME) for policy in decision.policies))


def key_of(cluster: str) -> str:
    """Where the document of a cluster or project, given by its path, is; of everywhere, if the path is empty."""
    return f"{CONTROL_PREFIX}cluster/" + hashlib.sha256(cluster.encode()).hexdigest()[:32] if cluster else GLOBAL


class KillSwitch:
    """The documents. Nothing is kept in memory: what a person set counts from the next read on."""

    def __init__(self, store: CasStore) -> None:
        self._store = store

    def ceiling(self, place: str) -> KillSwitchCeiling:
        """The furthest mode allowed in the cluster or project now; with an empty path, by everywhere's document alone.

        Raises RetryableError `control_unreadable` where the store does not answer: nothing may be done then, and the
        message comes again. If the stored document is unusable, `dry_run`.
        """
        try:
            entries = self._store.get_many([GLOBAL, *map(key_of, enclosing(place))])
        except StoreUnavailable as error:
            raise RetryableError(Reason.CONTROL_UNREADABLE, str(error), permission=error.permission) from error
        except StoreError:
            return KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_UNUSABLE)
        everywhere, *own = (entry.value if entry else None for entry in entries)
        return ceiling(everywhere, *zip(own, enclosing(place), strict=True))

    def read(self, cluster: str = "") -> Control | None:
        """One document; None if there is none or it is unusable. Raises StoreError."""
        entry = self._store.get(key_of(cluster))
        return parse(entry.value, cluster) if entry else None

    def set(self, setting: Setting, cluster: str = "") -> Control:
        """Turn the switch. What cannot be read is replaced. Raises RetryableError `control_contended`, StoreError."""
        key = key_of(cluster)
        for _ in range(_TRIES):
            entry = self._store.get(key)
            control = changed(parse(entry.value, cluster) if entry else None, setting, cluster)
            value = msgspec.json.encode(control)
            with suppress(AlreadyExists, Conflict):
                write_over(self._store, key, value, entry)
                return control
        raise RetryableError(
            Reason.CONTROL_CONTENDED, f"{key} changed {_TRIES} times meanwhile: look at it, and try again"
        )

    def documents(self) -> Iterator[tuple[str, Control | None]]:
        """Every document by its key, everywhere's last; None for one that is unusable. Raises StoreError."""
        cursor: str | None = None
        while True:
            page = self._store.scan(CONTROL_PREFIX, cursor)
            for entry in page.entries:
                yield entry.key, _own(entry.key, entry.value)
            cursor = page.cursor
            if cursor is None:
                return


def _own(key: str, value: bytes) -> Control | None:
    control = parse(value)
    return control if control and key_of(control.cluster) == key else None


def _ceiling_of(value: bytes, cluster: str) -> KillSwitchCeiling:
    control = parse(value, cluster)
    return (
        KillSwitchCeiling(mode=control.mode)
        if control
        else KillSwitchCeiling(mode=Mode.DRY_RUN, reason=Reason.CONTROL_UNUSABLE)
    )
