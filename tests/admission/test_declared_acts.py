"""The list of acts in admission.yaml follows from what the kinds of change declare, or the missing line is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
import yaml

from scc_responder.domain.permissions import Permission, Permissions, Tier, acts, forensic, observes
from scc_responder.workbench.needed_permissions import Need, of_all_actions, of_undo
from tests.docs.examples import ROOT

FILE = "terraform/kubernetes/admission.yaml"
CHANGING = frozenset({Tier.ACT, Tier.FORENSIC})
OPERATIONS = {
    "create": "CREATE",
    "patch": "UPDATE",
    "update": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
"""What admission calls a request of this verb."""
CONNECTED = frozenset({"attach", "exec", "portforward", "proxy"})
"""Subresources that a request connects to, whatever its verb."""


def act_of(permission: Permission) -> str:
    """The act as `variables.act` of the admission policy spells it: `CREATE pods/eviction`."""
    connects = permission.name.rpartition("/")[2] in CONNECTED
    return f"{'CONNECT' if connects else OPERATIONS[permission.verb]} {permission.name}"


def declared_acts(permissions: Iterable[Permission]) -> set[str]:
    """Everything that may be asked of the API server beyond reading."""
    return {act_of(permission) for permission in permissions if permission.tier in CHANGING}


def mistakes(declared: set[str], listed: Sequence[str], rules: Sequence[str], file: str = FILE) -> Iterator[str]:
    """What the admission policy lacks, or has beyond what is declared: each with its file and line."""
    for act in sorted(declared - set(listed)):
        yield f"{file}: add '{act}' to the list after `variables.act in`"
    for act in sorted(declared & set(listed)):
        if not any(f"'{act}'" in rule for rule in rules):
            yield f"{file}: add a rule that begins with `variables.act != '{act}' ||`"
    for act in sorted(set(listed) - declared):
        yield f"{file}: take '{act}' out of the list: no kind of change declares it"


def admission(file: str) -> tuple[Sequence[str], Sequence[str]]:
    """The acts that a shipped policy lists, and its other expressions."""
    spec = next(yaml.safe_load_all((ROOT / file).read_text()))["spec"]
    first, *others = [rule["expression"] for rule in spec["validations"]]
    return re.findall(r"'([^']+)'", first), others


POLICIES = [
    pytest.param(FILE, of_all_actions, id="responder"),
    pytest.param("terraform/kubernetes/undo/admission.yaml", of_undo, id="undo"),
]


@pytest.mark.parametrize(("file", "needs"), POLICIES)
def test_every_declared_act_is_admitted_under_a_rule(file: str, needs: Callable[[], Sequence[Need]]) -> None:
    """What all actions, or all undos, may change is what the admission policy lets through, no less and no more."""
    permissions = [Permission(name=need.resource, verb=need.verb, tier=need.tier) for need in needs()]
    assert list(mistakes(declared_acts(permissions), *admission(file), file)) == []


DECLARED = [
    pytest.param(acts("pods", "patch"), {"UPDATE pods"}, id="patch"),
    pytest.param(acts("leases.coordination.k8s.io", "update"), {"UPDATE leases.coordination.k8s.io"}, id="update"),
    pytest.param(acts("pods/eviction", "create"), {"CREATE pods/eviction"}, id="subresource"),
    pytest.param(acts("deployments.apps/scale", "patch"), {"UPDATE deployments.apps/scale"}, id="of-a-group"),
    pytest.param(forensic("pods/ephemeralcontainers", "patch"), {"UPDATE pods/ephemeralcontainers"}, id="forensic"),
    pytest.param(forensic("pods/exec", "create"), {"CONNECT pods/exec"}, id="connection"),
    pytest.param(observes("pods", "get", "list"), set(), id="reading"),
]


@pytest.mark.parametrize(("permissions", "expected"), DECLARED)
def test_an_act_is_spelled_as_admission_does(permissions: Permissions, expected: set[str]) -> None:
    """The operation follows from the verb; what only reads is no act."""
    assert declared_acts(permissions) == expected


LACKING = [
    pytest.param(["A"], ["B"], ["'A'", "'B'"], ["add 'A' to the list", "take 'B' out of the list"], id="other-act"),
    pytest.param(["A"], ["A"], ["'AB'"], ["add a rule that begins with `variables.act != 'A' ||`"], id="no-rule"),
    pytest.param(["A"], ["A"], ["variables.act != 'A'"], [], id="as-declared"),
]


@pytest.mark.parametrize(("declared", "listed", "rules", "told"), LACKING)
def test_the_missing_line_is_named(declared: list[str], listed: list[str], rules: list[str], told: list[str]) -> None:
    """Whoever declares another act reads which line to add, and in which file."""
    found = list(mistakes(set(declared), listed, rules))
    assert len(found) == len(told)
    assert all(line.startswith(f"{FILE}: {words}") for line, words in zip(found, told, strict=True))
