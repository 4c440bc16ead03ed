"""What the responder asks to be allowed: what the enabled policies need, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.actions import actions
from scc_responder.adapters.google import security_center
from scc_responder.adapters.google.gke import gke_clusters
from scc_responder.adapters.google.pubsub import topic_publisher
from scc_responder.adapters.google.storage import evidence_store
from scc_responder.cli.main import main
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.permissions import Permission, Permissions, acts, forensic, iam, observes
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench.needed_permissions import (
    EVERY_FINDING,
    GOOGLE_READS,
    GRANT_SCOPES,
    VERBS,
    cluster_role,
    enabled,
    needed,
    of_all_actions,
    permissions_of,
)
from tests.cli import commands
from tests.kits.responder import SHIPPED, policy, write_policies

LABEL = policy("label_pod", name="label")
DELETE = policy("capture_evidence", "delete_pod", name="delete")


def granted(*steps: str) -> set[str]:
    """The permissions that these actions need, with what every finding needs."""
    return {need.permission for need in needed(("p", step) for step in steps)}


def printed(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> str:
    """What the command prints about a folder of policies."""
    assert main(["permissions", "--policies", str(folder), *options]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def verbs(rbac: str) -> set[str]:
    """`resource: verb` of everything that a printed ClusterRole grants."""
    role = next(iter(yaml.safe_load_all(rbac)))
    return {
        f"{resource}{f'.{group}' if group else ''}: {verb}"
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_dropping_a_policy_drops_its_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the policy that deletes, the verb is gone, and what others need stays."""
    both = verbs(printed(capsys, write_policies(tmp_path / "both", LABEL, DELETE), "--format", "rbac"))
    one = verbs(printed(capsys, write_policies(tmp_path / "one", LABEL), "--format", "rbac"))
    assert both - one == {"pods: delete", "poddisruptionbudgets.policy: list", "events: list"}
    assert "pods: patch" in one


@pytest.mark.parametrize(("mode", "needs"), [("disabled", False), ("dry_run", True), ("approve", True)])
def test_only_enabled_policies_need_permissions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, needs: bool
) -> None:
    """A disabled policy needs nothing. One in dry run needs all it would need to enforce: its requests are sent too."""
    folder = write_policies(tmp_path / "p", DELETE.replace("mode: enforce", f"mode: {mode}"))
    assert ("pods: delete" in verbs(printed(capsys, folder, "--format", "rbac"))) is needs


def test_every_finding_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no policy is enabled the target is read all the same, and nothing may be changed."""
    off = policy("delete_pod", mode="disabled")
    found = verbs(printed(capsys, write_policies(tmp_path / "none", off), "--format", "rbac"))
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
        iam("run.services.get"), [f'{_MODULE}: GRANT_SCOPES: "run": GrantScope(title=..., grant=...)'], id="service"
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


def test_a_user_gets_role_and_binding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a user, the role is printed with its binding, ready to be applied."""
    folder = write_policies(tmp_path / "p", LABEL)
    text = printed(
        capsys, folder, "--format", "rbac", "--user", "r@example-project.iam.gserviceaccount.com", "--name", "n"
    )
    role, binding = yaml.safe_load_all(text)
    assert (role["metadata"], binding["metadata"]) == ({"name": "n"}, {"name": "n"})
    assert binding["roleRef"]["name"] == "n"
    assert binding["subjects"][0]["name"] == "r@example-project.iam.gserviceaccount.com"


def test_iam_roles_stand_at_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A custom role is printed for each place where it is granted, and none for a place without need."""
    all_places = printed(capsys, write_policies(tmp_path / "p", DELETE), "--format", "iam")
    without = printed(capsys, write_policies(tmp_path / "q", LABEL), "--format", "iam")
    included = [role["includedPermissions"] for role in yaml.safe_load_all(all_places)]
    assert ["storage.objects.create"] in included
    assert all(name.partition(".")[0] == names[0].partition(".")[0] for names in included for name in names)
    assert len(list(yaml.safe_load_all(without))) == len(included) - 1
    assert "# Grant on the bucket for evidence, and nothing above it." in all_places


def test_connect_gateway_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What Connect Gateway asks for is told apart from what is always needed, and is a role only where asked for."""
    folder = write_policies(tmp_path / "p", LABEL)
    told = json.loads(printed(capsys, folder, "--format", "json"))
    names = [need["permission"] for need in told["connect_gateway"]]
    assert names == list(ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
    assert not set(names) & {need["permission"] for need in told["iam"]}
    assert "gkehub" not in printed(capsys, folder, "--format", "iam")
    roles = yaml.safe_load_all(printed(capsys, folder, "--format", "iam", "--connect-gateway"))
    assert [role["includedPermissions"] for role in roles if "fleets" in role["title"]] == [names]
    assert "only where connect_gateway is set\n  gkehub.gateway.delete" in printed(capsys, folder)


def test_json_names_every_needing_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON each permission names every policy and action that needs it."""
    told = json.loads(printed(capsys, write_policies(tmp_path / "p", LABEL, DELETE), "--format", "json"))
    by = {need["permission"]: need["by"] for need in told["kubernetes"] + told["iam"]}
    assert by["pods: patch"] == {"delete_pod": ["delete"], "label_pod": ["label"]}
    assert by["pods: delete"] == {"delete_pod": ["delete"]}
    assert by["securitycenter.findings.list"] == {EVERY_FINDING: []}
    assert told["policies"] == {"delete": "enforce", "label": "enforce"}


def test_text_names_policies_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table names policy and action, counts many, and says how many policies it is about."""
    many = [policy("label_pod", name=f"label-{n}") for n in range(5)]
    off = DELETE.replace("mode: enforce", "mode: disabled")
    shown = printed(capsys, write_policies(tmp_path / "p", *many, off))
    rows = [line.split("  ")[1:] for line in shown.splitlines() if line.startswith("  ")]
    told = {row[0]: row[-1].strip() for row in rows}
    assert told["pods: patch"] == "label_pod (label-0, label-1, label-2 and 2 more)"
    assert told["pods: get"] == "every finding"
    assert "pods: delete" not in shown
    assert "5 policies are enabled, 1 disabled. In dry run a policy needs the same." in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_as_a_command(tmp_path: Path) -> None:
    """The shipped policies' permissions are printed by the command itself, quickly; a wrong folder is wrong use."""
    done = commands.run("permissions", "--format", "rbac")
    wrong = commands.run("permissions", "--policies", tmp_path / "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert verbs(done.stdout) == {
        need.permission for need in needed(enabled(load_policies(SHIPPED).policies)) if need.verb
    }
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no such folder; name one with --policies" in wrong.stderr
