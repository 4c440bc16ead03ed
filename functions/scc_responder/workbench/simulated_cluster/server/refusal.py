"""The API server's refusals, as `metav1.Status` bodies.

Source: k8s.io/apimachinery/pkg/api/errors; every word that clients look at is checked against a real API server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget


class Refusal(Exception):  # noqa: N818 - names the server's answer
    """A request that is answered with an error. `body` is its Status."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **({"reason": reason} if reason else {}),
            **({"details": details} if details else {}),
            "code": code,
        }


def unauthorized() -> Refusal:
    """401: no token, or one that nobody gave out."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> Refusal:
    """400: no JSON, or not the object that the path means."""
    return Refusal(400, "BadRequest", message)


def forbidden(target: RequestTarget, user: str, verb: str, why: str = "") -> Refusal:
    """403: no RBAC rule allows it, or admission refuses it, saying `why`."""
    place = f' in the namespace "{target.namespace}"' if target.namespace else " at the cluster scope"
    group, resource = target.rule
    rule = f'User "{user}" cannot {verb} resource "{resource}" in API group "{group}"{place}'
    return _about(target, 403, "Forbidden", f"{_quoted(target)} is forbidden: {why or rule}")


def no_such_path() -> Refusal:
    """404: the path means no kind and no subresource of one."""
    return Refusal(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed() -> Refusal:
    """405: the path means something, but not with this method."""
    return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def not_found(target: RequestTarget) -> Refusal:
    """404: no object of that name."""
    return _about(target, 404, "NotFound", f"{_quoted(target)} not found")


def already_exists(target: RequestTarget) -> Refusal:
    """409 on create: the name is taken."""
    return _about(target, 409, "AlreadyExists", f"{_quoted(target)} already exists")


def modified(target: RequestTarget) -> Refusal:
    """409 on patch: the resource version is not the one stored."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return _about(target, 409, "Conflict", f"Operation cannot be fulfilled on {_quoted(target)}: {why}")


def precondition_failed(target: RequestTarget, field: str, wanted: str, stored: str) -> Refusal:
    """409 on delete: a precondition does not hold."""
    why = f"the {field} in the precondition ({wanted}) does not match the {field} in record ({stored})"
    what = f'{target.resource.kind} "{target.name}"'
    return _about(target, 409, "Conflict", f"Operation cannot be fulfilled on {what}: {why}.")


def no_disruption_allowed(budget: str, needed: int, healthy: int) -> Refusal:
    """429 on eviction: the pod's disruption budget allows none now."""
    why = f"The disruption budget {budget} needs {needed} healthy pods and has {healthy} currently"
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return Refusal(429, "TooManyRequests", message, causes=[{"reason": "DisruptionBudget", "message": why}])


def several_budgets() -> Refusal:
    """500 on eviction: Kubernetes does not say which of several budgets counts."""
    why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    return Refusal(500, "", why)


def invalid(target: RequestTarget, causes: Sequence[tuple[str, str]]) -> Refusal:
    """422: fields (path, what is wrong) that no such object may have."""
    listed = ", ".join(f"{field}: {why}" for field, why in causes)
    details = {
        "name": target.name,
        "group": target.resource.group,
        "kind": target.resource.kind,
        "causes": [{"reason": "FieldValueInvalid", "message": why, "field": field} for field, why in causes],
    }
    return Refusal(422, "Invalid", f'{target.resource.kind} "{target.name}" is invalid: {listed}', **details)


def _about(target: RequestTarget, code: int, reason: str, message: str) -> Refusal:
    group = {"group": target.resource.group} if target.resource.group else {}
    return Refusal(code, reason, message, name=target.name, **group, kind=target.resource.plural)


def _quoted(target: RequestTarget) -> str:
    group = f".{target.resource.group}" if target.resource.group else ""
    return f'{target.resource.plural}{group} "{target.name}"'
