"""`notify`: one message, whatever the finding is about, for whom the policy names."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.actions import actions
from scc_responder.domain.changes import restored, stored
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.errors import PolicyError
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.decision_contexts import context, plan
from tests.kits.responder import policy, write_policies


@pytest.mark.parametrize("pod", [None, False], ids=["pod", "no-pod"])
def test_a_decision_is_published_without_a_pod(pod: object) -> None:
    """It needs no pod."""
    assert plan("notify", pod=pod) == [PublishDecision()]


def test_a_route_is_kept_with_the_change(tmp_path: Path) -> None:
    """One without a route is stored as it always was."""
    (found,) = load_policies(write_policies(tmp_path, policy("notify {to: payments-team}", "notify"))).policies
    named, plain = found.then
    changes = [actions()["notify"].plan(context(), step.params) for step in (named, plain)]
    assert changes == [[PublishDecision(to="payments-team")], [PublishDecision()]]
    assert (named.variant, plain.variant) == ('{"to":"payments-team"}', "{}")
    assert stored(PublishDecision()) == {"change": "notify"}
    assert restored(stored(PublishDecision(to="a"))) == PublishDecision(to="a")


@pytest.mark.parametrize("name", ["Payments", "a b", "-a", "a/b", "a" * 64])
def test_what_is_no_name_of_a_route_is_refused(tmp_path: Path, name: str) -> None:
    """With its place: a receiver filters by this word."""
    with pytest.raises(PolicyError, match=r"then\[0\].with.to: .* is no name of a route; write lower-case letters"):
        load_policies(write_policies(tmp_path, policy(f"notify {{to: {name}}}")))
