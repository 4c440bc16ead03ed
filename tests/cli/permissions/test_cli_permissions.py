"""What `scc-responder permissions` prints, and the files that it writes and compares, as `make check` asks for it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.cli.main import main
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.workbench.needed_permissions import EVERY_FINDING, enabled, needed
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.cli.commands import ROOT, run
from tests.kits.as_shipped import policies_as_shipped
from tests.kits.responder import SHIPPED, policy, write_policies
from tests.workbench.test_needed_permissions import verbs_of

FILE, FOLDER = "terraform/permissions.json", "terraform/kubernetes"
CHECK = shlex.split(
    next(
        iter(re.findall(r"^\t\$\(BIN\)/scc-responder (permissions .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    ).replace("$(PACK)", str(SHIPPED))
)
WRITE = [word for word in CHECK if word != "--check"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of the repository as the command looks at, to change."""
    policies_as_shipped(tmp_path)
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    shutil.copy(ROOT / FILE, tmp_path / FILE)
    return tmp_path


def test_nothing_has_drifted(tree: Path) -> None:
    """The line of `make check` compares the roles, the lists and the IAM permissions that are shipped."""
    done = run(*CHECK, cwd=tree)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MORE = (
    '{\n      "permission": "datastore.entities.delete"\n    },\n    {\n      "permission": "datastore.entities.create"'
)
DRIFTS = [
    pytest.param(
        '{\n      "permission": "datastore.entities.create"',
        MORE,
        '-      "permission": "datastore.entities.delete"',
        id="more",
    ),
    pytest.param(
        '{\n      "permission": "datastore.entities.get"\n    },\n    ',
        "",
        '+      "permission": "datastore.entities.get"',
        id="less",
    ),
    pytest.param("gkehub.gateway.get", "gkehub.gateway.put", '-      "permission": "gkehub.gateway.put"', id="gateway"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), DRIFTS)
def test_a_drifted_iam_file_is_named(tree: Path, right: str, wrong: str, said: str) -> None:
    """An IAM permission too many or too few fails it: file and permission are named, and the command that fixes it."""
    path = tree / FILE
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    done = run(*CHECK, cwd=tree)
    assert done.returncode == 1
    assert f"--- {FILE}" in done.stdout
    assert said in done.stdout.splitlines()
    assert shlex.join(["scc-responder", *WRITE]) in done.stderr
    assert path.read_text() != text
    written = run(*WRITE, cwd=tree)
    assert (written.returncode, written.stderr) == (0, f"wrote {FILE}\n")
    assert path.read_text() == text


def test_it_follows_from_the_policies(tree: Path) -> None:
    """Where no policy keeps evidence, the permission to write it is gone."""
    few = write_policies(tree / "few", policy("label_pod"))
    command = ["permissions", "--policies", str(few), "--iam", FILE]
    done = run(*command, "--check", cwd=tree)
    assert (done.returncode, shlex.join(command) in done.stderr) == (1, True)
    assert run(*command, cwd=tree).returncode == 0
    names = [need["permission"] for need in json.loads((tree / FILE).read_text())["iam"]]
    assert "storage.objects.create" not in names
    assert "datastore.entities.get" in names


@pytest.mark.parametrize("content", ["# A page\n", "[]", '{"other": 1}', "\xff"], ids=ascii)
def test_another_file_is_not_overwritten(tree: Path, content: str) -> None:
    """What is no such list is wrong use, and is not written over."""
    other = tree / "other.json"
    other.write_text(content, encoding="latin-1")
    done = run("permissions", "--iam", "other.json", cwd=tree)
    assert (done.returncode, done.stdout) == (2, "")
    assert "other.json: it is no list of IAM permissions; name terraform/permissions.json" in done.stderr
    assert other.read_text(encoding="latin-1") == content


IGNORED = [
    pytest.param(["--check"], "--check has no effect here: give it with --kustomization DIR or --iam FILE", id="check"),
    pytest.param(["--check", "--format", "json"], "--check has no effect", id="check-json"),
    pytest.param(["--user", "x"], "--user has no effect here: give it with --format rbac", id="user"),
    pytest.param(["--user", "x", "--format", "iam"], "--user has no effect", id="user-iam"),
    pytest.param(["--name", "x"], "--name has no effect here: give it with --format rbac", id="name"),
    pytest.param(["--connect-gateway"], "give it with --format iam", id="gateway"),
    pytest.param(["--iam", FILE, "--format", "rbac"], "--format rbac has no effect", id="file-rbac"),
    pytest.param(["--kustomization", FOLDER, "--format", "iam"], "--format iam has no effect", id="folder-iam"),
    pytest.param(["--kustomization", FOLDER, "--user", "x"], "--user has no effect", id="folder-user"),
]


@pytest.mark.parametrize(("options", "said"), IGNORED)
def test_what_would_be_ignored(tree: Path, options: list[str], said: str) -> None:
    """An option that would do nothing is wrong use: a check in CI that checks nothing must not pass."""
    done = run("permissions", *options, cwd=tree)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def documented(*arguments: str, cwd: Path, status: int = 0) -> dict[str, dict[str, Any]]:
    """What one JSON document says of each file."""
    done = run(*arguments, "--format", "json", cwd=cwd)
    assert done.returncode == status
    return {one["file"]: one for one in json.loads(done.stdout)["files"]}


def test_json_says_what_became_of_each_file(tree: Path) -> None:
    """One document says what came of each file: the same, different and how, or written."""
    files = documented(*CHECK, cwd=tree)
    assert files.keys() >= {FILE, f"{FOLDER}/act.yaml", f"{FOLDER}/admission.yaml"}
    assert {one["result"] for one in files.values()} == {"same"}
    act = tree / FOLDER / "act.yaml"
    act.write_text(act.read_text().replace("[patch, delete]", "[patch]"))
    differing = documented(*CHECK, cwd=tree, status=1)
    assert {name for name, one in differing.items() if one["result"] == "differs"} == {f"{FOLDER}/act.yaml"}
    assert "+  verbs: [patch, delete]" in differing[f"{FOLDER}/act.yaml"]["difference"]
    written = documented(*WRITE, cwd=tree)
    assert {name for name, one in written.items() if one["result"] == "written"} == {f"{FOLDER}/act.yaml"}
    assert documented(*CHECK, cwd=tree) == files


LABEL = policy("label_pod", name="label")
DELETE = policy("capture_evidence", "delete_pod", name="delete")


def printed(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> str:
    """What the command prints about a folder of policies."""
    assert main(["permissions", "--policies", str(folder), *options]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


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


def test_iam_roles_are_printed_by_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_signing_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a key in Cloud KMS asks for is a role only where asked for, and granted on the key alone."""
    folder = write_policies(tmp_path / "p", LABEL)
    told = json.loads(printed(capsys, folder, "--format", "json"))
    assert [need["permission"] for need in told["signing"]] == ["cloudkms.cryptoKeyVersions.useToSign"]
    assert "cloudkms" not in printed(capsys, folder, "--format", "iam")
    text = printed(capsys, folder, "--format", "iam", "--signing")
    assert "# Grant on the key that signs evidence, and nothing above it." in text
    roles = [role["includedPermissions"] for role in yaml.safe_load_all(text)]
    assert ["cloudkms.cryptoKeyVersions.useToSign"] in roles
    assert "only where signing is set\n  cloudkms.crypto" in printed(capsys, folder)


def test_cloud_run_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What evidence of Cloud Run asks for is a role only where asked for: it reads, and changes nothing."""
    folder = write_policies(tmp_path / "p", LABEL)
    told = json.loads(printed(capsys, folder, "--format", "json"))
    names = [need["permission"] for need in told["cloud_run_projects"]]
    assert {name.rpartition(".")[2] for name in names} == {"get", "list", "getIamPolicy"}
    assert not set(names) & {need["permission"] for need in told["iam"]}
    assert "run.services" not in printed(capsys, folder, "--format", "iam")
    text = printed(capsys, folder, "--format", "iam", "--cloud-run")
    assert "# Grant on every project whose services and jobs of Cloud Run are evidence." in text
    assert names in [role["includedPermissions"] for role in yaml.safe_load_all(text)]
    assert "only where cloud_run_projects is set\n  run.executions.list" in printed(capsys, folder)


def test_cloud_monitoring_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Instances and requests of a service are counted only where that is asked for, and by no other role."""
    folder = write_policies(tmp_path / "p", LABEL)
    told = json.loads(printed(capsys, folder, "--format", "json"))
    assert [need["permission"] for need in told["cloud_monitoring"]] == ["monitoring.timeSeries.list"]
    assert "monitoring" not in printed(capsys, folder, "--format", "iam", "--cloud-run")
    text = printed(capsys, folder, "--format", "iam", "--cloud-monitoring")
    assert ["monitoring.timeSeries.list"] in [role["includedPermissions"] for role in yaml.safe_load_all(text)]
    assert "only where cloud_monitoring is set\n  monitoring.timeSeries.list" in printed(capsys, folder)


def test_what_changes_cloud_run_comes_with_its_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under a variable of its own, as a role of its own, and with what acting as an identity would allow."""
    folder = write_policies(tmp_path / "p", policy("roll_back_service", name="back", mode="approve"))
    told = json.loads(printed(capsys, folder, "--format", "json"))
    writes = [need["permission"] for need in told["cloud_run_writes"]]
    assert writes == ["run.operations.get", "run.services.update"]
    assert "run.services.get" in {need["permission"] for need in told["cloud_run_projects"]}
    assert (told["act_as"]["permission"], told["act_as"]["by"]) == (
        "iam.serviceAccounts.actAs",
        {"roll_back_service": ["back"]},
    )
    text = printed(capsys, folder)
    assert "only where cloud_run_writes is set\n  run.operations.get" in text
    assert "  iam.serviceAccounts.actAs " in text
    for shown in (text, printed(capsys, folder, "--format", "iam"), told["act_as"]["why"]):
        words = " ".join(shown.replace("#", " ").split())
        assert "can run any code as that identity" in words
        assert "to be tried on a project" in words
    roles = [role for role in yaml.safe_load_all(printed(capsys, folder, "--format", "iam")) if role]
    assert writes in [role["includedPermissions"] for role in roles]
    quiet = write_policies(tmp_path / "q", LABEL)
    assert "actAs" not in printed(capsys, quiet) + printed(capsys, quiet, "--format", "iam")
    assert "act_as" not in json.loads(printed(capsys, quiet, "--format", "json"))


def test_logs_are_apart_from_what_is_always_granted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a policy asks of Cloud Logging stands under the variable that lets it; what doctor asks, under another."""
    folder = write_policies(tmp_path / "p", policy("capture_cloud_logs", name="logs"))
    told = json.loads(printed(capsys, folder, "--format", "json"))
    names = [need["permission"] for need in told["cloud_logging"]]
    assert names == ["logging.logEntries.list", "logging.privateLogEntries.list"]
    assert not set(names) & {need["permission"] for need in told["iam"]}
    assert [need["permission"] for need in told["collector_image"]] == ["logging.sinks.get"]
    assert "only where cloud_logging is set\n  logging.logEntries.list" in printed(capsys, folder)
    roles = [*yaml.safe_load_all(printed(capsys, folder, "--format", "iam"))]
    assert names in [role["includedPermissions"] for role in roles]
    more = [*yaml.safe_load_all(printed(capsys, folder, "--format", "iam", "--collector"))]
    assert [*names, "logging.sinks.get"] in [role["includedPermissions"] for role in more]
    assert "cloud_logging" not in printed(capsys, write_policies(tmp_path / "q", LABEL))


def test_json_names_every_needing_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON each permission names every policy and action that needs it."""
    told = json.loads(printed(capsys, write_policies(tmp_path / "p", LABEL, DELETE), "--format", "json"))
    by = {need["permission"]: need["by"] for need in told["kubernetes"] + told["iam"]}
    assert by["pods: patch"] == {"delete_pod": ["delete"], "label_pod": ["label"]}
    assert by["pods: delete"] == {"delete_pod": ["delete"]}
    assert by["securitycenter.findings.list"] == {EVERY_FINDING: []}
    assert told["policies"] == {"delete": "enforce", "label": "enforce"}


def test_text_names_policies_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table names policy and action, counts many, and says how many policies it is about."""
    monkeypatch.setenv("COLUMNS", "100")
    many = [policy("label_pod", name=f"l-{n}") for n in range(5)]
    off = DELETE.replace("mode: enforce", "mode: disabled")
    shown = printed(capsys, write_policies(tmp_path / "p", *many, off))
    rows = [line.split("  ")[1:] for line in shown.splitlines() if line.startswith("  ")]
    told = {row[0]: row[-1].strip() for row in rows}
    assert told["pods: patch"] == "label_pod (l-0, l-1, l-2 and 2 more)"
    assert told["pods: get"] == "every finding"
    assert "pods: delete" not in shown
    assert "5 policies are enabled, 1 disabled. In dry run a policy needs the same." in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_as_a_command(tmp_path: Path) -> None:
    """The shipped policies' permissions are printed by the command itself, quickly; a wrong folder is wrong use."""
    done = run("permissions", "--format", "rbac")
    wrong = run("permissions", "--policies", tmp_path / "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert verbs_of(yaml.safe_load(done.stdout)) == {
        need.permission for need in needed(enabled(load_policies(SHIPPED).policies)) if need.verb
    }
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no such folder; name one with --policies" in wrong.stderr


def test_reading_contacts_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where it is asked for."""
    folder = write_policies(tmp_path / "p", policy("label_pod"))
    without = printed(capsys, folder, "--format", "iam")
    asked = printed(capsys, folder, "--format", "iam", "--essential-contacts")
    assert "essentialcontacts" not in without
    assert "essentialcontacts.contacts.list" in asked


def test_showing_a_case_beside_its_finding_is_its_own_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where it is asked for."""
    folder = write_policies(tmp_path / "p", policy("label_pod"))
    without = printed(capsys, folder, "--format", "iam")
    asked = printed(capsys, folder, "--format", "iam", "--external-system")
    assert "findingexternalsystems" not in without
    assert "securitycenter.findingexternalsystems.update" in asked
