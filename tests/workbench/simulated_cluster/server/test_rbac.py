"""Who may do what in the simulated cluster."""

from __future__ import annotations

import pytest

from scc_responder.workbench.simulated_cluster.server.rbac import Identities, allowed, rules
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget, target_of


@pytest.mark.parametrize(
    ("user", "verb", "path", "may"),
    [
        ("responder", "patch", "/api/v1/namespaces/shop/pods", True),
        ("responder", "create", "/api/v1/namespaces/shop/pods", False),
        ("responder", "get", "/api/v1/namespaces/shop/events", False),
        ("reader", "get", "/api/v1/namespaces/shop/pods", True),
        ("reader", "patch", "/api/v1/namespaces/shop/pods", False),
        ("admin", "create", "/api/v1/nodes", True),
    ],
)
def test_rules_follow_the_needed_permissions(user: str, verb: str, path: str, may: bool) -> None:
    """The responder may do what actions need, a reader read of that, and anybody else everything."""
    target = target_of(path)
    assert isinstance(target, RequestTarget)
    assert allowed(user, verb, target) is may


def test_a_reader_reads_what_the_responder_reads() -> None:
    """Its verbs are some of the responder's."""
    given = rules()
    assert given["reader"].keys() == given["responder"].keys()
    assert all(verbs <= given["responder"][resource] for resource, verbs in given["reader"].items())


def test_a_token_says_whose_it_is() -> None:
    """Each user has one; a token that nobody gave out is nobody's."""
    identities = Identities()
    token = identities.token("ann")
    assert identities.token("ann") == token
    assert identities.user(f"Bearer {token}") == "ann"
    assert [identities.user(text) for text in ("", "Bearer x", token)] == ["", "", ""]
