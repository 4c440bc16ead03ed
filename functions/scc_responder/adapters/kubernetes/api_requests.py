"""Requests to one API server as the responder: with its token, once more where that was refused, and within a time.

Nothing is repeated otherwise and no redirect is followed; what each failure means is decided in
`api_errors.kubernetes_failure`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import HTTPError

from scc_responder.adapters.acting_case import user_agent
from scc_responder.adapters.kubernetes.answering import Answering
from scc_responder.adapters.kubernetes.api_errors import ApiRequest, ApiResponse, UnusableResponse, kubernetes_failure
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

JSON = "application/json"

_CHUNK = 256 * 1024
_MOST_REFUSAL_BYTES = 1024 * 1024
_TEXT = "text/plain"
_SAFE_PATH = re.compile(r"/apis?(?:/[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)*", re.ASCII)


class TokenSource(Value, frozen=True, kw_only=True):
    """How requests say who sends them. `renew` is asked once for another token than the refused one."""

    token: Callable[[], str]
    renew: Callable[[str], str] | None = None


class Content(Value, frozen=True, kw_only=True):
    """The body of a request, and of which type it is."""

    body: Mapping[str, Any]
    content_type: str = JSON


class ApiRequests:
    """Sends requests to the API server at `url`.

    `timeout_seconds` bounds connecting, sending, and then each answer from its first byte to its last.
    """

    def __init__(
        self,
        url: str,
        rest: RESTClientObject,
        headers: Mapping[str, str],
        identity: TokenSource,
        timeout_seconds: float,
    ) -> None:
        self._rest = rest
        self._headers = headers
        self._identity = identity
        self._timeout_seconds = timeout_seconds
        self.address = url
        self.answering = Answering()

    def close(self) -> None:
        """Close the kept connections."""
        self._rest.close()

    def answer(self, request: ApiRequest, query: Mapping[str, str], content: Content | None) -> bytes:
        """The whole body of a success. Raises ApiError, OutcomeUnknown."""
        answer: ApiResponse = self._authenticated(
            request, query, content, lambda: self._timeout_seconds, lambda response: _read(response, request.most_bytes)
        )
        if not 200 <= answer.status < 300:
            raise kubernetes_failure(request, answer)
        return answer.body

    def stream(self, request: ApiRequest, query: Mapping[str, str], seconds: float) -> Iterator[bytes]:
        """The text of a success, piece by piece as it comes, within so many seconds in all.

        Raises ApiError: `timeout` where it had not ended by then, `oversize_answer`, `unusable_answer` for what is no
        text. What was yielded before came whole. The connection is closed where the caller stops early.
        """
        until = time.monotonic() + seconds
        response = self._authenticated(request, query, None, lambda: until - time.monotonic(), lambda opened: opened)
        try:
            yield from _pieces(request, response)
        except (HTTPError, UnusableResponse) as error:
            raise kubernetes_failure(request, error) from None
        finally:
            response.close()

    def _authenticated(
        self,
        request: ApiRequest,
        query: Mapping[str, str],
        content: Content | None,
        seconds: Callable[[], float],
        take: Callable[[Any], Any],
    ) -> Any:
        """What `take` makes of the response, asked for again with a renewed token if the first was refused unread."""
        if not _SAFE_PATH.fullmatch(request.path):
            raise ApiError(Reason.INVALID_NAME, "the path of a Kubernetes object has a character that none may have")
        url = f"{self.address}{request.path}" + (f"?{urlencode(query)}" if query else "")
        token = self._identity.token()
        answer = self._send(request, url, self._headers_with(token, content), content, seconds(), take=take)
        if answer.status != 401 or self._identity.renew is None:
            return answer
        renewed = self._identity.renew(token)
        return self._send(request, url, self._headers_with(renewed, content), content, seconds(), take=take)

    def _headers_with(self, token: str, content: Content | None) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        typed = {"Content-Type": content.content_type} if content else {}
        sender = {"User-Agent": user_agent(self._headers["User-Agent"])}
        return {**self._headers, **sender, **authorization, **typed}

    def _send(
        self,
        request: ApiRequest,
        url: str,
        headers: dict[str, str],
        content: Content | None,
        seconds: float,
        *,
        take: Callable[[Any], Any],
    ) -> Any:
        # The connection bounds an answer as a whole by the second of these (`one_write`).
        timeouts = (min(self._timeout_seconds, max(seconds, 0.001)), max(seconds, 0.001))
        body = content.body if content else None
        try:
            with self.answering.asked():
                opened = self._rest.request(request.method, url, headers=headers, body=body, _request_timeout=timeouts)
                return take(opened.response)
        except ApiException as error:  # the client's wrapping of a TLS error, which says where it happened
            raise kubernetes_failure(request, _wrapped(error)) from None
        except (HTTPError, UnusableResponse) as error:
            raise kubernetes_failure(request, error) from None


def _read(response: Any, most: int) -> ApiResponse:
    """The whole answer, or an exception: never half of one.

    With its last byte the connection goes back to the pool; one left in mid-answer is closed.
    """
    body = bytearray()
    try:
        while chunk := response.read1(_CHUNK):
            body += chunk
            _check_size(len(body), most)
    except BaseException:
        response.close()
        raise
    return ApiResponse(status=response.status, headers=dict(response.headers), body=bytes(body))


def _pieces(request: ApiRequest, response: Any) -> Iterator[bytes]:
    if not 200 <= response.status < 300:
        raise kubernetes_failure(request, _read(response, _MOST_REFUSAL_BYTES))
    if response.headers.get("Content-Type", _TEXT).partition(";")[0].strip().lower() != _TEXT:
        raise UnusableResponse(Reason.UNUSABLE_ANSWER)
    size = 0
    while piece := response.read1(_CHUNK):
        size += len(piece)
        _check_size(size, request.most_bytes)
        yield piece


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise UnusableResponse(Reason.OVERSIZE_ANSWER)


def _wrapped(error: ApiException) -> Exception:
    cause = error.__context__
    return cause if isinstance(cause, Exception) else error
