"""Related findings are evidence."""

from __future__ import annotations

import pytest

from scc_responder.domain.context import Context, RelatedFinding
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence import NotPossible
from scc_responder.execute.evidence.sources.related import related
from tests.kits.captures import given
from tests.kits.journal_worlds import START, finding

OTHER = RelatedFinding(name="other", category="Added Binary Executed", event_time=START)


def facts(related: tuple[RelatedFinding, ...] | None, missing: str = "") -> Context:
    threat = Threat(name="t", surface="pod", kind="ioc", confidence="likely")
    return Context(finding=finding(), threat=threat, related=related, missing={"related": missing} if missing else {})


@pytest.mark.parametrize("found", [(OTHER,), ()], ids=["one", "none"])
def test_related_findings_are_one_list(found: tuple[RelatedFinding, ...]) -> None:
    """That there are none is a fact too."""
    (item,) = related.read(given(facts(found)))
    assert (item.content, item.is_empty) == (found, not found)


def test_unread_related_findings_say_why() -> None:
    """No answer and an empty answer are two facts."""
    with pytest.raises(NotPossible, match="findings_unavailable"):
        related.read(given(facts(None, "findings_unavailable")))
