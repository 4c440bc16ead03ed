"""A card as a page: whatever is in it is text."""

from __future__ import annotations

from scc_responder.adapters.messaging.card_page import card_page
from scc_responder.domain.notices.notice import NoticeSeverity
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.answers import AccountLine
from scc_responder.journal.account.notice_card import NoticeCard

MARKUP = '"><script>alert(1)</script>&amp;'


def test_each_part_of_a_page_is_escaped() -> None:
    """Also in attributes: the card's own texts are inert before, and a page relies on nobody."""
    line, link = AccountLine(name=MARKUP, text=MARKUP), AccountLink(title=MARKUP, url=f"https://x/{MARKUP}")
    card = NoticeCard(
        title=MARKUP,
        about=MARKUP,
        severity=NoticeSeverity.ERROR,
        first=MARKUP,
        lines=(line,),
        links=(link,),
        footer=MARKUP,
    )
    page = card_page(card)
    assert "<script" not in page
    assert page.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;") == 8
