"""What the module grants is what `scc-responder permissions` says of the shipped policies."""

from __future__ import annotations

import json

from scc_responder.adapters.google.artifact_registry import PERMISSION
from scc_responder.adapters.google.kms_signer import ASYMMETRIC_SIGN
from scc_responder.adapters.google.log_sinks import GET_SINK
from scc_responder.cli.console.generated_files import iam_list
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.execute.evidence.sources.image import image
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench import needed_permissions
from tests.terraform import grants
from tests.terraform.checking import MODULE, ROOT, Terraform
from tests.terraform.promises import grants_are_exactly_these


def test_the_file_lists_exactly_what_policies_need() -> None:
    """permissions.json lists the IAM permissions that the enabled policies need, and no other."""
    needs = needed_permissions.needed(needed_permissions.enabled(load_policies(ROOT / "policies").policies))
    wanted = {need.permission for need in needs if not need.verb}
    gated = {*listed("cloud_logging"), *listed("image_repositories")}

    assert sorted([*listed("iam"), *gated]) == sorted(wanted)
    assert gated == {name for name in wanted if name.startswith(("artifactregistry.", "logging."))}


def test_the_gateway_is_apart() -> None:
    """What Connect Gateway asks for stands in a section of its own, which is granted only where it is asked for."""
    assert listed("connect_gateway") == list(ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
    assert not set(listed("connect_gateway")) & set(listed("iam"))


def test_signing_is_apart() -> None:
    """What signing asks for is granted only where a key is made or given, and is what the signer itself says."""
    assert listed("signing") == [ASYMMETRIC_SIGN.permission]
    assert not set(listed("signing")) & set(listed("iam"))


def test_cloud_run_is_apart() -> None:
    """What evidence of Cloud Run asks for only reads, and nothing grants it yet that is not asked to."""
    assert {name.rpartition(".")[2] for name in listed("cloud_run_projects")} == {"get", "list", "getIamPolicy"}
    assert not set(listed("cloud_run_projects")) & set(listed("iam"))


def test_the_sink_is_apart() -> None:
    """What doctor asks of the collector's log is granted only where there is one, and is what it itself says."""
    assert listed("collector_image") == [GET_SINK.permission]


def test_the_source_says_what_the_registry_asks_for() -> None:
    """The permission that the source declares is the one that the adapter names where it is missing."""
    assert [permission.name for permission in image.permissions] == [PERMISSION]


def test_policies_ask_and_variables_allow(terraform: Terraform) -> None:
    """What policies ask of Cloud Logging and of Artifact Registry is granted only with the variable, at its places."""
    folder = terraform.copied("asked-for")
    path = folder / "permissions.json"
    needs = needed_permissions.of_all_actions()
    path.write_text(iam_list(path, needs)[path])
    states = terraform.test(terraform.initialized(folder), "privilege").states()
    images = ["artifactregistry.repositories.downloadArtifacts"]
    entries = ["logging.logEntries.list", "logging.privateLogEntries.list"]
    for run, role, names in (("cloud_logging", "logs", entries), ("image_repositories", "images", images)):
        address = f'google_organization_iam_custom_role.reach["{role}"]'
        assert sorted(states[f"privilege/{run}"][address]["permissions"]) == names
        others = [state for other, state in states.items() if other != f"privilege/{run}"]
        assert not [state for state in others if names[0] in state.get(address, {}).get("permissions", ())]
    for run in ("privilege/cloud_logging", "privilege/image_repositories"):
        grants_are_exactly_these(states[run])
    granted = grants.grants(states["privilege/image_repositories"])
    assert {where for where, role, _ in granted if role.endswith("_images")} == {"repository/gcr.io", "repository/web"}


def listed(section: str) -> list[str]:
    """The permissions in one section of permissions.json."""
    return [need["permission"] for need in json.loads((MODULE / "permissions.json").read_text())[section]]
