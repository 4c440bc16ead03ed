"""A card as a page of HTML for mail: tables and escaped text, nothing that is loaded. Pure."""

from __future__ import annotations

from html import escape

from scc_responder.journal.account.notice_card import NoticeCard

_CELL = 'style="padding:4px 12px 4px 0;vertical-align:top"'


def card_page(card: NoticeCard) -> str:
    """The page."""
    rows = [("First", card.first), *((line.name, line.text) for line in card.lines)]
    table = "".join(
        f"<tr><th align=left {_CELL}>{escape(name)}</th><td {_CELL}>{escape(text)}</td></tr>" for name, text in rows
    )
    links = "".join(f'<li><a href="{escape(link.url)}">{escape(link.title)}</a></li>' for link in card.links)
    return (
        '<!doctype html><html lang=en><head><meta charset="utf-8"><title>scc-responder</title></head><body>'
        f"<h2>{escape(card.title)}</h2><p>{escape(card.about)}</p><table>{table}</table>"
        f"<ul>{links}</ul><p>{escape(card.footer)}</p></body></html>"
    )
