"""Show the storm breakers, or reset one that tripped.

A breaker trips where so much is to be disrupted at once that a bad rule or an attack on the responder is likelier than
so many incidents. It holds one scope, such as a workload or a namespace, or a whole cluster, or Cloud Run in a project.
What isolates pods has breakers of its own, apart from what cannot be undone. Until a person resets it, nothing is
disrupted in its scope; marks are set, evidence is kept, and people are told.

A ledger that makes no sense holds all that it limits, and is named; a reset of that place makes it anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.place_options import place_of, place_options
from scc_responder.cli.terminal.terminal import styled, user_name, visible_lines
from scc_responder.domain.errors import Conflict, SettingsError, StoreError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, Entry, usable_as
from scc_responder.guard.limiter import CLUSTERS, ORGANIZATION, cluster_key
from scc_responder.guard.limits.breaker_reset import reset
from scc_responder.guard.limits.ledger_document import WHOLE, Breaker, Ledger
from scc_responder.journal.persons_word import short_words

_TRIES = 8
_UNUSABLE = "it makes no sense, and what it limits is held. `breaker reset {0}` makes it anew"
_OF_ALL = "organization"
"""What all clusters together are counted in: it has no breaker, and no place names it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `breaker`."""
    commands = parser.add_subparsers(dest="breaker_command", metavar="COMMAND", required=True)
    show = commands.add_parser("show", help="the breaker of every cluster and project; 1 if one has tripped")
    show.add_argument("--format", choices=("text", "json"), default="text", help="what to print")
    closing = commands.add_parser("reset", help="let actions be taken again; 1 if the breaker had not tripped")
    closing.add_argument("--reason", required=True, help="why it is safe to go on; it is kept")
    closing.add_argument(
        "--scope", default="", metavar="SCOPE", help="the one scope to reset, as `breaker show` names it (default: all)"
    )
    closing.add_argument("--by", default=user_name(), help="who resets it")
    for command in (show, closing):
        store_option(command, fallback="")
        place = place_options(command, "what runs on Cloud Run in this project")
        place.add_argument("--organization", action="store_true", help="what all clusters together are counted in")


def run(options: argparse.Namespace) -> int:
    """Show, or reset."""
    if options.breaker_command == "reset" and not options.reason.strip():
        raise SettingsError("no_reason", "--reason: say why it is safe to go on; it is kept")
    store = existing_store(options.store)
    try:
        return _reset(store, options) if options.breaker_command == "reset" else _show(store, options)
    finally:
        store.close()


def _show(store: CasStore, options: argparse.Namespace) -> int:
    place = _OF_ALL if options.organization else place_of(options)
    found = {entry.key: _usable(entry) for entry in _entries(store) if not place or entry.key == _key(place)}
    # The organisation's has no breaker: there is something to say of it only where it was asked for, or is damaged.
    ledgers = [ledger for key, ledger in found.items() if ledger and (place or key != ORGANIZATION)]
    unusable = [key for key, ledger in found.items() if ledger is None]
    if options.format == "json":
        listed = [{"key": key, "reason": Reason.LEDGER_UNUSABLE} for key in unusable]
        print(json.dumps([*map(_facts, ledgers), *listed], indent=2))
    else:
        lines = [line for ledger in ledgers for line in _lines(ledger)]
        lines += [f"{styled('unusable', 'red'):8} {visible_lines(key)}: {_unusable_text(key)}" for key in unusable]
        print("\n".join(lines) or "no cluster has a ledger yet")
    return 1 if unusable or any(ledger.breaker for ledger in ledgers) else 0


def _usable(entry: Entry) -> Ledger | None:
    """The ledger; None where the stored document makes no sense, so that all that it limits is held."""
    with suppress(StoreError):
        return usable_as(Ledger, entry)
    return None


def _unusable_text(key: str) -> str:
    return _UNUSABLE.format("--organization" if key == ORGANIZATION else "--cluster PATH")


def _key(place: str) -> str:
    return ORGANIZATION if place == _OF_ALL else cluster_key(place)


def _entries(store: CasStore) -> Iterator[Entry]:
    """The ledger of every cluster and project, and at last the organisation's."""
    cursor: str | None = None
    while True:
        page = store.scan(CLUSTERS, cursor)
        yield from page.entries
        cursor = page.cursor
        if cursor is None:
            break
    if organization := store.get(ORGANIZATION):
        yield organization


def _facts(ledger: Ledger) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(ledger)
    return {name: facts[name] for name in ("cluster", "breaker", "further", "resets")}


def _lines(ledger: Ledger) -> Iterator[str]:
    if not ledger.breakers:
        yield f"{styled('closed', 'green'):8} {visible_lines(ledger.cluster or _OF_ALL)}"
    for breaker in ledger.breakers:
        since = breaker.tripped_at.isoformat(timespec="seconds")
        told = visible_lines(f"{ledger.cluster or _OF_ALL}{_scope(breaker)} since {since}: {breaker.detail}")
        yield f"{styled('tripped', 'red'):8} {told}"


def _scope(breaker: Breaker) -> str:
    """What it holds, where that is not everything in the cluster."""
    named = (breaker.scope if breaker.scope != WHOLE else "", f"{breaker.budget} only" if breaker.budget else "")
    return "".join(f", {part}" for part in named if part)


def _reset(store: CasStore, options: argparse.Namespace) -> int:
    cluster = _OF_ALL if options.organization else place_of(options) or _only_tripped(store)
    by, said = short_words(options.by), short_words(options.reason.strip())
    for _ in range(_TRIES):
        entry = store.get(_key(cluster))
        ledger = (_usable(entry) or _made_anew(cluster, entry)) if entry else None
        closed = reset(ledger, by, said, entry.server_time, options.scope) if entry and ledger else None
        if entry is None or closed is None or closed is ledger:
            print(f"the breaker of {visible_lines(' '.join(filter(None, (cluster, options.scope))))} has not tripped")
            return 1
        try:
            store.replace(entry.key, msgspec.json.encode(closed), entry.version)
        except Conflict:
            continue
        print(f"reset: {visible_lines(cluster)}, by {visible_lines(options.by)}")
        return 0
    raise SettingsError("ledger_contended", f"{cluster}: it changed {_TRIES} times meanwhile; try again")


def _made_anew(cluster: str, entry: Entry) -> Ledger:
    """A ledger in the place of one that makes no sense. What was done before is not counted in it."""
    now = entry.server_time
    return Ledger(
        cluster="" if cluster == _OF_ALL else cluster,
        breaker=Breaker(tripped_at=now, detail=Reason.LEDGER_UNUSABLE.meaning, paging_since=now, told_at=now),
    )


def _only_tripped(store: CasStore) -> str:
    tripped = [ledger.cluster or _OF_ALL for entry in _entries(store) if (ledger := _usable(entry)) and ledger.breaker]
    if len(tripped) != 1:
        names = ", ".join(tripped) or "none"
        raise SettingsError("which_cluster", f"tripped: {names}; name the one to reset with --cluster or --project")
    return tripped[0]
