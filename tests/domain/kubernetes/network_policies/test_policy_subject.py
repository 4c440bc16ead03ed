"""The pod that policies are judged for."""

from __future__ import annotations

import pytest

from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject

NAMESPACES = [
    pytest.param({"team": "a"}, {"team": "a"}, "yes", id="label"),
    pytest.param({"team": "a"}, {"team": "b"}, "no", id="other-label"),
    pytest.param(None, {"team": "a"}, "unknown", id="unread"),
    pytest.param(None, {"kubernetes.io/metadata.name": "shop"}, "yes", id="unread-but-named"),
    pytest.param(None, {"kubernetes.io/metadata.name": "other"}, "no", id="unread-and-another"),
    pytest.param(None, {}, "yes", id="unread-every-namespace"),
]


@pytest.mark.parametrize(("read", "wanted", "answer"), NAMESPACES)
def test_a_namespace_is_known_by_name_at_least(
    read: dict[str, str] | None, wanted: dict[str, str], answer: str
) -> None:
    """Labels of a namespace that could not be read may be any; its name is known all the same."""
    subject = PolicySubject(namespace="shop", labels={}, namespace_labels=read)
    assert subject.is_in({"matchLabels": wanted}) == answer


def test_a_pod_is_selected_by_its_own_labels() -> None:
    """A pod's labels are all known."""
    subject = PolicySubject(namespace="shop", labels={"app": "web"})
    assert subject.is_selected({"matchLabels": {"app": "web"}}) == "yes"
    assert subject.is_selected({"matchLabels": {"tier": "web"}}) == "no"
