"""What the module grants is what `scc-responder permissions` says of the shipped policies."""

from __future__ import annotations

import json

from scc_responder.adapters.google.kms_signer import ASYMMETRIC_SIGN
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench import needed_permissions
from tests.terraform.checking import MODULE, ROOT


def test_the_file_lists_exactly_what_policies_need() -> None:
    """permissions.json lists the IAM permissions that the enabled policies need, and no other."""
    needs = needed_permissions.needed(needed_permissions.enabled(load_policies(ROOT / "policies").policies))

    assert listed("iam") == sorted({need.permission for need in needs if not need.verb})


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


def listed(section: str) -> list[str]:
    """The permissions in one section of permissions.json."""
    return [need["permission"] for need in json.loads((MODULE / "permissions.json").read_text())[section]]
