"""The simulated cluster knows every resource that a kind of change declares, or the missing row is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from scc_responder.workbench.needed_permissions import of_all_actions, rule_of
from scc_responder.workbench.simulated_cluster.server.request import READS_LOG, SUBRESOURCES
from scc_responder.workbench.simulated_cluster.server.resources import ON_REQUEST, RESOURCES, group_list, target_of

_SERVER = "functions/scc_responder/workbench/simulated_cluster/server"


def missing_rows(declared: Iterable[tuple[str, str]]) -> Iterator[str]:
    """For each (resource, verb) that the simulated cluster does not know: the file, and the row to add to it."""
    rows = {(resource.group, resource.plural): resource for resource in (*RESOURCES, *ON_REQUEST)}
    for name, verb in declared:
        group, resource = rule_of(name)
        plural, _, subresource = resource.partition("/")
        row = rows.get((group, plural))
        if row is None:
            of_group = f', group="{group}"' if group else ""
            yield f'{_SERVER}/resources.py: Resource(kind="...", plural="{plural}"{of_group})'
        elif subresource and subresource not in row.subresources:
            yield f'{_SERVER}/resources.py: {row.kind}: subresources=("{subresource}",)'
        elif subresource and (resource, verb) not in {*SUBRESOURCES, READS_LOG}:
            yield f'{_SERVER}/request.py: SUBRESOURCES: ("{resource}", "{verb}"): ...'


def test_every_declared_resource_is_known() -> None:
    """An action that is tried on the simulated cluster meets a server that knows what it asks for."""
    assert list(missing_rows((need.resource, need.verb) for need in of_all_actions() if need.verb)) == []


UNKNOWN = [
    pytest.param("secrets", "get", 'resources.py: Resource(kind="...", plural="secrets")', id="kind"),
    pytest.param(
        "leases.coordination.k8s.io",
        "get",
        'resources.py: Resource(kind="...", plural="leases", group="coordination.k8s.io")',
        id="kind-of-a-group",
    ),
    pytest.param("pods/exec", "create", 'resources.py: Pod: subresources=("exec",)', id="subresource"),
    pytest.param("pods/eviction", "get", 'request.py: SUBRESOURCES: ("pods/eviction", "get"): ...', id="verb"),
    pytest.param("pods/eviction", "create", "", id="known"),
    pytest.param("pods", "get", "", id="known-kind"),
]


@pytest.mark.parametrize(("resource", "verb", "told"), UNKNOWN)
def test_a_missing_row_is_named(resource: str, verb: str, told: str) -> None:
    """Whoever declares something new reads where it is to be added."""
    assert list(missing_rows([(resource, verb)])) == ([f"{_SERVER}/{told}"] if told else [])


PATHS = [
    pytest.param("/api/v1/namespaces/shop/pods/web-1/eviction", ("", "pods/eviction"), id="subresource"),
    pytest.param("/api/v1/namespaces/shop/pods/web-1", ("", "pods"), id="object"),
    pytest.param("/apis/apps/v1/namespaces/shop/deployments", ("apps", "deployments"), id="collection"),
    pytest.param("/api/v1/namespaces/shop/pods/web-1/exec", None, id="subresource-that-is-none"),
    pytest.param("/api/v1/namespaces/shop/pods/web-1/eviction/now", None, id="below-a-subresource"),
    pytest.param("/api/v1/nodes/n1/eviction", None, id="subresource-of-another-kind"),
    pytest.param("/api/v1/namespaces/shop/pods//eviction", None, id="subresource-of-no-object"),
]


@pytest.mark.parametrize(("path", "rule"), PATHS)
def test_a_path_means_one_rule(path: str, rule: tuple[str, str] | None) -> None:
    """A subresource has a rule of its own; a path that means nothing has none."""
    target = target_of(path)
    assert (target.rule if target else None) == rule


def test_only_installed_kinds_are_listed() -> None:
    """The group list has the groups of every kind that is there, and of those on request only the served ones."""
    plain, more = group_list(()), group_list(["AdminNetworkPolicy", "ClusterNetworkPolicy"])
    names = [group["name"] for group in plain["groups"]]
    added = [group for group in more["groups"] if group["name"] not in names]
    assert {"apps", "networking.k8s.io", "policy"} <= set(names)
    assert [group["name"] for group in added] == ["policy.networking.k8s.io"]
    assert sorted(item["version"] for item in added[0]["versions"]) == ["v1alpha1", "v1alpha2"]
