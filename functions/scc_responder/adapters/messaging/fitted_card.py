"""A card within the limits of a service: text of so many characters, a message of so many bytes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.journal.account.answers import AccountLine
from scc_responder.journal.account.notice_card import NoticeCard

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CUT = " ..."


def markup_escaped(text: str, most: int) -> str:
    """The text with `&`, `<` and `>` escaped, in at most so many characters: no escape is cut in two.

    >>> markup_escaped("a<b & c", 50), markup_escaped("&&&&", 14)
    ('a&lt;b &amp; c', '&amp;&amp; ...')
    """
    parts = [_MARKUP.get(letter, letter) for letter in text[: most + 1]]
    if sum(map(len, parts)) <= most:
        return "".join(parts)
    left, kept = most - len(_CUT), []
    for part in parts:
        left -= len(part)
        if left < 0:
            break
        kept.append(part)
    return "".join(kept) + _CUT


def fitted_message(card: NoticeCard, make: Callable[[NoticeCard], Any], most: int) -> bytes:
    """The message that `make` makes of the card, as JSON of at most so many bytes.

    Where the card is too large the last lines are left out, and a line says how many; then the last links.
    """
    for count in range(len(card.lines), -len(card.links) - 1, -1):
        lines, links = card.lines[: max(count, 0)], card.links[: len(card.links) + min(count, 0)]
        left = len(card.lines) - len(lines)
        more = (AccountLine(name="Left out", text=f"{left} lines, which `case show` has"),) if left else ()
        body = msgspec.json.encode(make(replace(card, lines=lines + more, links=links)))
        if len(body) <= most:
            return body
    return body
