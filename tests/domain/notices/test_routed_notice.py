"""A routed notice is stored before it is sent, and read again after a crash."""

from __future__ import annotations

import msgspec

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.value import resolved


def test_a_routed_notice_survives_the_store() -> None:
    """What was written as JSON is read back as it was."""
    notice = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.NOTICE, facts={"case": "0a", "steps": [1]})
    routed = RoutedNotice(id="n1", thread="0a", content=NoticeContent.MINIMAL, closes=True, notice=notice)
    assert msgspec.json.decode(msgspec.json.encode(routed), type=resolved(RoutedNotice)) == routed
