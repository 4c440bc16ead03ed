"""A notice is data and a line of text that nobody's terminal acts on."""

from __future__ import annotations

import pytest

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity

ATTRIBUTES = {
    "nothing": ({}, {}),
    "case-and-reason": ({"case": "0a", "reason": "held"}, {"case": "0a", "reason": "held"}),
    "labels": ({"case": "0a", "labels": {"threat": ""}}, {"case": "0a", "threat": ""}),
}


@pytest.mark.parametrize(("given", "expected"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes_are_what_a_receiver_filters_on(given: dict[str, object], expected: dict[str, str]) -> None:
    """Case and reason where there are any, and every label."""
    notice = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.NOTICE, facts={}, **given)  # type: ignore[arg-type]
    assert notice.attributes == expected


def test_the_message_is_one_line_of_ascii() -> None:
    """Whatever an attacker wrote into the facts."""
    notice = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.NOTICE, facts={"b": "\u202e\n", "a": 1})
    assert notice.message == b'{"b":"\\u202e\\n","a":1}'
