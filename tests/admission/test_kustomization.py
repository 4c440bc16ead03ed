"""The kustomization as a cluster team meets it, and that it is what policies and guardrails ask for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.cli.main import main
from scc_responder.workbench.needed_permissions import cluster_role, enabled, needed
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.admission.installed import Installed
from tests.admission.kustomize import FOLDER, build, of_kind
from tests.cluster.client import ApiFailure
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.kits.responder import SHIPPED, policy, write_policies
from tests.requirements import missing

WHO = {"email": "r@example-project.iam.gserviceaccount.com", "unique_id": "123456789012345678901"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "kubernetes"))


def checked(folder: Path, policies: Path = SHIPPED) -> int:
    """What `permissions --check` says of it."""
    return main(["permissions", "--policies", str(policies), "--kustomization", str(folder), "--check"])


def granted(manifests: Iterable[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(group, resource, verb) of all that the roles grant."""
    rules = [rule for role in of_kind(manifests, "ClusterRole") for rule in role["rules"]]
    return {(g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}


def test_nothing_has_drifted() -> None:
    """What is shipped is what the shipped policies and guardrails ask for."""
    assert checked(FOLDER) == 0


def test_the_tiers_are_all_that_is_needed() -> None:
    """With `forensic`, which is off, they grant what `permissions --format rbac` prints: no verb more or less."""
    one = cluster_role(needed(enabled(load_policies(SHIPPED).policies)), "r")
    off = granted(yaml.safe_load_all((FOLDER / "forensic" / "forensic.yaml").read_text()))
    assert off == {("", "pods/ephemeralcontainers", "patch")}
    assert granted(build()) == granted([one]) - off


DRIFTS = [
    pytest.param(("act.yaml", "[patch, delete]", "[patch]"), "+  verbs: [patch, delete]", id="a verb less"),
    pytest.param(("act.yaml", "[create]", "[create, delete]"), "-  verbs: [create, delete]", id="a verb more"),
    pytest.param(("observe.yaml", "[events]", "[secrets]"), "-  resources: [secrets]", id="another resource"),
    pytest.param(("observe.yaml", "name: EMAIL", "name: me@example.com"), "me@example.com", id="another subject"),
    pytest.param(("admission.yaml", '"kube-system"]', "]"), '"kube-system"]', id="a namespace less"),
    pytest.param(("forensic/forensic.yaml", "[pods/ephemeralcontainers]", "[pods/exec]"), "pods/exec", id="exec"),
]


@pytest.mark.parametrize(("change", "said"), DRIFTS)
def test_drift_is_named_line_by_line(
    folder: Path, change: tuple[str, str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that says more or less than is needed is named, line by line, with the command that fixes it."""
    file, before, after = change
    path = folder / file
    path.write_text(path.read_text().replace(before, after, 1))
    assert checked(folder) == 1
    shown = capsys.readouterr()
    assert said in shown.out
    assert f"--- {path}" in shown.out
    command = f"scc-responder permissions --policies {SHIPPED} --kustomization {folder}"
    assert command in shown.err
    assert main(["permissions", "--kustomization", str(folder)]) == 0
    assert path.read_bytes() == (FOLDER / file).read_bytes()


def test_other_policies_and_guardrails(folder: Path, tmp_path: Path) -> None:
    """It follows from the folder of policies: what they no longer need is gone, and other lists are there."""
    rails = "protected: {namespaces: [bank-?]}\nallowed_keys: {labels: [team]}\n"
    policies = write_policies(tmp_path / "policies", policy("label_pod"), guardrails=rails)
    assert checked(folder, policies) == 1
    main(["permissions", "--policies", str(policies), "--kustomization", str(folder)])
    assert checked(folder, policies) == 0
    built = build(folder=folder)
    assert {verb for *_, verb in granted(built)} == {"get", "patch"}
    lists = {v["name"]: v["expression"] for v in of_kind(built, "ValidatingAdmissionPolicy")[0]["spec"]["variables"]}
    assert lists["protectedNamespace"] == 'variables.inNamespace.matches("^(?:bank-[^/])$")'
    assert lists["allowedLabels"] == '["team"]'


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another folder is wrong use, and nothing is written there."""
    assert checked(tmp_path) == 2
    assert "terraform/kubernetes" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_such_file_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is said as a person would, without the number of an error."""
    assert main(["permissions", "--kustomization", str(tmp_path)]) == 2
    told = f"scc-responder: {tmp_path}/admission.yaml: No such file or directory; name the folder terraform/kubernetes"
    assert capsys.readouterr().err.startswith(told)


def test_the_identity_replaces_every_placeholder(folder: Path) -> None:
    """Both names stand wherever the identity is named, and no placeholder is left."""
    built = build(WHO, components=["flow-schema", "forensic"])
    text = yaml.safe_dump_all(built)
    assert "EMAIL" not in text
    assert "UNIQUE" not in text
    for binding in of_kind(built, "ClusterRoleBinding"):
        assert [subject["name"] for subject in binding["subjects"]] == list(WHO.values())
    for item in of_kind(built, "ValidatingAdmissionPolicy"):
        assert item["spec"]["matchConditions"][0]["expression"] == (
            f"request.userInfo.username in ['{WHO['email']}', '{WHO['unique_id']}']"
        )


def test_the_shipped_files_name_two_placeholders() -> None:
    """As shipped, roles, flow schema and admission name the same two placeholders, which can be nobody's name."""
    built = build(components=["flow-schema", "forensic"])
    names = ["EMAIL-FROM-TERRAFORM", "UNIQUE-ID-FROM-TERRAFORM"]
    subjects = [[subject["name"] for subject in one["subjects"]] for one in of_kind(built, "ClusterRoleBinding")]
    conditions = [one["spec"]["matchConditions"] for one in of_kind(built, "ValidatingAdmissionPolicy")]
    assert subjects == [names] * 3
    assert [one["expression"] for (one,) in conditions] == [f"request.userInfo.username in {names}"] * 2
    # Google knows nobody without an @ or by anything but digits, and Kubernetes' own names begin with system:.
    assert not [name for name in names if re.search(r"@|^[0-9]+$|^system:", name)]


@pytest.mark.parametrize("components", [[], ["flow-schema", "forensic"]], ids=["default", "all"])
def test_kubectl_kustomize_makes_the_same(folder: Path, components: list[str]) -> None:
    """`kubectl kustomize` makes of it what these tests apply."""
    if shutil.which("kubectl") is None:
        missing("kubectl", "it is not in PATH", "gcloud components install kubectl")
    text = (folder / "identity.yaml").read_text()
    for name, value in WHO.items():
        before = next(line for line in text.splitlines() if line.strip().startswith(f"{name}:"))
        text = text.replace(before, f'  {name}: "{value}"')
    (folder / "identity.yaml").write_text(text)
    file = folder / "kustomization.yaml"
    file.write_text(file.read_text() + (f"components: {components}\n" if components else ""))
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    assert sorted(yaml.safe_load_all(done.stdout), key=_name) == sorted(build(WHO, components), key=_name)


def _name(item: dict[str, Any]) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


def test_the_switch_is_not_part_of_it() -> None:
    """Nothing that is applied holds the mode, and the mode's object is never missing: see the next two tests."""
    built = build(components=["flow-schema", "forensic"])
    assert {item["kind"] for item in built} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "FlowSchema",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
    references = [item["spec"].get("paramRef") for item in of_kind(built, "ValidatingAdmissionPolicyBinding")]
    assert references == [None, {"name": "default", "parameterNotFoundAction": "Deny"}]
    assert {item["spec"]["failurePolicy"] for item in of_kind(built, "ValidatingAdmissionPolicy")} == {"Fail"}


def test_the_namespace_default_stays(control_plane: ControlPlane) -> None:
    """The API server deletes it for nobody."""
    with pytest.raises(ApiFailure, match="this namespace may not be deleted"):
        control_plane.admin.delete("/api/v1/namespaces/default")


def test_a_missing_parameter_denies_everybody(shipped: Installed) -> None:
    """Why no object that may be missing will do: the API server asks for it before it asks whose request it is."""
    name = f"missing-{shipped.namespace}"
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    inside = {"matchLabels": {"kubernetes.io/metadata.name": shipped.namespace}}
    specs = {
        "ValidatingAdmissionPolicy": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "nobody", "expression": "request.userInfo.username == 'nobody'"}],
            "validations": [{"expression": "false"}],
        },
        "ValidatingAdmissionPolicyBinding": {
            "policyName": name,
            "paramRef": {"name": "missing", "namespace": shipped.namespace, "parameterNotFoundAction": "Deny"},
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": inside},
        },
    }
    for kind, spec in specs.items():
        shipped.manifests.append({**head, "kind": kind, "spec": spec})
        shipped.set_policy(shipped.manifests[-1])
    path = f"/api/v1/namespaces/{shipped.namespace}/configmaps"
    told = wait_until(
        lambda: shipped.plane.admin.send("POST", path, {"metadata": {"name": "any"}}, dryRun="All").body.get("message"),
        what="the administrator to be denied",
    )
    assert "no params found" in told


def test_the_flow_schema_classifies_our_requests(shipped: Installed) -> None:
    """With the component, the API server puts the responder's requests on the level that it names."""
    (schema,) = of_kind(build(shipped.names, ["flow-schema"], suffix=f"-{shipped.namespace}"), "FlowSchema")
    shipped.manifests.append(schema)
    (made,) = shipped.plane.admin.apply(yaml.safe_dump(schema))
    level = shipped.plane.admin.get("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/workload-high")
    wanted = (made["metadata"]["uid"], level["metadata"]["uid"])
    both = [wanted, wanted]
    wait_until(lambda: [*map(shipped.flow_of, shipped.names.values())] == both, what="the schema to be in force")
