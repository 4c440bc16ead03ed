"""Whether doctor runs with the function's identity: another identity's permissions prove nothing."""

from __future__ import annotations

from typing import Protocol

from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.check import LOGIN, Check, fault, ok, unknown
from scc_responder.workbench.doctor.deployed import given

OTHER = "other_identity"
_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_UNTOLD = frozenset({Reason.KUBERNETES_FORBIDDEN, Reason.NOT_FOUND, Reason.NO_SUCH_RESOURCE})
"""Reasons for no SelfSubjectReview: Kubernetes before 1.28 has none, and a cluster's owner may forbid it."""
_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


class Caller(Protocol):
    """Whose credentials doctor has."""

    def email(self) -> str:
        """The address of the account; "" where nobody says it. Raises ApiError."""


def examine_identity(caller: Caller, identity: str) -> Check:
    """Who doctor is to Google, against `identity`, the function's service account."""
    name = "identity"
    if not identity:
        why = "who the function is, is not known here"
        return unknown(name, f"{VARIABLE_PREFIX}IDENTITY", "identity_not_named", why, given("IDENTITY"))
    try:
        email = caller.email()
    except ApiError as error:
        return unknown(name, identity, error.reason, f"nobody says who asks: {error}", LOGIN)
    if not email:
        return unknown(name, identity, "caller_not_known", "Google does not say whose credentials these are", LOGIN)
    if email.lower() == identity.lower():
        return ok(name, identity)
    why = f"doctor asks as {email}: what follows is true of that account, and not of the function"
    return fault(name, identity, OTHER, why, LOGIN)


def examine_user(api: KubernetesApi, path: str, username: str) -> Check:
    """Who doctor is to one API server: RBAC and the admission policies know the function as `username`.

    Raises ApiError where the server is not reached.
    """
    name = "cluster.identity"
    try:
        told = username_of(api)
    except ApiError as error:
        if error.reason not in _UNTOLD:
            raise
        why = f"this API server does not say who asks: {error}"
        return unknown(name, path, "caller_not_known", why, LOGIN)
    if told == username:
        return ok(name, path, told)
    if not told or told.isdecimal():
        why = f"the API server knows the caller as {told or 'nobody'}, not by an address"
        return unknown(name, path, "caller_not_known", why, LOGIN)
    why = f"the API server knows doctor as {told}: permissions and admission are that user's, not the function's"
    return fault(name, path, OTHER, why, LOGIN)


def username_of(api: KubernetesApi) -> str:
    """Doctor's user name at an API server; "" if it does not say. Raises ApiError."""
    status = api.create(_REVIEWS, _REVIEW).get("status")
    user = status.get("userInfo") if isinstance(status, dict) else None
    told = user.get("username") if isinstance(user, dict) else None
    return told if isinstance(told, str) else ""
