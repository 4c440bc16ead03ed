"""What is proved of a pack and of a change: faults are found with a finding that shows them, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.proof.claims import ClaimKind, ProvedClaim
from scc_responder.workbench.proof.proof import prove
from tests.counts import Cases
from tests.workbench.proof.small_pack import FILES, NOW, loaded

RAILS, SHELL, BINARY, LIBRARY = "guardrails.yaml", "contain-shell.yaml", "mark-binary.yaml", "mark-library.yaml"
PRIVILEGED, SERVICE = "mark-privileged.yaml", "cut-service.yaml"
ADDED, RAISED, LOOSENED = ClaimKind.ADDED, ClaimKind.MODE_RAISED, ClaimKind.LOOSENED
PROTECTED, BARE, FIGHT = ClaimKind.REACHES_PROTECTED, ClaimKind.NO_EVIDENCE_BEFORE, ClaimKind.POLICIES_FIGHT

CAPITAL = "approve, clusters: [projects/Example-prod"
CEILING = "approve, clusters: [projects/example-dev"
BOTH = "threat: [added_library_loaded, added_binary_executed]"
FAULTS = {
    "a protected namespace is misspelt": (RAILS, "kube-system,", "kube-systen,", PROTECTED),
    "a system namespace is left out": (RAILS, "kube-public, ", "", PROTECTED),
    "an own namespace is misspelt": (RAILS, "platform]", "plattform]", ADDED),
    "a protected workload is misspelt": (RAILS, "Deployment/ledger", "Deployment/legder", ADDED),
    "a protected workload has another kind": (RAILS, "Deployment/ledger", "StatefulSet/ledger", ADDED),
    "a protected node is misspelt": (RAILS, "gke-prod-1-system", "gke-prod-1-sytem", ADDED),
    "a protected cluster is misspelt": (RAILS, "control-plane", "contol-plane", ADDED),
    "a protected service is misspelt": (RAILS, "services/login", "services/log-in", ADDED),
    "a protected location is another": (RAILS, "us-central1", "us-central2", ADDED),
    "a principal is misspelt": (RAILS, "break-glass@", "breakglass@", ADDED),
    "no principal is protected": (RAILS, "  principals: [break-glass@example.com]\n", "", ADDED),
    "a ceiling names no cluster": (RAILS, "approve, clusters: [projects/example-prod", CAPITAL, RAISED),
    "a ceiling has another project": (RAILS, "approve, clusters: [projects/example-prod", CEILING, RAISED),
    "a ceiling's namespace is misspelt": (RAILS, "[payments, payments-*]", "[payment, payments-*]", RAISED),
    "a ceiling's pattern is narrowed": (RAILS, "payments-*]", "payments-a*]", RAISED),
    "a ceiling is raised": (RAILS, "{name: payments, max_mode: dry_run", "{name: payments, max_mode: enforce", RAISED),
    "a ceiling is about another action": (RAILS, "actions: [delete_pod]}", "actions: [evict_pod]}", RAISED),
    "quiet hours begin later": (RAILS, '"22:00"', '"23:00"', RAISED),
    "quiet hours end earlier": (RAILS, '"06:00"', '"05:55"', RAISED),
    "quiet hours go further": (RAILS, '"06:00", max_mode: dry_run', '"06:00", max_mode: approve', RAISED),
    "an exemption's namespace is misspelt": (RAILS, "namespace: load-test", "namespace: load-tests", ADDED),
    "an exemption is about another threat": (RAILS, "threat: reverse_shell}", "threat: added_binary_executed}", ADDED),
    "an exemption ends earlier": (RAILS, "2026-06-30", "2026-05-30", ADDED),
    "an exemption holds fewer actions": (RAILS, "[isolate_pod, delete_pod]", "[isolate_pod]", ADDED),
    "old findings are acted upon": (RAILS, "warm_up", "max_finding_age: {irreversible: 3h}\nwarm_up", ADDED),
    "an exception is left out": (SHELL, "  namespace: [ci, ci-*]\n", "", ADDED),
    "an excepted pattern is narrowed": (SHELL, "ci-*]", "ci-a*]", ADDED),
    "an excepted label is left out": (SHELL, "  labels: {tier: critical}\n", "", ADDED),
    "an excepted label has another value": (SHELL, "critical}", "crtical}", ADDED),
    "an excepted label has another key": (SHELL, "{tier:", "{teir:", ADDED),
    "a cluster's pattern is too wide": (SHELL, "projects/example-*/locations/*/clusters/*", "'**'", ADDED),
    "a severity is lowered": (SHELL, "severity: HIGH", "severity: LOW", ADDED),
    "a threat is added": (SHELL, "[reverse_shell]", "[reverse_shell, unexpected_child_shell]", ADDED),
    "a deletion needs less": (SHELL, "    needs: [isolate_pod]\n", "", LOOSENED),
    "a failure stops nothing any more": (SHELL, "    on_failure: stop\n", "", LOOSENED),
    "a limit is raised": (SHELL, "most: 3, within: 1h", "most: 30, within: 1h", LOOSENED),
    "a limit is left out": (SHELL, "limits: [{most: 3, within: 1h}]\n", "", LOOSENED),
    "evidence is left out": (SHELL, "  - action: capture_evidence\n    on_failure: stop\n", "", BARE),
    "a pod ends faster": (SHELL, "seconds: 30}", "seconds: 1}", ADDED),
    "the last replica may go": (SHELL, "seconds: 30}", "seconds: 30, allow_last_replica: true}", ADDED),
    "a confidence is lowered": (BINARY, "[likely, confirmed]", "[possible, likely, confirmed]", ADDED),
    "a namespace is too wide": (BINARY, "team-a-*", "team-*", ADDED),
    "an image's pattern is too wide": (BINARY, "registry.example.com/team-a/**", "registry.example.com/**", ADDED),
    "two values for one label": (LIBRARY, "threat: added_library_loaded", BOTH, FIGHT),
    "a workload's pattern is too wide": (LIBRARY, "Deployment/web-*", "'*/web-*'", ADDED),
    "a location is added": (LIBRARY, "location: europe-west1", "location: [europe-west1, europe-west2]", ADDED),
    "a node pool is added": (LIBRARY, "node_pool: pool-1", "node_pool: pool-?", ADDED),
    "a mode is raised": (PRIVILEGED, "mode: dry_run", "mode: enforce", RAISED),
    "a project is added": (PRIVILEGED, "project: example-project", "project: example-*", ADDED),
    "a service's pattern is too wide": (SERVICE, "[shop-*, login]", "[shop-*, login*]", ADDED),
}  # fmt: skip

_TWO = FILES[SHELL].replace("threat: [reverse_shell]", "threat: reverse_shell")
FAULTLESS: dict[str, tuple[tuple[tuple[str, str, str], ...], dict[str, str]]] = {
    "a policy is renamed": (
        (),
        {"mark_binary": "", "mark_binaries": FILES[BINARY].replace("name: mark-binary", "name: mark-binaries")},
    ),
    "a policy is split in two that do the same": (
        (),
        {
            "contain_shell": _TWO.replace("severity: HIGH", "severity: CRITICAL"),
            "contain_shells": _TWO.replace("name: contain-shell", "name: contain-shells"),
        },
    ),
    "a description says more": (((BINARY, "For tests.", "For tests of binaries."),), {}),
    "one more namespace is protected": (((RAILS, "platform]", "platform, vault]"),), {}),
    "a namespace is protected twice": (((RAILS, "platform]", "platform, kube-*]"),), {}),
    "one more exception": (((SHELL, "[ci, ci-*]", "[ci, ci-*, lab]"),), {}),
    "a pattern that another one covers": (((SHELL, "[ci, ci-*]", "[ci, ci-*, ci-a-*]"),), {}),
    "a severity is raised": (((SHELL, "severity: HIGH", "severity: CRITICAL"),), {}),
    "a mode is lowered": (((SHELL, "mode: enforce", "mode: dry_run"),), {}),
    "a limit is lowered": (((SHELL, "most: 3, within: 1h", "most: 2, within: 2h"),), {}),
    "more is needed": (((SHELL, "needs: [isolate_pod]", "needs: [capture_evidence, isolate_pod]"),), {}),
    "a policy that only tells": (
        (),
        {"tell": "name: tell\ndescription: T.\nowner: a@example.com\nmode: enforce\n"
                 "when: {threat: malicious_script_executed}\nthen: [{action: notify}]\n"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """The pack as it is."""
    return loaded(tmp_path_factory.mktemp("packs") / "small")


def failing(claims: tuple[ProvedClaim, ...]) -> list[ProvedClaim]:
    """What a person has to look at."""
    return [claim for claim in claims if claim.shown.fails]


def test_nothing_is_shown_of_a_pack_that_is_right(small: PolicySet) -> None:
    """Neither of itself nor against itself; what guardrails alone hold is a warning."""
    proof = prove(small, NOW, small)
    assert not proof.fails
    assert {claim.shown.kind for claim in proof.claims} == {ClaimKind.HELD_BY_GUARDRAILS}
    assert all(claim.confirmed for claim in proof.claims)
    assert proof.situations > 100


TRIED = Cases("faults that a proof finds", [*FAULTS][::2], [*FAULTS])


@pytest.mark.parametrize("fault", TRIED.chosen)
def test_each_fault_is_found(tmp_path: Path, small: PolicySet, fault: str) -> None:
    """With a finding whose notification, read and decided upon anew, shows it."""
    file, text, other, kind = FAULTS[fault]
    found = failing(prove(loaded(tmp_path / "edited", (file, text, other)), NOW, small).claims)
    assert kind in {claim.shown.kind for claim in found}, [claim.shown for claim in found]
    assert all(claim.confirmed and claim.threats for claim in found)


@pytest.mark.parametrize("edit", FAULTLESS)
def test_an_edit_that_widens_nothing_raises_nothing(tmp_path: Path, small: PolicySet, edit: str) -> None:
    """Also where it changes every line: what is done counts, not by which policy."""
    edits, more = FAULTLESS[edit]
    proof = prove(loaded(tmp_path / "edited", *edits, **more), NOW, small)
    assert not proof.fails, [claim.shown for claim in failing(proof.claims)]


def test_enough_faults_are_tried() -> None:
    """Forty faults and ten edits without one."""
    assert len(FAULTS) >= 40
    assert len(FAULTLESS) >= 10


@pytest.mark.parametrize(
    ("text", "other", "field"),
    [
        ("most: 3, within: 10m", "most: 30, within: 10m", "limits.namespace"),
        ("warm_up: 60s", "warm_up: 0s", "warm_up"),
        ("needed: 2", "needed: 1", "approval.needed"),
        ("keep_serving: [shop/Deployment/checkout]\n", "", "keep_serving"),
    ],
)
def test_an_edit_that_no_situation_shows_is_told_by_its_field(
    tmp_path: Path, small: PolicySet, text: str, other: str, field: str
) -> None:
    """Limits, approval and first shots are counted over time: their edits are listed, and widen."""
    proof = prove(loaded(tmp_path / "edited", (RAILS, text, other)), NOW, small)
    assert field in {edit.field for edit in proof.edits if edit.widens}
    assert proof.fails
    assert not failing(proof.claims)


def test_a_condition_is_taken_to_hold_and_not_to_hold(tmp_path: Path, small: PolicySet) -> None:
    """One that is added takes away, one that is dropped adds, one that is changed does both; its policy is named."""
    condition = 'condition: \'pod.labels["team"] == "a"\'\nthen:\n  - action: label_pod'
    with_one = loaded(tmp_path / "one", (BINARY, "then:\n  - action: label_pod", condition))
    other = loaded(tmp_path / "other", (BINARY, "then:\n  - action: label_pod", condition.replace('"a"', '"b"')))
    added = prove(with_one, NOW, small)
    assert (added.unproved, added.fails) == (("mark-binary",), False)
    dropped = prove(small, NOW, with_one)
    assert {(claim.shown.kind, claim.confirmed) for claim in failing(dropped.claims)} == {(ADDED, True)}
    changed = {claim.shown.kind: claim.confirmed for claim in prove(other, NOW, with_one).claims}
    assert changed[ADDED] is False
    assert changed[ClaimKind.TAKEN_AWAY] is False
    assert not prove(with_one, NOW, with_one).fails


def test_all_threats_of_a_claim_are_named(tmp_path: Path, small: PolicySet) -> None:
    """A change that adds three threats says so of each, though one finding shows it."""
    names = "reverse_shell, malicious_script_executed, malicious_python_executed, unexpected_child_shell"
    proof = prove(loaded(tmp_path / "edited", (SHELL, "[reverse_shell]", f"[{names}]")), NOW, small)
    deletions = [claim for claim in failing(proof.claims) if claim.shown.action == "delete_pod"]
    assert {threat for claim in deletions for threat in claim.threats} == {
        "malicious_script_executed",
        "malicious_python_executed",
        "unexpected_child_shell",
    }


REST = """\
name: contain-rest
description: What no other policy answers.
owner: secops@example.com
mode: enforce
otherwise: true
when: {severity: HIGH, surface: pod}
then:
  - action: capture_evidence
  - action: delete_pod
    with: {grace_period_seconds: 5}
"""


def test_what_is_left_to_the_rest_is_found(tmp_path: Path) -> None:
    """Whatever a policy answers no more, one that takes the rest does: the other way round it adds nothing."""
    wide = loaded(tmp_path / "wide", contain_rest=REST)
    narrow = loaded(tmp_path / "narrow", (SHELL, "severity: HIGH", "severity: CRITICAL"), contain_rest=REST)
    assert not failing(prove(wide, NOW, wide).claims)
    added = [claim for claim in failing(prove(narrow, NOW, wide).claims) if claim.shown.kind is ADDED]
    assert added
    assert all(claim.confirmed for claim in added)
    assert not [claim for claim in failing(prove(wide, NOW, narrow).claims) if "5" in str(claim.shown)]


def test_the_rest_may_act_beside_a_condition(tmp_path: Path) -> None:
    """Nobody knows whether it holds: both are looked at."""
    asked = (SHELL, "limits: [{most: 3, within: 1h}]", "condition: pod.ready")
    pack = loaded(tmp_path / "asked", asked, contain_rest=REST)
    former = loaded(tmp_path / "former", contain_rest=REST)
    found = failing(prove(pack, NOW, former).claims)
    assert ADDED in {claim.shown.kind for claim in found}


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [("1%", "50%", True), ("50%", "80%", True), ("97%", "98%", True), ("50%", "1%", False), ("80%", "50%", False)],
)
def test_a_larger_share_of_clusters_is_found(tmp_path: Path, before: str, after: str, raised: bool) -> None:
    """A cluster that is in the one and not in the other shows it."""
    modes = "modes: [{{mode: enforce, clusters: [projects/*/locations/*/clusters/*], share: {}}}]\nmode: dry_run"
    packs = [loaded(tmp_path / name, (PRIVILEGED, "mode: dry_run", modes.format(name))) for name in (before, after)]
    found = {claim.shown.kind for claim in failing(prove(packs[1], NOW, packs[0]).claims)}
    assert (RAISED in found) is raised


CANARY = "projects/*/locations/*/clusters/*], namespace_labels: {stage: canary}"
LABELLED = {
    "another value": (CANARY, CANARY.replace("canary", "live"), True),
    "a pattern": (CANARY, CANARY.replace("canary", "c*"), True),
    "another key": (CANARY, CANARY.replace("stage", "tier"), True),
    "one key less": (CANARY.replace("canary}", "canary, tier: '3'}"), CANARY, True),
    "one key more": (CANARY, CANARY.replace("canary}", "canary, tier: '3'}"), False),
    "other clusters": (
        CANARY.replace("clusters/*", "clusters/dev-*"),
        CANARY.replace("clusters/*", "clusters/*v-1"),
        True,
    ),
    "fewer clusters": (CANARY, CANARY.replace("clusters/*", "clusters/dev-*"), False),
    "every namespace": (CANARY, CANARY.partition(",")[0].removesuffix("]") + "]", True),
}


@pytest.mark.parametrize("edit", LABELLED)
def test_a_label_that_raises_a_mode_elsewhere_is_found(tmp_path: Path, edit: str) -> None:
    """By a finding in a namespace with labels, in a cluster of those that are named beside them."""
    *both, raised = LABELLED[edit]
    packs = [
        loaded(
            tmp_path / str(number),
            (BINARY, "mode: approve", f"modes: [{{mode: enforce, clusters: [{text}}}]\nmode: approve"),
        )
        for number, text in enumerate(both)
    ]
    claims = failing(prove(packs[1], NOW, packs[0]).claims)
    assert (RAISED in {claim.shown.kind for claim in claims}) is raised
    assert all(claim.confirmed for claim in claims)
