"""Permissions are declared with their tier, once each."""

from __future__ import annotations

import pytest

from scc_responder.domain.permissions import Permission, Permissions, Tier, acts, forensic, iam, merged, observes
from scc_responder.workbench.needed_permissions import described

DECLARED = [
    pytest.param(observes("pods", "get"), Tier.OBSERVE, id="reading"),
    pytest.param(acts("pods", "delete"), Tier.ACT, id="changing"),
    pytest.param(forensic("pods/ephemeralcontainers", "patch"), Tier.FORENSIC, id="going-inside"),
    pytest.param(observes("pods/log", "get"), Tier.OBSERVE, id="a-slash-says-nothing"),
    pytest.param(acts("pods/eviction", "create"), Tier.ACT, id="nor-does-this-one"),
    pytest.param(iam("pubsub.topics.publish"), None, id="iam-has-no-tier"),
]


@pytest.mark.parametrize(("permissions", "tier"), DECLARED)
def test_the_tier_is_the_declared_one(permissions: Permissions, tier: Tier | None) -> None:
    """A permission has the tier that its kind of change says, whatever its resource is called."""
    assert [permission.tier for permission in permissions] == [tier]


def test_each_permission_stands_once() -> None:
    """What two kinds of change need alike is needed once, in the order of the first."""
    both = merged(observes("pods", "get"), observes("pods", "get", "list"), iam("storage.objects.create"))
    assert list(map(str, both)) == ["pods: get", "pods: list", "storage.objects.create"]


def test_verbs_of_one_resource_are_told_together() -> None:
    """A reader sees each resource once."""
    permissions = (*observes("pods", "get"), *acts("nodes", "patch"), *acts("pods", "delete"))
    assert described(permissions) == ("pods: get, delete", "nodes: patch")


def test_no_permissions_are_told_as_none() -> None:
    """Nothing is told where nothing is needed."""
    assert described(()) == ()
    assert str(Permission(name="pubsub.topics.publish")) == "pubsub.topics.publish"
