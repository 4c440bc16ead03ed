"""What a refused, missing or unusable answer of an API server means: only `kubernetes_failure` decides it.

Sources: k8s.io/apimachinery `metav1.Status` and `StatusReason`; urllib3's exceptions.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError, TimeoutError  # noqa: A004 - its name

from scc_responder.domain.errors import GKE_WARDEN, ApiError, OutcomeUnknown
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.domain.value import Value, read_json

MESSAGE_LENGTH = 300
"""Most characters of a server's message that are quoted in ours."""

_REASONS = {
    400: Reason.BAD_REQUEST,
    401: Reason.KUBERNETES_UNAUTHENTICATED,
    403: Reason.KUBERNETES_FORBIDDEN,
    404: Reason.NOT_FOUND,
    409: Reason.CONFLICT,
    410: Reason.GONE,
    413: Reason.TOO_LARGE,
    422: Reason.INVALID,
    429: Reason.THROTTLED,
}
_WEBHOOK = re.compile(r'admission webhook "([A-Za-z0-9.-]+)" (?:denied the request|does not support dry run)')
_WARDEN = re.compile(r"GKE Warden|admission webhook \"warden-[a-z0-9.-]+\" denied the request")
_POLICY = re.compile(r"ValidatingAdmissionPolicy '([A-Za-z0-9.-]+)'(?: with binding '[A-Za-z0-9.-]+')? denied request")
_QUOTA = re.compile(r"(?:exceeded|failed|status unknown for) quota: ([a-z0-9.-]+)|insufficient quota to match")
_TERMINATING = re.compile(r"because it is being terminated")
_DENIED = re.compile(r"ValidatingAdmissionPolicy|denied the request|denied request|violates PodSecurity")
_BY_ADMISSION = re.compile(r' is forbidden: (?!User ")')
"""A refusal of an admission plugin of the API server's own: RBAC says which user may not."""
_REFUSED_BY_IAM = re.compile(r"[Pp]ermission '?((?:container|gkehub)\.[A-Za-z.]{1,80}[A-Za-z])'? denied", re.ASCII)
_REFUSALS = (
    (_WARDEN, Reason.GKE_WARDEN_DENIED),
    (_WEBHOOK, Reason.ADMISSION_WEBHOOK_DENIED),
    (_DENIED, Reason.ADMISSION_DENIED),
    (_TERMINATING, Reason.NAMESPACE_TERMINATING),
    (_QUOTA, Reason.QUOTA_EXCEEDED),
    (_BY_ADMISSION, Reason.ADMISSION_DENIED),
)
"""Whose refusal the API server's words tell of. The first that matches: a webhook may quote the others."""
_FULL = re.compile(r"etcdserver: request is too large|trying to send message larger than max")
"""What etcd, or the API server's own client of it, says of an object that is larger than what it stores (1.5 MiB)."""
_SEVERAL_BUDGETS = re.compile(r"more than one PodDisruptionBudget")
"""What the API server says of an eviction where several budgets select the pod: nothing was done."""
_RETRY_AFTER_LIMIT = 3600.0


class ApiRequest(Value, frozen=True, kw_only=True):
    """What was asked for. `path` has no query. No more than `most_bytes` of an answer are read."""

    method: str
    path: str
    most_bytes: int = 16 * 1024 * 1024

    @property
    def writes(self) -> bool:
        """Whether it may have changed something if it was sent."""
        return self.method != "GET"


class ApiResponse(Value, frozen=True, kw_only=True):
    """A complete HTTP answer."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class UnusableResponse(Exception):  # noqa: N818 - a fact about an answer
    """The answer was no JSON object, or larger than what is read. `reason` is the word for the record."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Status(Value, frozen=True, kw_only=True):
    """metav1.Status, as far as it is used."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    details: Any = None


def kubernetes_failure(request: ApiRequest, cause: ApiResponse | Exception) -> ApiError:
    """The error to raise for an answer that is no success, or for the exception that came instead of one.

    A write that was sent and got no answer, half an answer or a 5xx is `OutcomeUnknown`; all else is `ApiError`.
    """
    return _refused(request, cause) if isinstance(cause, ApiResponse) else _unanswered(request, cause)


def _refused(request: ApiRequest, answer: ApiResponse) -> ApiError:
    status = _status_of(answer)
    if answer.status >= 500 and request.writes and _FULL.search(status.message):
        return ApiError(Reason.OBJECT_FULL, _message(request, answer, status), status=413)
    if answer.status >= 500 and _SEVERAL_BUDGETS.search(status.message):
        return ApiError(Reason.SEVERAL_DISRUPTION_BUDGETS, _message(request, answer, status), status=400)
    if answer.status >= 500 and request.writes and not _WEBHOOK.search(status.message):
        return OutcomeUnknown(Reason.SERVER_ERROR, _message(request, answer, status), status=answer.status)
    reason, code = _meaning(answer.status, status)
    return ApiError(
        reason,
        _message(request, answer, status),
        status=code,
        body_reason=status.reason,
        refused_by=_refused_by(status.message),
        rule=_rule(status.message),
        permission=api_paths.permission(request.method, request.path) if reason == Reason.KUBERNETES_FORBIDDEN else "",
        retry_after_seconds=_retry_after(answer),
    )


def _meaning(code: int, status: Status) -> tuple[Reason, int]:
    """The reason word, and the HTTP status as the port defines it."""
    refusal = _refusal(code, status)
    if refusal:
        return refusal, code
    if code == 404 and status.reason != "NotFound":
        return Reason.NO_SUCH_RESOURCE, 0  # a load balancer's 404 must not prove that a pod is gone
    if code == 422 and "metadata.uid" in _causes(status, "field"):
        return Reason.CONFLICT, 409  # the condition on the UID did not hold: the object was replaced
    if code == 429 and "DisruptionBudget" in _causes(status, "reason"):
        return Reason.DISRUPTION_BUDGET, code
    if 300 <= code < 400:
        return Reason.REDIRECT_REFUSED, code
    return _REASONS.get(code, Reason.SERVER_ERROR if code >= 500 else Reason.UNEXPECTED_STATUS), code


def _refusal(code: int, status: Status) -> Reason | None:
    """Why, where it was neither RBAC nor the object: a webhook chooses the code of its refusal itself."""
    if code not in {400, 403, 422} and not _WEBHOOK.search(status.message):
        return None
    if "NamespaceTerminating" in _causes(status, "reason"):
        return Reason.NAMESPACE_TERMINATING
    found = (reason for pattern, reason in _REFUSALS if pattern.search(status.message))
    reason = next(found, None)
    return reason if code == 403 or reason is None or reason.is_of_admission else None


def _refused_by(message: str) -> str:
    """What a server's own words name as what refused."""
    if _WARDEN.search(message):
        return GKE_WARDEN
    patterns = (_WEBHOOK, _POLICY, _QUOTA, _REFUSED_BY_IAM)
    named = next(filter(None, (pattern.search(message) for pattern in patterns)), None)
    return (named[1] or "") if named else ""


def _rule(message: str) -> str:
    """The message of the admission policy's rule that refused; empty where no policy did."""
    policy = _POLICY.search(message)
    return message[policy.end() :].removeprefix(": ") if policy else ""


def _causes(status: Status, key: str) -> set[str]:
    return {str(cause.get(key)) for cause in _listed_causes(status)}


def _said(status: Status, reason: str) -> Iterator[str]:
    """What the causes with this reason say."""
    return (str(cause.get("message") or "") for cause in _listed_causes(status) if cause.get("reason") == reason)


def _listed_causes(status: Status) -> Iterator[Mapping[str, Any]]:
    causes = status.details.get("causes") if isinstance(status.details, dict) else None
    return (cause for cause in (causes if isinstance(causes, list) else ()) if isinstance(cause, dict))


def _unanswered(request: ApiRequest, error: Exception) -> ApiError:
    reason = _silence(error)
    message = f"{request.method} {request.path}: {type(error).__name__}"
    if request.writes and not _never_sent(error):
        return OutcomeUnknown(reason, message)
    return ApiError(reason, message)


def _silence(error: Exception) -> Reason:
    if isinstance(error, UnusableResponse):
        return error.reason
    if _untrusted(error):
        return Reason.UNTRUSTED_CERTIFICATE
    return Reason.TIMEOUT if isinstance(error, TimeoutError) and not _never_sent(error) else Reason.CLUSTER_UNREACHABLE


def _never_sent(error: Exception) -> bool:
    return isinstance(error, NewConnectionError | ConnectTimeoutError) or _untrusted(error)


def _untrusted(error: Exception) -> bool:
    """Whether the server's certificate was refused, which ends the handshake before the request."""
    causes = (error, *error.args) if isinstance(error, SSLError) else (error,)
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


def _status_of(answer: ApiResponse) -> Status:
    try:
        status = read_json(answer.body, Status)
    except msgspec.DecodeError:
        return Status()
    return status if status.kind == "Status" else Status()


def _message(request: ApiRequest, answer: ApiResponse, status: Status) -> str:
    # The server begins with the object's name, which may be long; whose refusal it is must not be cut off.
    whose = next(filter(None, (pattern.search(status.message) for pattern in (_WEBHOOK, _POLICY, _QUOTA))), None)
    words = status.message[whose.start() :] if whose else status.message
    budget = next(iter(_said(status, "DisruptionBudget")), "")
    said = f": {visible(' '.join(filter(None, (words, budget))), MESSAGE_LENGTH)}" if words else ""
    return f"{request.method} {request.path}: HTTP {answer.status}{said}"


def _retry_after(answer: ApiResponse) -> float:
    said = {name.lower(): value for name, value in answer.headers.items()}.get("retry-after", "").strip()
    return min(float(said), _RETRY_AFTER_LIMIT) if said.isascii() and said.isdigit() else 0.0
