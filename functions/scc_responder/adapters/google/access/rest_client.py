"""Reads of a Google API over HTTP: bounded in time and size, and no redirect is followed with the token."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import msgspec
import urllib3

from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.adapters.google.access.google_channel import check_loopback
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.kubernetes.one_write import OneWritePool, PlainPool
from scc_responder.adapters.kubernetes.server_trust import server_trust
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import read_json

_T = TypeVar("_T")
_MOST_REDIRECTS = 2


class RestClient:
    """Base of an adapter. Nothing is retried here; safe to use from several threads.

    `call` is the one method that is asked for, `setting` the variable that names a stand-in on this machine
    (`endpoint`, host:port). `timeout_seconds` bounds each read with all its redirects to the last byte, by default
    `within_seconds`. `refusals` are the reasons of statuses. A subclass that follows redirects has its own `_followed`.
    """

    call: ApiMethod
    setting: str
    accept = "application/json"
    refusals: ClassVar[Mapping[int, str]] = {401: "unauthenticated", 403: "permission_denied", 404: "not_found"}
    within_seconds = 2.0
    most_bytes = 1024 * 1024

    def __init__(
        self, *, endpoint: str = "", token: Callable[[], str] | None = None, timeout_seconds: float = 0.0
    ) -> None:
        """Check the endpoint. Raises SettingsError for one that is not on this machine."""
        self._endpoint = f"http://{check_loopback(endpoint, self.setting)}" if endpoint else ""
        self._token = token or AccessToken()
        self._timeout_seconds = timeout_seconds or self.within_seconds

    def _read(self, url: str, wanted: type[_T]) -> _T:
        """The JSON of a success as this type. Raises ApiError."""
        return self._decoded(self._content(url), url, wanted)

    def _decoded(self, content: bytes, url: str, wanted: type[_T]) -> _T:
        try:
            return read_json(content, wanted)
        except msgspec.DecodeError as error:
            raise self._error(Reason.UNUSABLE_ANSWER, url, "the answer has another form", 200) from error

    def _content(self, url: str) -> bytes:
        """The body of a success. Raises ApiError."""
        until = time.monotonic() + self._timeout_seconds
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": self.accept}
        try:
            with urllib3.PoolManager(retries=False, ssl_context=server_trust()) as pool:
                pool.pool_classes_by_scheme = {"https": OneWritePool, "http": PlainPool}
                for _ in range(_MOST_REDIRECTS + 1):
                    left = urllib3.Timeout(total=max(0.01, until - time.monotonic()))
                    answer: Any = pool.request(
                        "GET", url, headers=headers, timeout=left, redirect=False, preload_content=False
                    )
                    with closing(answer):
                        if answer.status == 200:
                            return self._body(answer, url)
                        url, headers = self._followed(url, answer), {}
        except urllib3.exceptions.HTTPError as error:
            raise self._error("unreachable", url, f"no answer: {type(error).__name__}") from error
        raise self._error("redirects", url, "it redirects again and again", 302)

    def _followed(self, url: str, answer: Any) -> str:
        """Where to go on, without the token, after another status than a success: nowhere. Raises ApiError."""
        status = answer.status
        raise self._error(self.refusals.get(status, f"status_{status}"), url, f"HTTP {status}", status)

    def _body(self, answer: Any, url: str) -> bytes:
        content = bytearray()
        while piece := answer.read1(64 * 1024):
            content += piece
            if len(content) > self.most_bytes:
                raise self._error("too_large", url, f"the answer has more than {self.most_bytes} bytes", 200)
        return bytes(content)

    def _error(self, word: str, url: str, said: str, status: int = 0) -> ApiError:
        permission = self.call.permission if status == 403 else ""
        place = urlsplit(url).netloc
        return ApiError(self.call.api.of(word), f"{place}: {said}", status=status, permission=permission)
