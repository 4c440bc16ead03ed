"""Markdown of text that an attacker can write: nothing in it is markup, wherever it is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from scc_responder.domain.text import visible

_MARKUP = re.compile(r"(?P<plain>[\\`*_{}\[\]()#+!~$])|(?P<seen>[<>&@:]|(?<=www)\.)", re.IGNORECASE)


def escaped(text: str) -> str:
    r"""The text as itself: markup, links, mentions and HTML in it stay text. Bars are left to `markdown_table`.

    >>> escaped("<img src=x> [a](javascript:b) @team")
    '&#60;img src=x&#62; \\[a\\]\\(javascript&#58;b\\) &#64;team'
    """
    return _MARKUP.sub(_escape, visible(text))


def _escape(match: re.Match[str]) -> str:
    # Renderers find tags, entities, mentions and bare links even behind a backslash.
    return f"\\{match[0]}" if match["plain"] else f"&#{ord(match[0])};"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of cells that are Markdown already, but for the bars in them."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
