"""The pod's events are evidence."""

from __future__ import annotations

import pytest

from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Threat
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, NotPossible, SourceInput
from scc_responder.execute.evidence.sources import events as module
from scc_responder.execute.evidence.sources.events import events
from tests.kits.captures import POD, given
from tests.kits.journal_worlds import finding

FACTS = Context(finding=finding(), threat=Threat(name="t", surface="pod", kind="ioc", confidence="likely"))


@pytest.mark.parametrize(("listed", "is_empty"), [([{"reason": "Started"}], False), ([], True)])
def test_events_about_the_pod_are_listed(listed: list[dict[str, str]], is_empty: bool) -> None:
    """Of the pod with this UID alone; that there are none is a fact too."""
    subject = given(FACTS, listed)

    assert events.read(subject) == (EvidenceItem(kind="events", content={"items": listed}, is_empty=is_empty),)
    assert subject.api.asked == [("/api/v1/namespaces/shop/events", f"involvedObject.uid={POD.pod_uid}")]  # type: ignore[union-attr]


def test_a_part_of_too_many_events_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes events by the thousand keeps no evidence from being kept: what was read is said to be a part."""
    monkeypatch.setattr(module, "MOST_EVENTS", 2)
    listed = [{"metadata": {"uid": uid}} for uid in ("a", "b", "a", "c")]
    (item,) = events.read(given(FACTS, listed))
    assert item.content == {"items": listed[:2], "cut": "partial_list"}
    (item,) = events.read(given(FACTS, ApiError(Reason.PARTIAL_LIST)))
    assert item.content == {"items": [], "cut": "partial_list"}


def test_a_list_that_fails_is_not_a_part() -> None:
    """What another delivery may read is not taken for what there is."""
    with pytest.raises(ApiError):
        events.read(given(FACTS, ApiError(Reason.SERVER_ERROR, status=500)))


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (given(FACTS), "pod_not_named"),
        (SourceInput(context=FACTS, change=POD), "cluster_not_reached"),
    ],
)
def test_without_a_pod_there_is_nothing_to_list(subject: SourceInput, reason: str) -> None:
    """It is no failure: the capture ends well."""
    with pytest.raises(NotPossible, match=reason):
        events.read(subject)
