"""Who doctor is, to Google and to an API server."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.responder_identity import OTHER, examine_user


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
