"""Who doctor is, to Google and to an API server."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.responder_identity import OTHER, examine_identity, examine_user


class Knows:
    """An API server that knows the caller as `username`, or refuses to say."""

    def __init__(self, username: Any) -> None:
        self.username = username

    def create(self, _path: str, _body: object, *, dry_run: bool = False) -> dict[str, Any]:
        if isinstance(self.username, Exception):
            raise self.username
        return {"status": {"userInfo": {"username": self.username}}}


@pytest.mark.parametrize(
    ("username", "result", "reason"),
    [
        ("run@example.com", CheckResult.OK, ""),
        ("ann@example.com", CheckResult.FAULT, OTHER),
        ("RUN@example.com", CheckResult.FAULT, OTHER),
        ("100000000000000000000", CheckResult.UNKNOWN, "caller_not_known"),
        ("", CheckResult.UNKNOWN, "caller_not_known"),
        (None, CheckResult.UNKNOWN, "caller_not_known"),
        (ApiError(Reason.KUBERNETES_FORBIDDEN, "no"), CheckResult.UNKNOWN, "caller_not_known"),
        (ApiError(Reason.NO_SUCH_RESOURCE, "no"), CheckResult.UNKNOWN, "caller_not_known"),
    ],
)
def test_rbac_names_are_compared_exactly(username: Any, result: CheckResult, reason: str) -> None:
    """RBAC compares names letter by letter; a number, or nothing, is compared with nothing."""
    api: Any = Knows(username)
    check = examine_user(api, "prod-1", "run@example.com")
    assert (check.result, check.reason) == (result, reason)


def test_user_out_of_reach() -> None:
    """A server that is not reached is for whoever asked."""
    api: Any = Knows(ApiError(Reason.CLUSTER_UNREACHABLE, "away"))
    with pytest.raises(ApiError):
        examine_user(api, "prod-1", "run@example.com")


class Account:
    """Credentials of an account; an error is raised."""

    def __init__(self, email: Any) -> None:
        self.address = email

    def email(self) -> str:
        """See `Caller`."""
        if isinstance(self.address, ApiError):
            raise self.address
        return str(self.address)


@pytest.mark.parametrize(
    ("email", "identity", "result", "reason"),
    [
        ("run@example.com", "run@example.com", CheckResult.OK, ""),
        ("RUN@example.com", "run@Example.com", CheckResult.OK, ""),
        ("ann@example.com", "run@example.com", CheckResult.FAULT, OTHER),
        ("", "run@example.com", CheckResult.UNKNOWN, "caller_not_known"),
        ("run@example.com", "", CheckResult.UNKNOWN, "identity_not_named"),
        (ApiError(Reason.TIMEOUT, "late"), "run@example.com", CheckResult.UNKNOWN, "timeout"),
    ],
)
def test_google_accounts_are_compared_without_case(email: Any, identity: str, result: CheckResult, reason: str) -> None:
    """Another account than the function's is a fault; where nobody says who asks, that is unknown."""
    check = examine_identity(Account(email), identity)
    assert (check.result, check.reason) == (result, reason)
    assert bool(check.fix) is (result is not CheckResult.OK)
