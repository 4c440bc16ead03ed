"""Errors carry what their catchers need."""

from __future__ import annotations

import pytest

from scc_responder.domain import errors
from scc_responder.domain.reasons import Reason


def test_a_reason_stands_in_for_a_message() -> None:
    """An error without words of its own is told by its reason."""
    assert str(errors.RetryableError(Reason.DEADLINE)) == "deadline"
    assert str(errors.RetryableError(Reason.DEADLINE, "no time left")) == "no time left"


def test_each_error_keeps_its_facts() -> None:
    """What was given is there, with the defaults of what was not."""
    policy = errors.PolicyError("invalid_policy", faults=("f",))
    rejected = errors.RejectedMessage(Reason.NOT_JSON, sha256="ab", message_id="1")
    oversize = errors.OversizeMessage(Reason.TOO_LARGE, sha256="ab", finding_name="f")
    api = errors.ApiError("forbidden", status=403, permission="pods: get", retry_after_seconds=2.0)
    assert (policy.faults, rejected.sha256, rejected.message_id) == (("f",), "ab", "1")
    assert (oversize.finding_name, oversize.message_id) == ("f", "")
    assert (api.status, api.permission, api.body_reason, api.retry_after_seconds) == (403, "pods: get", "", 2.0)


@pytest.mark.parametrize(
    ("error", "above"),
    [
        (errors.OutcomeUnknown, errors.ApiError),
        (errors.AlreadyExists, errors.StoreError),
        (errors.StoreOutcomeUnknown, errors.StoreUnavailable),
        (errors.StoreUnavailable, errors.StoreError),
        (errors.PolicyError, errors.ResponderError),
    ],
)
def test_the_tree_is_as_drawn(error: type[Exception], above: type[Exception]) -> None:
    """Whoever catches the upper one catches the lower one too."""
    assert issubclass(error, above)


@pytest.mark.parametrize(
    ("permission", "explanation"),
    [("pods: get", "missing permission: pods: get"), ("", "refused")],
    ids=["iam", "none"],
)
def test_an_explanation_names_the_missing_permission(permission: str, explanation: str) -> None:
    """A person can grant a permission; where none is missing, the message is all there is."""
    assert errors.ApiError(Reason.NOT_FOUND, "refused", permission=permission).explanation == explanation


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(errors.ApiError(Reason.TOO_LARGE, status=413), True, id="413"),
        pytest.param(errors.ApiError(Reason.INVALID, status=422), True, id="422"),
        pytest.param(errors.ApiError(Reason.OBJECT_FULL, status=413), True, id="an object that etcd does not store"),
        pytest.param(errors.ApiError(Reason.OVERSIZE_ANSWER), True, id="an answer over the limit"),
        pytest.param(errors.ApiError(Reason.PARTIAL_LIST), True, id="a list over the limit"),
        pytest.param(errors.ApiError(Reason.NODE_NOT_ANSWERING, status=500), True, id="a node that is silent"),
        pytest.param(errors.ApiError(Reason.SERVER_ERROR, "request is too large", status=500), False, id="words"),
        pytest.param(errors.ApiError(Reason.SERVER_ERROR, "etcd has no leader", status=500), False, id="500"),
        pytest.param(errors.ApiError(Reason.THROTTLED, status=429), False, id="429"),
        pytest.param(errors.ApiError(Reason.SERVER_ERROR, status=503), False, id="503"),
        pytest.param(errors.ApiError(Reason.CLUSTER_UNREACHABLE), False, id="unreachable"),
    ],
)
def test_some_answers_are_about_the_object_itself(error: errors.ApiError, *, expected: bool) -> None:
    """Those that come of its size, form or node; the others say nothing about it."""
    assert error.is_about_object is expected
