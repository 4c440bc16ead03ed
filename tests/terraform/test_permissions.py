"""What the module grants is what `scc-responder permissions` says of the shipped policies."""

from __future__ import annotations

import json

from scc_responder import permissions
from scc_responder.policy import load_policies
from tests.terraform.checking import MODULE, ROOT


def test_permissions_file() -> None:
    """permissions.json lists the IAM permissions that the enabled policies need, and no other."""
    needs = permissions.needed(permissions.enabled(load_policies(ROOT / "policies").policies))
    listed = [need["permission"] for need in json.loads((MODULE / "permissions.json").read_text())["iam"]]

    assert listed == sorted({need.permission for need in needs if not need.verb})
