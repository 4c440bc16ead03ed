"""What the responder asks to be allowed: what the enabled policies need, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.actions import actions
from scc_responder.adapters.google import security_center
from scc_responder.adapters.google.gke import gke_clusters
from scc_responder.adapters.google.pubsub import topic_publisher
from scc_responder.adapters.google.storage import evidence_store
from scc_responder.domain.permissions import Permission, Permissions, Tier, acts, forensic, iam, is_run_write, observes
from scc_responder.workbench.needed_permissions import (
    GOOGLE_READS,
    GRANT_SCOPES,
    VERBS,
    Need,
    cluster_role,
    cluster_role_binding,
    enabled,
    iam_roles,
    needed,
    needed_by,
    of_all_actions,
    permissions_of,
)
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import policy, write_policies

LABEL = policy("label_pod", name="label")
DELETE = policy("capture_evidence", "delete_pod", name="delete")


def granted(*steps: str) -> set[str]:
    """The permissions that these actions need, with what every finding needs."""
    return {need.permission for need in needed(("p", step) for step in steps)}


def verbs(folder: Path) -> set[str]:
    """`resource: verb` of everything that the ClusterRole of a folder of policies grants."""
    return verbs_of(cluster_role(needed(enabled(load_policies(folder).policies)), "r"))


def verbs_of(role: Mapping[str, Any]) -> set[str]:
    """`resource: verb` of everything that a ClusterRole grants."""
    return {
        f"{resource}{f'.{group}' if group else ''}: {verb}"
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_dropping_a_policy_drops_its_verbs(tmp_path: Path) -> None:
    """Without the policy that deletes, the verb is gone, and what others need stays."""
    both = verbs(write_policies(tmp_path / "both", LABEL, DELETE))
    one = verbs(write_policies(tmp_path / "one", LABEL))
    assert both - one == {"pods: delete", "poddisruptionbudgets.policy: list", "events: list"}
    assert "pods: patch" in one


@pytest.mark.parametrize(("mode", "needs"), [("disabled", False), ("dry_run", True), ("approve", True)])
def test_only_enabled_policies_need_permissions(tmp_path: Path, mode: str, needs: bool) -> None:
    """A disabled policy needs nothing. One in dry run needs all it would need to enforce: its requests are sent too."""
    folder = write_policies(tmp_path / "p", DELETE.replace("mode: enforce", f"mode: {mode}"))
    assert ("pods: delete" in verbs(folder)) is needs


ASKED = [
    ("live.budgets.size() == 0", {"poddisruptionbudgets.policy: list"}),
    ('google_identity == "web@example-project.iam.gserviceaccount.com"', {"serviceaccounts: get"}),
    ('live.workload.ready > 1 && workload_object.labels["team"] == "shop"', set()),
    ("[live].exists(l, l.workload.ready > 1)", {"poddisruptionbudgets.policy: list"}),
]


@pytest.mark.parametrize(("condition", "more"), ASKED)
@pytest.mark.parametrize("mode", ["dry_run", "disabled"])
def test_a_condition_needs_what_it_asks_for(tmp_path: Path, condition: str, more: set[str], mode: str) -> None:
    """Where an enabled policy names the fact, and nowhere else; it is told which."""
    asking = policy("label_pod", name="label", mode=mode) + f"condition: '{condition}'\n"
    plain = verbs(write_policies(tmp_path / "plain", policy("label_pod", name="label", mode=mode)))
    needs = needed_by(load_policies(write_policies(tmp_path / "asking", asking)).policies)
    added = {need.permission: need.by for need in needs if need.verb and need.permission not in plain}
    assert added.keys() == (more if mode != "disabled" else set())
    assert all(by == {f"conditions on {named_in(condition)}": ("label",)} for by in added.values())
    assert {need.tier for need in needs if need.permission in more} <= {Tier.OBSERVE}


def named_in(condition: str) -> str:
    """The fact of a condition above that needs a permission of its own."""
    return "google_identity" if "google_identity" in condition else "live.budgets"


def test_every_finding_is_read(tmp_path: Path) -> None:
    """Where no policy is enabled the target is read all the same, and nothing may be changed."""
    off = policy("delete_pod", mode="disabled")
    found = verbs(write_policies(tmp_path / "none", off))
    assert {"pods: get", "nodes: get", "replicasets.apps: get", "jobs.batch: get"} <= found
    assert {permission.rpartition(": ")[2] for permission in found} == {"get"}


@given(st.lists(st.sampled_from(sorted(actions()))), st.sampled_from(sorted(actions())))
def test_one_more_step(steps: list[str], one: str) -> None:
    """One action more needs exactly what it declares more, in whatever order."""
    declared = {str(permission) for permission in permissions_of(one)}
    assert granted(*steps, one) == granted(*steps) | declared
    assert granted(one, *steps) == granted(*steps, one)


def test_names_of_the_adapters() -> None:
    """The permissions that adapters report as missing are those that are asked for."""
    reported = {
        security_center.LIST_FINDINGS.permission,
        gke_clusters.GET_CLUSTER.permission,
        topic_publisher.PUBLISH.permission,
        evidence_store._PERMISSION,
    }
    assert reported <= granted(*actions())
    assert granted() >= GOOGLE_READS.keys()


_MODULE = "functions/scc_responder/workbench/needed_permissions.py"


def gaps(permissions: Iterable[Permission]) -> Iterator[str]:
    """What is declared, but not known to the module that makes roles: the line to add to it, or what to decide."""
    tiers: dict[tuple[str, str], set[str]] = {}
    for permission in permissions:
        service = permission.name.partition(".")[0]
        if permission.verb:
            tiers.setdefault((permission.name, permission.verb), set()).add(str(permission.tier))
        if permission.verb and permission.verb not in VERBS:
            yield f'{_MODULE}: VERBS: "{permission.verb}"'
        if not permission.verb and service not in GRANT_SCOPES:
            yield f'{_MODULE}: GRANT_SCOPES: "{service}": GrantScope(title=..., grant=...)'
    for (name, verb), declared in tiers.items():
        if len(declared) > 1:
            yield f"{name}: {verb}: declared as {' and as '.join(sorted(declared))}: choose one tier"


def test_each_declared_permission_can_be_granted() -> None:
    """Each has a verb that roles order, or a place where its role is granted, one tier, and something that needs it."""
    needs = of_all_actions()
    declared = (Permission(name=need.resource or need.permission, verb=need.verb, tier=need.tier) for need in needs)
    assert list(gaps(declared)) == []
    assert [need.permission for need in needs if not need.by] == []


GAPS = [
    pytest.param(acts("pods", "update"), [f'{_MODULE}: VERBS: "update"'], id="verb"),
    pytest.param(
        iam("compute.disks.get"),
        [f'{_MODULE}: GRANT_SCOPES: "compute": GrantScope(title=..., grant=...)'],
        id="service",
    ),
    pytest.param(
        acts("pods", "patch") + forensic("pods", "patch"),
        ["pods: patch: declared as act and as forensic: choose one tier"],
        id="two-tiers",
    ),
    pytest.param(acts("pods", "patch") + observes("pods", "get") + iam("pubsub.topics.publish"), [], id="known"),
]


@pytest.mark.parametrize(("permissions", "told"), GAPS)
def test_a_gap_between_declaration_and_role_is_named(permissions: Permissions, told: list[str]) -> None:
    """Whoever declares something new reads which line is missing."""
    assert list(gaps(permissions)) == told


def test_roles_are_of_least_privilege() -> None:
    """No wildcard, no secret, no exec, no binding of roles: whatever actions there are."""
    role = cluster_role(of_all_actions(), "r")
    granted = json.dumps(role)
    assert not {"*", "secrets", "exec", "escalate", "bind", "impersonate", "rolebindings"} & set(granted.split('"'))


def test_iam_roles_stand_at_their_place() -> None:
    """Each place has one custom role, whose permissions are all of one service."""
    roles = list(iam_roles(of_all_actions()))
    assert len({place for place, _ in roles}) == len(roles)
    included = [role["includedPermissions"] for _, role in roles]
    assert ["storage.objects.create"] in included
    assert [names for names in included if len({name.partition(".")[0] for name in names}) != 1] == []


def made_up(*names: str) -> list[Need]:
    """What an action needs that nobody has written yet."""
    return [Need(permission=name, by={"halt_service": ("p",)}) for name in names]


def test_a_change_of_cloud_run_is_seen_to_its_end() -> None:
    """Whatever action changes it, who changes it may ask how that ended; who only reads need not."""
    for name in actions():
        declared = {permission.name for permission in permissions_of(name)}
        changes = {each for each in declared - {"run.operations.get"} if is_run_write(each)}
        assert ("run.operations.get" in declared) is bool(changes), name
    assert "run.operations.get" in {permission.name for permission in permissions_of("roll_back_service")}


def test_what_changes_cloud_run_is_a_role_of_its_own() -> None:
    """The role for the runtime identity holds nothing of it."""
    roles = dict(iam_roles(made_up("run.services.get", "run.services.update", "run.operations.get")))
    held = {place.title: role["includedPermissions"] for place, role in roles.items()}
    assert held == {
        "scc-responder services": ["run.services.get"],
        "scc-responder run writer": ["run.services.update", "run.operations.get"],
    }


def test_a_binding_names_each_user() -> None:
    """Role and binding bear one name; each user is a subject."""
    binding = cluster_role_binding("n", "a@example.com", "1")
    assert (binding["metadata"], binding["roleRef"]["name"]) == ({"name": "n"}, "n")
    assert [subject["name"] for subject in binding["subjects"]] == ["a@example.com", "1"]
