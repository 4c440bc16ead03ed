"""Who may do what: the RBAC of the simulated cluster, which is the one the deployment installs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from functools import cache

from scc_responder.workbench.needed_permissions import READING, Need, of_all_actions, of_undo, rule_of
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget

Rules = Mapping[tuple[str, str], frozenset[str]]
"""Verbs by API group and resource, which may be a subresource: `("", "pods/eviction")`."""


@cache
def rules() -> Mapping[str, Rules]:
    """The rules of each user. A user who is not listed may do everything.

    `responder` may do what every action together needs, `reader` what is reading of that, `undo` what takes it back.
    """
    verbs = _verbs(of_all_actions())
    reading = {rule: granted & READING for rule, granted in verbs.items()}
    return {"responder": verbs, "reader": reading, "undo": _verbs(of_undo())}


def _verbs(needs: Iterable[Need]) -> Rules:
    verbs: dict[tuple[str, str], frozenset[str]] = {}
    for need in needs:
        if need.verb:
            rule = rule_of(need.resource)
            verbs[rule] = verbs.get(rule, frozenset()) | {need.verb}
    return verbs


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


def allowed(user: str, verb: str, target: RequestTarget) -> bool:
    """Whether a rule lets this user do that."""
    granted = rules().get(user)
    return granted is None or verb in granted.get(target.rule, ())
