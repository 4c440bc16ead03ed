"""Refusals in the API server's own words."""

from __future__ import annotations

import pytest

from scc_responder.workbench.simulated_cluster.server import refusal
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget

POD = RequestTarget(resource=BY_KIND["Pod"], namespace="shop", name="web-1")
WEB = RequestTarget(resource=BY_KIND["Deployment"], namespace="shop", name="web")
NODE = RequestTarget(resource=BY_KIND["Node"], name="n")

REFUSALS = [
    (refusal.unauthorized(), 401, "Unauthorized", "Unauthorized"),
    (refusal.bad_request("no JSON"), 400, "BadRequest", "no JSON"),
    (refusal.forbidden(POD, "ann", "get"), 403, "Forbidden", 'User "ann" cannot get resource "pods"'),
    (refusal.forbidden(NODE, "ann", "get"), 403, "Forbidden", "at the cluster scope"),
    (refusal.forbidden(POD, "ann", "patch", "not here"), 403, "Forbidden", 'pods "web-1" is forbidden: not here'),
    (refusal.not_found(WEB), 404, "NotFound", 'deployments.apps "web" not found'),
    (refusal.already_exists(POD), 409, "AlreadyExists", 'pods "web-1" already exists'),
    (refusal.modified(POD), 409, "Conflict", "please apply your changes to the latest version"),
    (refusal.precondition_failed(POD, "UID", "a", "b"), 409, "Conflict", "the UID in the precondition (a)"),
    (refusal.invalid(POD, [("spec", "wrong")]), 422, "Invalid", 'Pod "web-1" is invalid: spec: wrong'),
]


@pytest.mark.parametrize(("refused", "code", "reason", "told"), REFUSALS)
def test_a_refusal_is_a_status(refused: Refusal, code: int, reason: str, told: str) -> None:
    """Code, reason and message, in the error as in the body."""
    assert (refused.code, refused.body["code"], refused.body["reason"]) == (code, code, reason)
    assert told in str(refused)
    assert refused.body["message"] == str(refused)
    assert (refused.body["kind"], refused.body["status"]) == ("Status", "Failure")


def test_details_name_the_object() -> None:
    """With its group, where it has one, and each wrong field."""
    assert refusal.not_found(WEB).body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert refusal.not_found(POD).body["details"] == {"name": "web-1", "kind": "pods"}
    (cause,) = refusal.invalid(POD, [("spec", "wrong")]).body["details"]["causes"]
    assert cause == {"reason": "FieldValueInvalid", "message": "wrong", "field": "spec"}
