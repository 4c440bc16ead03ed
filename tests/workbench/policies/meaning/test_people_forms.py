"""How people and accounts are named: what IAM writes before an address is told, with the address to write."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policies.meaning.people_forms import approver_mistake, principal_mistake

ROBOT = "deployer@example-project.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    "pattern",
    [
        "break-glass@example.com",
        ROBOT,
        "*@example.com",
        "*@*.iam.gserviceaccount.com",
        "system:serviceaccount:shop:default",
        "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p.svc.id.goog/subject/*",
        "*",
        "client",
    ],
)
def test_who_may_be_in_a_finding(pattern: str) -> None:
    """Addresses, Kubernetes' own names and workforce subjects."""
    assert principal_mistake(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (f"serviceAccount:{ROBOT}", f"write '{ROBOT}'"),
        ("SERVICEACCOUNT:a@example.com", "write 'a@example.com'"),
        ("user:ann@example.com", "write 'ann@example.com'"),
        ("group:sec@example.com", "never group; list them one by one"),
        ("domain:example.com", "never domain; list them"),
        ("principalSet://iam.googleapis.com/x", "never principalset"),
        ("allAuthenticatedUsers", "never allauthenticatedusers"),
        ("deleted:user:ann@example.com?uid=1", "the account is gone; remove it"),
        ("ann@example_com", "write an e-mail address, *@example.com"),
        ("ann@example.com/x", "write an e-mail address"),
        ("ann@", "write an e-mail address"),
        ("a b@example.com", "write an e-mail address"),
    ],
)
def test_who_is_in_no_finding(pattern: str, told: str) -> None:
    """What can fit nobody is told with the right form."""
    said = principal_mistake(pattern)
    assert "can never match" in said
    assert told in said


@pytest.mark.parametrize("approver", ["oncall@example.com", "Ann@Example.com", ROBOT])
def test_who_may_approve(approver: str) -> None:
    """Each by an address of their own."""
    assert approver_mistake(approver) == ""


@pytest.mark.parametrize(
    ("approver", "told"),
    [
        ("oncall", "is nobody; write an e-mail address"),
        ("group:sec@example.com", "one person answers, by an e-mail address, never group"),
        ("user:ann@example.com", "write 'ann@example.com'"),
        ("*", "patterns are not read here; list each person's"),
        ("*@example.com", "patterns are not read here"),
        ("ann@localhost", "is nobody"),
        ("ann@example.com, bob@example.com", "is nobody"),
    ],
)
def test_who_can_never_approve(approver: str, told: str) -> None:
    """An entry that is nobody's address waits for ever."""
    assert told in approver_mistake(approver)
