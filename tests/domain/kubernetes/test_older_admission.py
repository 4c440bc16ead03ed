"""An older admission policy is recognised by its own words."""

from __future__ import annotations

import pytest

from scc_responder.adapters.kubernetes.api_errors import ApiRequest, ApiResponse, kubernetes_failure
from scc_responder.domain.kubernetes.older_admission import OlderRule, refuses

ISOLATES, ARMS = OlderRule


def denied(words: str, policy: str = "scc-responder-acts") -> ApiResponse:
    message = f"pods is forbidden: ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: {words}"
    body = f'{{"kind": "Status", "message": "{message}", "reason": "Invalid", "code": 422}}'
    return ApiResponse(status=422, body=body.encode())


@pytest.mark.parametrize(
    ("answer", "rule", "expected"),
    [
        pytest.param(denied(ISOLATES), ISOLATES, True, id="isolates"),
        pytest.param(denied(ARMS), ARMS, True, id="arms"),
        pytest.param(denied(ISOLATES), ARMS, False, id="another-rule"),
        pytest.param(denied(ARMS, "scc-responder-acts-shop"), ARMS, True, id="another-name-of-ours"),
        pytest.param(denied(ARMS, "somebody"), ARMS, False, id="another-policy"),
        pytest.param(denied("the namespace is protected"), ISOLATES, False, id="a-rule-that-stayed"),
        pytest.param(ApiResponse(status=403), ISOLATES, False, id="rbac"),
    ],
)
def test_an_older_rule_is_recognised(answer: ApiResponse, rule: OlderRule, expected: bool) -> None:
    """Only our own policy, and only the rule that this version no longer has."""
    error = kubernetes_failure(ApiRequest(method="DELETE", path="/api/v1/namespaces/shop/pods/web-1"), answer)
    assert refuses(error, rule) is expected
