"""`shipped.yaml`: a folder takes the shipped policies as they are, and says how far some of them go."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from scc_responder import __version__
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.policy.compiled import load_deployed
from scc_responder.policy.policy_set import PolicySet, policy_paths
from scc_responder.workbench.deployment.deployed_zip import deployed_files, write_zip
from scc_responder.workbench.policies.policy_lint import lint
from scc_responder.workbench.policy_files.policy_file import load_former, load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK, name_clashes, policy_sources
from tests.kits.responder import CLUSTER, policy, write_policies

NAME = "isolate-reverse-shell"
OTHER = CLUSTER.replace("prod-1", "dev-1")
LATER = date(2026, 3, 2)


def folder_with(folder: Path, modes: str = "{}", *policies: str, version: str = __version__) -> Path:
    """A folder of policies that takes the shipped ones."""
    written = write_policies(folder / "policies", *policies, guardrails=(PACK / "guardrails.yaml").read_text())
    (written / "shipped.yaml").write_text(f"shipped:\n  version: {version}\n  modes: {modes}\n")
    return written


def of(loaded: PolicySet, name: str = NAME) -> tuple[Mode, Mode, Mode]:
    """How far a policy goes in prod-1, in dev-1, and where the cluster is not known."""
    (found,) = (policy for policy in loaded.policies if policy.name == name)
    return found.mode_in(CLUSTER), found.mode_in(OTHER), found.mode_in("")


def test_the_shipped_policies_are_taken_as_they_are(tmp_path: Path) -> None:
    """All of them, beside the folder's own, in the order of their names."""
    own = policy("label_pod", name="label-shells")
    loaded = load_policies(folder_with(tmp_path, "{}", own))
    shipped = load_policies(PACK).policies
    assert [one for one in loaded.policies if one.name != "label-shells"] == list(shipped)
    assert [one.name for one in loaded.policies] == sorted(one.name for one in loaded.policies)


E, A, D = Mode.ENFORCE, Mode.APPROVE, Mode.DRY_RUN
RAISED = {
    "in clusters of a name": ("[{mode: enforce, clusters: [prod-*]}]", (E, D, D)),
    "in clusters of a path": (
        "[{mode: enforce, clusters: ['projects/*/locations/europe-*/clusters/prod-1']}]",
        (E, D, D),
    ),
    "everywhere": ("[{mode: approve}]", (A, A, A)),
    "everywhere, further in some": ("[{mode: approve}, {mode: enforce, clusters: [dev-1]}]", (A, E, A)),
    "the furthest of several": ("[{mode: enforce, clusters: ['*-1']}, {mode: approve, clusters: [prod-1]}]", (E, E, D)),
    "less far in some": ("[{mode: enforce}, {mode: dry_run, clusters: [prod-*]}]", (D, E, D)),
    "in a share of some": ("[{mode: enforce, clusters: [prod-*, dev-*], share: 20%}]", (D, E, D)),
    "in a larger share of some": ("[{mode: enforce, clusters: [prod-*, dev-*], share: 40%}]", (E, E, D)),
    "in a share of all": ("[{mode: approve}, {mode: enforce, share: 20%}]", (A, E, A)),
    "in a share alone": ("[{mode: enforce, share: 1%}]", (D, D, D)),
    "less far in a share": ("[{mode: enforce}, {mode: dry_run, share: 20%}]", (E, D, D)),
    "nowhere": ("[{mode: disabled}]", (Mode.DISABLED,) * 3),
}


@pytest.mark.parametrize(("modes", "expected"), RAISED.values(), ids=RAISED)
def test_a_shipped_policy_goes_as_far_as_is_said(tmp_path: Path, modes: str, expected: tuple[Mode, ...]) -> None:
    """By its name, in some clusters or in all; where the cluster is not known, no further than in any."""
    loaded = load_policies(folder_with(tmp_path, f"{{{NAME}: {modes}}}"))
    assert of(loaded) == expected
    assert of(loaded, "isolate-key-theft") == (D, D, D)


WRONG = {
    "another version": ("{}", "9.9.9", "shipped.yaml:2: shipped.version: '9.9.9' is not installed"),
    "no such policy": (
        "{isolate-revers-shell: [{mode: approve}]}",
        __version__,
        "shipped.yaml:3: shipped.modes.isolate-revers-shell: no policy of this name is shipped; expected one of",
    ),
    "a misspelt mode": (f"{{{NAME}: [{{mode: enforced}}]}}", __version__, "did you mean 'enforce'"),
    "no mode": (f"{{{NAME}: []}}", __version__, "no mode stands here; write one"),
    "a misspelt field": (f"{{{NAME}: [{{mode: enforce, cluster: [a]}}]}}", __version__, "did you mean 'clusters'"),
    "no share": (
        f"{{{NAME}: [{{mode: approve}}, {{mode: enforce, share: 5}}]}}",
        __version__,
        f"shipped.yaml:3: shipped.modes.{NAME}[1].share: expected a share, got the number 5; write 5%",
    ),
    "a share of nothing": (
        f"{{{NAME}: [{{mode: enforce, share: 0%}}]}}",
        __version__,
        f"shipped.yaml:3: shipped.modes.{NAME}[0].share: '0%' is no share; write 1% to 100%",
    ),
    "half a path": (f"{{{NAME}: [{{mode: enforce, clusters: [a/b]}}]}}", __version__, "'a/b' can never match; write"),
}


@pytest.mark.parametrize(("modes", "version", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, modes: str, version: str, told: str) -> None:
    """Nothing is loaded, by any command, and the mistake has file, line and remedy."""
    folder = folder_with(tmp_path, modes, version=version)
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    assert told in str(refused.value)
    assert any(fault.file == "shipped.yaml" and fault.line for fault in lint(folder, LATER).errors)


def test_one_name_is_one_policy(tmp_path: Path) -> None:
    """A policy of the folder that is called as a shipped one is named: records name policies."""
    folder = folder_with(tmp_path, "{}", policy("label_pod", name=NAME))
    assert [fault.file for fault in name_clashes(folder)] == [f"{NAME}.yaml"]
    with pytest.raises(PolicyError, match="the name of a shipped policy"):
        load_policies(folder)


def test_clusters_may_be_named_at_any_depth(tmp_path: Path) -> None:
    """All of a project, in one word."""
    modes = f"{{{NAME}: [{{mode: enforce, clusters: [projects/example-project/**]}}]}}"
    assert lint(folder_with(tmp_path, modes), LATER).errors == ()


def test_what_can_never_happen_is_told(tmp_path: Path) -> None:
    """A raised policy that waits for people where nobody may approve, and a cluster that none can be called."""
    (fault,) = lint(folder_with(tmp_path, f"{{{NAME}: [{{mode: approve}}]}}"), LATER).errors
    assert (fault.file, fault.line) == ("shipped.yaml", 3)
    assert "approvers" in fault.text
    (odd,) = lint(folder_with(tmp_path, f"{{{NAME}: [{{mode: enforce, clusters: [Prod]}}]}}"), LATER).errors
    assert "'projects/*/locations/*/clusters/Prod' can never match" in odd.text


def test_the_zip_decides_as_the_folder_does(tmp_path: Path) -> None:
    """Its compiled form holds for what is in it, and is of one digest with the folder at the desk."""
    folder = folder_with(
        tmp_path, f"{{{NAME}: [{{mode: enforce, clusters: [prod-*]}}]}}", policy("label_pod", name="a")
    )
    write_zip(deployed_files(folder), tmp_path / "f.zip")
    with ZipFile(tmp_path / "f.zip") as archive:
        archive.extractall(tmp_path / "function")
    assert load_deployed(tmp_path / "function" / "policies") == load_policies(folder)
    assert {f"policies/{name}" for name in policy_sources(folder)} < set(deployed_files(folder))
    assert len(policy_sources(folder)) == len(policy_paths(PACK)) + 3


def test_a_change_of_modes_is_another_digest(tmp_path: Path) -> None:
    """A record names the modes by which it was decided, too."""
    first = load_policies(folder_with(tmp_path)).digest
    assert load_policies(folder_with(tmp_path, f"{{{NAME}: [{{mode: enforce}}]}}")).digest != first
    assert load_policies(folder_with(tmp_path)).digest == first


@pytest.mark.parametrize(
    ("clusters", "told"),
    [("[]", "empty: it would go so far everywhere"), ("", "got nothing; write it, or remove the key")],
)
def test_a_list_of_no_cluster_is_not_every_cluster(tmp_path: Path, clusters: str, told: str) -> None:
    """Whoever takes the last cluster off a list means none."""
    folder = folder_with(tmp_path, f"{{{NAME}: [{{mode: enforce, clusters: {clusters}}}]}}")
    with pytest.raises(PolicyError, match=told):
        load_policies(folder)


def wheel_of(folder: Path, version: str) -> Path:
    """The wheel of another version, in which one policy goes further and one more is shipped."""
    wheel = folder / "wheels" / f"scc_responder-{version}-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    with ZipFile(wheel, "w") as made:
        for path in policy_paths(PACK):
            text = path.read_text().replace("mode: dry_run", "mode: enforce") if path.stem == NAME else path.read_text()
            made.writestr(f"scc_responder/pack/{path.name}", text)
        made.writestr("scc_responder/pack/label-relics.yaml", policy("label_pod", name="label-relics"))
        made.writestr("scc_responder/pack/../../escaped.yaml", "x: y")
    return wheel


def test_a_folder_of_before_an_upgrade_is_compared_with_by_its_own_wheel(tmp_path: Path) -> None:
    """What an upgrade changes is what the two packs differ in: nothing else of the other version is read."""
    folder = folder_with(tmp_path, "{label-relics: [{mode: disabled}]}", version="0.0.9")
    with pytest.raises(PolicyError, match=r"(?s)'0.0.9' is not installed.*keep its wheel in .*/wheels$") as caught:
        load_former(folder)
    assert str(caught.value).startswith(f"--against {folder}:\n")
    wheel = wheel_of(tmp_path, "0.0.9")
    former = load_former(folder)
    assert {one.name for one in former.policies} - {one.name for one in load_policies(PACK).policies} == {
        "label-relics"
    }
    assert of(former) == (E, E, E)
    assert of(former, "label-relics") == (Mode.DISABLED,) * 3
    assert former.digest != load_policies(folder_with(tmp_path)).digest
    assert not list(tmp_path.rglob("escaped.yaml"))
    folder = folder_with(tmp_path, version="0.0.9")
    with pytest.raises(PolicyError, match=r"'0\.0\.9' is not installed"):
        load_policies(folder)
    with ZipFile(wheel, "w", ZIP_DEFLATED) as made:
        made.writestr("scc_responder/pack/label-relics.yaml", "name: label-relics\n" * 100)
    whole = wheel.read_bytes()
    begun = whole.index(b".yaml") + len(b".yaml")
    for broken in (b"no zip", whole[:begun] + b"\xff" * 8 + whole[begun + 8 :]):
        wheel.write_bytes(broken)
        with pytest.raises(PolicyError, match=r"put the wheel of 0\.0\.9 there"):
            load_former(folder)


@pytest.mark.parametrize("version", ["'../../tmp/x'", "''", '"\\0"', "x" * 5000])
def test_a_version_that_no_wheel_has_is_refused(tmp_path: Path, version: str) -> None:
    """It names no file elsewhere."""
    with pytest.raises(PolicyError, match="is not installed"):
        load_former(folder_with(tmp_path, version=version))
