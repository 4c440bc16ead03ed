"""Who asks at the HTTP edge, beyond what Cloud Run has checked: a person on this machine, or the scheduler."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.errors import Forbidden
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_this_machine
from scc_responder.pipeline.services import Services


def is_local(headers: Mapping[str, str], peer: str) -> bool:
    """Whether a program on this machine asks: neither another machine, nor a web page in a browser on this one."""
    host = headers.get("host", "").rpartition(":")[0].strip("[]")
    through = {"origin", "referer", "sec-fetch-site", "forwarded", "x-forwarded-for"} & headers.keys()
    is_json = headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    return is_json and not through and is_this_machine(peer) and (host == "localhost" or is_this_machine(host))


def bearer(headers: Mapping[str, str]) -> str:
    """The token in `Authorization`. Raises Forbidden `no_token`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Forbidden(Reason.NO_TOKEN, "the request has no bearer token in Authorization")
    return token.strip()


def check_sweeper(headers: Mapping[str, str], peer: str, services: Services) -> None:
    """Raises Forbidden unless the one who asks for a sweep is the identity that settings name.

    Cloud Scheduler can send one token only, which Cloud Run checks and hands on without its signature. Such a token is
    believed on Cloud Run alone, and only where it is the one that Cloud Run looked at, is not over and, if the function
    knows its own address, is for that. Invoking the function needs a permission already, and a sweep does only what is
    due anyway.
    """
    settings = services.settings
    if settings.trusts_this_machine:
        if not is_local(headers, peer):
            raise Forbidden(Reason.NOT_FROM_THIS_MACHINE, "set SCC_RESPONDER_SWEEPER to let another identity sweep")
        return
    if not settings.sweeper:
        raise Forbidden(Reason.SWEEP_NOT_CONFIGURED, "SCC_RESPONDER_SWEEPER is not set")
    token = bearer(headers)
    was_checked = settings.on_cloud_run and "x-serverless-authorization" not in headers
    email = services.checked_email(token) if was_checked else ""
    if (email or services.approvers.email(token)) != settings.sweeper.lower():
        raise Forbidden(Reason.NOT_THE_SWEEPER, "SCC_RESPONDER_SWEEPER names another identity")
