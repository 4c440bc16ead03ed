"""The decision is published by the means, whatever it is about."""

from __future__ import annotations

from scc_responder.domain.changes.publish_decision import PublishDecision
from tests.kits.one_change import one_cluster, step_run


def test_a_decision_is_published_once() -> None:
    """It is about no object."""
    with one_cluster() as (_, means):
        assert PublishDecision().carry_out(step_run(), means).reason == "published"
        assert means.published == 1
    assert PublishDecision().target is None
