"""Publish dead-lettered messages again.

Without --apply nothing is published and nothing is settled: it lists what is there and what will become of each.
A message is settled only once Pub/Sub has confirmed that it has it again, so that none is lost; one that is published
twice is worked on once, for a case is told by its finding. The guardrails' age limits still apply.

  scc-responder redrive --subscription projects/P/subscriptions/S --topic projects/P/topics/T --store STORE
  scc-responder redrive --subscription projects/P/subscriptions/S --topic projects/P/topics/T --apply

What is no finding is junk. It is shown by its hash and left where it is; --discard-junk settles it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from scc_responder.adapters.google.pubsub.dead_letter_subscription import DeadLetters
from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.cli.terminal.existing_store import existing_store
from scc_responder.cli.terminal.progress import shown
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, ResponderError, RetryableError, SettingsError
from scc_responder.journal.journal import Journal
from scc_responder.workbench.dead_letter_review import (
    JUNK,
    NOTHING_TO_PROVE,
    Prospect,
    copies,
    predicted_fate,
    prospect,
)

LIMIT = 100
_MOST = 10_000
NOT_PUBLISHED = "not_published"
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+", re.ASCII)
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+", re.ASCII)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `redrive`."""
    parser.add_argument(
        "--subscription", required=True, metavar="NAME", help="of the dead letters: projects/P/subscriptions/S"
    )
    parser.add_argument("--topic", required=True, metavar="NAME", help="of the notifications: projects/P/topics/T")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--dry-run", action="store_true", help="only list them; this is what it does unless told to --apply"
    )
    how.add_argument("--apply", action="store_true", help="publish them again")
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help="at most so many messages")
    parser.add_argument(
        "--store", metavar="STORE", help="the function's store: tells what each message's case makes of it"
    )
    parser.add_argument("--discard-junk", action="store_true", help="with --apply: settle what is no finding")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """List, or publish again. 1 where a message could not be published."""
    _check(options)
    queue = DeadLetters(options.subscription)
    try:
        prospects = _handled(queue, options)
    except ApiError as error:
        lacking = f"; missing permission: {error.permission}" if error.permission else ""
        raise ResponderError(error.reason, f"{options.subscription}: {error}{lacking}") from error
    finally:
        queue.close()
    _print(prospects, options)
    return 1 if any(item.fate == NOT_PUBLISHED for item in prospects) else 0


def _handled(queue: DeadLetters, options: argparse.Namespace) -> list[Prospect]:
    """What is there and what was made of it; the rest is given back."""
    prospects = [prospect(same) for same in copies(queue.pull(options.limit))]
    try:
        prospects = _foreseen(prospects, options.store)
        if options.apply:
            prospects = _published(prospects, queue, options)
    finally:
        _release(queue, prospects, options)
    return prospects


def _check(options: argparse.Namespace) -> None:
    if not _SUBSCRIPTION.fullmatch(options.subscription):
        raise SettingsError(
            "invalid_subscription", f"--subscription {options.subscription}: give projects/P/subscriptions/S"
        )
    if not _TOPIC.fullmatch(options.topic):
        raise SettingsError("invalid_topic", f"--topic {options.topic}: give projects/P/topics/T")
    if options.discard_junk and not options.apply:
        raise SettingsError("invalid_discard_junk", "--discard-junk settles messages: give --apply with it")
    if not 1 <= options.limit <= _MOST:
        raise SettingsError("invalid_limit", f"--limit {options.limit}: give a number from 1 to {_MOST}")


def _foreseen(prospects: list[Prospect], store: str | None) -> list[Prospect]:
    if store is None:
        return prospects
    with closing(existing_store(store)) as opened:
        journal = Journal(opened, utc_now)
        return [_by_case(item, journal) for item in prospects]


def _by_case(item: Prospect, journal: Journal) -> Prospect:
    try:
        return predicted_fate(item, journal.read(item.key)) if item.key else item
    except RetryableError as error:
        return replace(item, reason=error.reason)


def _published(prospects: list[Prospect], queue: DeadLetters, options: argparse.Namespace) -> list[Prospect]:
    topic = TopicPublisher(options.topic)
    try:
        return [_publish(item, queue, topic) for item in shown(prospects, len(prospects), "messages")]
    finally:
        topic.close()


def _publish(item: Prospect, queue: DeadLetters, topic: TopicPublisher) -> Prospect:
    """Publish one message, and settle it and its copies once that is confirmed."""
    if not item.is_published:
        return item
    first = item.letters[0]
    try:
        topic.publish(first.data, first.republished)
        queue.settle(item.letters)
    except ApiError as error:
        return replace(item, fate=NOT_PUBLISHED, reason=error.reason)
    return item


def _release(queue: DeadLetters, prospects: Iterable[Prospect], options: argparse.Namespace) -> None:
    """Give back what stays, and settle what is asked to be settled without being published."""
    settled = {NOTHING_TO_PROVE, *({JUNK} if options.discard_junk else ())} if options.apply else set()
    gone = [letter for item in prospects if item.fate in settled for letter in item.letters]
    stays = [
        letter
        for item in prospects
        for letter in item.letters
        if item.fate not in settled and not (options.apply and item.is_published)
    ]
    try:
        if gone:
            queue.settle(gone)
    finally:
        if stays:
            queue.release(stays)


def _print(prospects: list[Prospect], options: argparse.Namespace) -> None:
    now = utc_now()
    if options.format == "json":
        print(json.dumps({"applied": options.apply, "messages": [_facts(item, now) for item in prospects]}, indent=2))
        return
    for item in prospects:
        print(visible_lines(_line(item, now)))
    count = sum(item.is_published for item in prospects)
    done = f"{count} of {len(prospects)} published again" if options.apply else f"{count} of {len(prospects)} would be"
    left = "" if options.apply else " published again; nothing was changed. To do it, add --apply"
    print(f"scc-responder: {done}{left}", file=sys.stderr)


def _line(item: Prospect, now: datetime) -> str:
    facts = _facts(item, now)
    what = f"{facts['category'] or '-'}  {facts['finding']}" if item.finding else f"sha256 {facts['sha256']}"
    age = f"{facts['age_seconds'] / 3600:.1f} h" if item.event_time else "-"
    more = f" ({facts['reason']})" if item.reason else ""
    return f"{item.fate:16} {age:>9} old, {facts['attempts']} attempts  {what}{more}"


def _facts(item: Prospect, now: datetime) -> dict[str, Any]:
    first = item.letters[0]
    return {
        "fate": item.fate,
        "reason": item.reason,
        "finding": item.finding,
        "category": item.category,
        "event_time": item.event_time.isoformat() if item.event_time else None,
        "age_seconds": round((now - item.event_time).total_seconds()) if item.event_time else None,
        "attempts": first.attempts,
        "redrive": int(first.republished["redrive"]),
        "copies": len(item.letters),
        "message_id": first.message_id,
        "sha256": first.sha256,
    }
