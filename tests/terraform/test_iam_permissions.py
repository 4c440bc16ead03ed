"""What the module grants is what `scc-responder permissions` says of the shipped policies."""

from __future__ import annotations

import json

from scc_responder.adapters.google.artifact_registry import ArtifactRegistry
from scc_responder.adapters.google.essential_contacts import EssentialContacts
from scc_responder.adapters.google.external_systems import UPDATE
from scc_responder.adapters.google.kms_signer import ASYMMETRIC_SIGN
from scc_responder.adapters.google.log_sinks import GET_SINK
from scc_responder.cli.terminal.generated_files import iam_list
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.permissions import is_run_write
from scc_responder.execute.evidence.sources.image import image
from scc_responder.workbench import needed_permissions
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.terraform import grants
from tests.terraform.checking import MODULE, State, Terraform
from tests.terraform.promises import grants_are_exactly_these, only_one_changes_cloud_run


def test_the_file_lists_exactly_what_policies_need() -> None:
    """permissions.json lists the IAM permissions that the enabled policies need, and no other."""
    needs = needed_permissions.needed(needed_permissions.enabled(load_policies(PACK).policies))
    wanted = {need.permission for need in needs if not need.verb}
    gated = {*listed("cloud_logging"), *listed("image_repositories"), *listed("cloud_run_writes")}
    gated |= wanted & {*listed("cloud_run_projects"), *listed("cloud_monitoring")}

    assert sorted([*listed("iam"), *gated]) == sorted(wanted)
    assert gated == {
        name for name in wanted if name.startswith(("artifactregistry.", "logging.", "monitoring.", "run."))
    }


def test_the_gateway_is_apart() -> None:
    """What Connect Gateway asks for stands in a section of its own, which is granted only where it is asked for."""
    assert listed("connect_gateway") == list(ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
    assert not set(listed("connect_gateway")) & set(listed("iam"))


def test_signing_is_apart() -> None:
    """What signing asks for is granted only where a key is made or given, and is what the signer itself says."""
    assert listed("signing") == [ASYMMETRIC_SIGN.permission]
    assert not set(listed("signing")) & set(listed("iam"))


def test_cloud_run_is_apart() -> None:
    """What evidence of Cloud Run asks for only reads; what changes it is another account's."""
    assert {name.rpartition(".")[2] for name in listed("cloud_run_projects")} == {"get", "list", "getIamPolicy"}
    assert not [name for name in listed("iam") if name.startswith("run.")]
    assert not [name for name in listed("cloud_run_writes") if not is_run_write(name)]


def test_the_sink_is_apart() -> None:
    """What doctor asks of the collector's log is granted only where there is one, and is what it itself says."""
    assert listed("collector_image") == [GET_SINK.permission]


def test_the_external_system_is_apart() -> None:
    """What shows a case beside its finding is granted only where that is asked for, and mutes nothing."""
    assert listed("external_system") == [UPDATE.permission]
    assert not set(listed("external_system")) & set(listed("iam"))


def test_the_contacts_are_apart() -> None:
    """What reads a project's contacts is granted only where that is asked for, and is what the adapter names."""
    assert listed("essential_contacts") == [EssentialContacts.call.permission]
    assert not set(listed("essential_contacts")) & set(listed("iam"))


def test_the_source_says_what_the_registry_asks_for() -> None:
    """The permission that the source declares is the one that the adapter names where it is missing."""
    assert [permission.name for permission in image.permissions] == [ArtifactRegistry.call.permission]


WRITING = {"privilege/cloud_run_writes", "privilege/undo_operators", "privilege/console_undo"}
"""The runs that ask for changes of Cloud Run."""


def test_policies_ask_and_variables_allow(terraform: Terraform) -> None:
    """What policies ask of Cloud Logging, Artifact Registry and Cloud Run is granted with its variable only."""
    folder = terraform.copied("asked-for")
    path = folder / "permissions.json"
    needs = needed_permissions.of_all_actions()
    path.write_text(iam_list(path, needs)[path])
    states = terraform.test(terraform.initialized(folder), "privilege").states()
    images = ["artifactregistry.repositories.downloadArtifacts"]
    entries = ["logging.logEntries.list", "logging.privateLogEntries.list"]
    reading_logs = {"privilege/cloud_logging", "privilege/cloud_monitoring"}
    for run, role, names in (("cloud_logging", "logs", entries), ("image_repositories", "images", images)):
        address = f'google_organization_iam_custom_role.reach["{role}"]'
        assert sorted(states[f"privilege/{run}"][address]["permissions"]) == names
        others = [state for other, state in states.items() if other not in {f"privilege/{run}", *reading_logs}]
        assert not [state for state in others if names[0] in state.get(address, {}).get("permissions", ())]
    for run in (*sorted(reading_logs), "privilege/image_repositories", "privilege/cloud_run_writes"):
        grants_are_exactly_these(states[run])
        only_one_changes_cloud_run(states[run])
    granted = grants.grants(states["privilege/image_repositories"])
    assert {where for where, role, _ in granted if role.endswith("_images")} == {"repository/gcr.io", "repository/web"}
    changing = states["privilege/cloud_run_writes"]
    writes = changing["google_organization_iam_custom_role.run_writer[0]"]["permissions"]
    assert sorted(writes) == sorted(need.permission for need in needs if is_run_write(need.permission))
    written = {where for where, role, _ in grants.grants(changing) if role.endswith("_run_writer")}
    assert written == {"project/shop-test"}
    assert not [run for run in states if run_writers(states[run]) and run not in WRITING]


def run_writers(state: State) -> list[str]:
    """What has to do with who changes Cloud Run."""
    return [address for address in state if ".run_writer" in address]


def test_a_permission_that_nobody_can_take_back_is_refused(terraform: Terraform) -> None:
    """The module stops where the list has more for the second account than it knows to be safe."""
    folder = terraform.copied("unsafe-write")
    path = folder / "permissions.json"
    document = json.loads(path.read_text())
    document["cloud_run_writes"] = [{"permission": "run.services.delete"}, {"permission": "run.services.update"}]
    path.write_text(json.dumps(document))
    tested = terraform.test(terraform.initialized(folder), "privilege")
    assert tested.runs["privilege/cloud_run_writes"] == "error"
    assert "run.services.delete are not granted by this module" in json.dumps(tested.events)


def listed(section: str) -> list[str]:
    """The permissions in one section of permissions.json."""
    return [need["permission"] for need in json.loads((MODULE / "permissions.json").read_text())[section]]
