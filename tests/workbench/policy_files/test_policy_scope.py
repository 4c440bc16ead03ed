"""`scope.yaml` bounds what the policies of a folder may reach, and how far they go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.policy_scope import load_scopes, scope_errors
from tests.kits.responder import policy, write_policies

PROD = "projects/example-project/locations/europe-west1/clusters/prod-1"
SCOPE = """\
max_mode: approve
clusters: [projects/example-project/locations/*/clusters/prod-*]
namespaces: [shop, shop-*]
actions: [label_pod, isolate_pod]
"""
BOUNDED = f"{{namespace: shop, cluster: {PROD}}}"


def team(folder: Path, text: str, scope: str = SCOPE, place: str = "team-a") -> Path:
    """A folder whose team has one policy."""
    write_policies(folder, policy("notify", name="report"))
    (folder / place).mkdir(parents=True)
    (folder / "team-a" / "scope.yaml").write_text(scope)
    (folder / place / "contain.yaml").write_text(text)
    return folder


def bounded(*steps: str, when: str = BOUNDED, mode: str = "approve") -> str:
    return re.sub(r"when:\n +(.*)\n", rf"when: {when}\n", policy(*steps, mode=mode))


def test_a_policy_within_its_scope_is_loaded(tmp_path: Path) -> None:
    """What changes nothing on the target may always be asked for; a pattern may be narrower than the scope's."""
    when = "{namespace: [shop, shop-a*], cluster: projects/example-project/locations/europe-*/clusters/prod-1}"
    folder = team(tmp_path / "p", bounded("label_pod", "capture_evidence", "notify", when=when))
    assert [item.name for item in load_policies(folder).policies] == ["contain", "report"]


def test_a_scope_may_name_clusters_at_any_depth(tmp_path: Path) -> None:
    """All of a project, in one word: another project's lie beyond it."""
    scope = SCOPE.replace("locations/*/clusters/prod-*", "**")
    assert scope != SCOPE
    assert load_policies(team(tmp_path / "p", bounded("label_pod"), scope)).policies
    other = bounded("label_pod", when=BOUNDED.replace("example-project", "another-project"))
    with pytest.raises(PolicyError, match="reaches further"):
        load_policies(team(tmp_path / "other", other, scope))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            bounded("label_pod", mode="enforce"),
            "team-a/contain.yaml:4: mode: enforce goes further than team-a/scope.yaml lets its policies",
        ),
        (
            bounded("label_pod", "delete_pod"),
            "team-a/contain.yaml:8: then[1].action: delete_pod is no action that team-a/scope.yaml lets its policies",
        ),
        (
            bounded("label_pod", when=f"{{namespace: [shop, payments], cluster: {PROD}}}"),
            "team-a/contain.yaml:5: when.namespace: 'payments' reaches further: team-a/scope.yaml lets its policies",
        ),
        (
            bounded("label_pod", when=f"{{namespace: '*', cluster: {PROD}}}"),
            "team-a/contain.yaml:5: when.namespace: '*' reaches further",
        ),
        (
            bounded("label_pod", when="{namespace: shop, cluster: '*/*/*/*/*/*'}"),
            "team-a/contain.yaml:5: when.cluster: '*/*/*/*/*/*' reaches further",
        ),
        (
            bounded("label_pod", when=f"{{threat: reverse_shell, cluster: {PROD}}}"),
            "team-a/contain.yaml:5: when: namespace is missing: team-a/scope.yaml lets its policies",
        ),
    ],
)
@pytest.mark.parametrize("place", ["team-a", "team-a/web"])
def test_a_policy_beyond_its_scope_is_refused(tmp_path: Path, place: str, text: str, told: str) -> None:
    """Each bound holds for all that lies below it, and the policy's own line is named."""
    with pytest.raises(PolicyError) as caught:
        load_policies(team(tmp_path / "p", text, place=place))
    (fault,) = caught.value.faults
    assert str(fault).startswith(told.replace("team-a/contain", f"{place}/contain"))
    assert fault.reason == "beyond_scope"


def test_every_scope_on_the_way_holds(tmp_path: Path) -> None:
    """A folder within a team's folder may be bounded further, and frees itself of nothing."""
    folder = team(tmp_path / "p", bounded("label_pod", mode="enforce"), place="team-a/web")
    (folder / "team-a" / "web" / "scope.yaml").write_text("max_mode: dry_run\n")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    assert [fault.text.partition(" lets")[0] for fault in caught.value.faults] == [
        "enforce goes further than team-a/web/scope.yaml",
        "enforce goes further than team-a/scope.yaml",
    ]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("", "team-a/scope.yaml:1: nothing stands in it; write it, or remove the file"),
        ("namespaces: [shop]\n", "team-a/scope.yaml:1: max_mode"),
        ("max_mode: approve\nnamespace: [shop]\n", "team-a/scope.yaml:2: namespace: unknown field"),
        ("max_mode: approve\nactions: [isolate_pods]\n", "team-a/scope.yaml:2: actions[0]: unknown action"),
        ("max_mode: approve\nclusters: [prod-*]\n", "team-a/scope.yaml:2: clusters[0]: 'prod-*' can never match"),
        ("max_mode: approve\nnamespaces: [Shop]\n", "team-a/scope.yaml:2: namespaces[0]: 'Shop' can never match"),
        ("max_mode: approve\nnamespaces: [a/b]\n", "team-a/scope.yaml:2: namespaces[0]: 'a/b' can never match"),
    ],
)
def test_an_unusable_scope_is_refused(tmp_path: Path, scope: str, told: str) -> None:
    """A scope that bounds nothing, or something else than it says, keeps the whole folder from loading."""
    folder = team(tmp_path / "p", bounded("label_pod"), scope)
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    assert str(caught.value.faults[0]).startswith(told)
    assert [str(error) for error in scope_errors(folder)] == [str(caught.value)]
    assert dict(load_scopes(folder)) == {folder / "team-a": None}


@pytest.mark.parametrize("field", ["clusters", "namespaces", "actions"])
def test_a_bound_of_nothing_is_no_bound_left_out(tmp_path: Path, field: str) -> None:
    """Whoever takes the last name off a list does not mean every name."""
    folder = team(tmp_path / "p", bounded("label_pod"), f"max_mode: approve\n{field}: []\n")
    with pytest.raises(PolicyError, match=f"team-a/scope.yaml:2: {field}: empty, so that it would bound nothing"):
        load_policies(folder)
