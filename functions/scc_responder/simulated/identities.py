"""Who may do what: the RBAC of the simulated cluster, which is the one the deployment installs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

READ: Mapping[str, frozenset[str]] = {
    "pods": frozenset({"get"}),
    "nodes": frozenset({"get"}),
    "namespaces": frozenset({"get"}),
    "events": frozenset({"list"}),
    "replicasets": frozenset({"get"}),
    "deployments": frozenset({"get"}),
    "statefulsets": frozenset({"get"}),
    "daemonsets": frozenset({"get"}),
    "jobs": frozenset({"get"}),
    "cronjobs": frozenset({"get"}),
    "networkpolicies": frozenset({"get", "list"}),
}
"""What the responder reads, by resource."""

_WRITE: Mapping[str, frozenset[str]] = {
    "pods": frozenset({"patch", "delete"}),
    "nodes": frozenset({"patch"}),
    "networkpolicies": frozenset({"create"}),
}

RULES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "responder": {resource: verbs | _WRITE.get(resource, frozenset()) for resource, verbs in READ.items()},
    "reader": READ,
}
"""Verbs by user and resource. A user who is not listed may do everything."""


class Identities:
    """Bearer tokens and whose they are. Tokens are random: they are good for this one cluster while it runs."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def token(self, user: str) -> str:
        """The token of a user, made at the first call."""
        return self._tokens.setdefault(user, secrets.token_urlsafe())

    def user(self, authorization: str) -> str:
        """Whose `Authorization` header this is; "" if nobody's."""
        return next((user for user, token in self._tokens.items() if authorization == f"Bearer {token}"), "")


def allowed(user: str, verb: str, resource: str) -> bool:
    """Whether a rule lets this user do that."""
    rules = RULES.get(user)
    return rules is None or verb in rules.get(resource, ())
