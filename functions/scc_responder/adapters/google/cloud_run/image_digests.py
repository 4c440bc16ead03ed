"""Which image a revision's tags stood for: only Cloud Run's Admin API v1 tells. Reads only.

Source: Cloud Run Admin API v1, `namespaces.revisions`, `status.containerStatuses` and `status.imageDigest`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import urllib3

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.adapters.kubernetes.one_write import OneWritePool, PlainPool
from scc_responder.adapters.kubernetes.server_trust import server_trust
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, resolved

PERMISSION_OF_DIGESTS = "run.revisions.get"
MOST_REVISION_BYTES = 1024 * 1024
_REFUSALS = {401: "unauthenticated", 403: "permission_denied", 404: "not_found"}
_API = "apis/serving.knative.dev/v1/namespaces"


class _ContainerStatus(Value, frozen=True, kw_only=True):
    name: str = ""
    image_digest: str = msgspec.field(default="", name="imageDigest")


class _Status(Value, frozen=True, kw_only=True):
    image_digest: str = msgspec.field(default="", name="imageDigest")
    containers: tuple[_ContainerStatus, ...] = msgspec.field(default=(), name="containerStatuses")


class _Revision(Value, frozen=True, kw_only=True):
    status: _Status = _Status()


class ImageDigests:
    """Reads the digests of one revision. `endpoint`: a stand-in on this machine, host:port, for every region.

    `timeout_seconds` bounds each request, to the last byte. Nothing is retried here.
    """

    def __init__(
        self, *, endpoint: str = "", token: Callable[[], str] | None = None, timeout_seconds: float = 2.0
    ) -> None:
        name = "SCC_RESPONDER_RUN_V1_ENDPOINT"
        self._endpoint = f"http://{google_channel.check_loopback(endpoint, name)}" if endpoint else ""
        self._token = token or AccessToken()
        self._timeout_seconds = timeout_seconds

    def __call__(self, name: RunName, revision: str) -> Mapping[str, str]:
        """`sha256:...` by the container's name; that of the only container by an empty name. Raises ApiError."""
        host = self._endpoint or f"https://{name.location}-run.googleapis.com"
        content = self._content(f"{host}/{_API}/{name.project}/revisions/{revision}")
        try:
            status = msgspec.json.decode(content, type=resolved(_Revision)).status
        except (msgspec.DecodeError, RecursionError) as error:
            raise ApiError(_why(Reason.UNUSABLE_ANSWER), f"{revision}: no revision in JSON", status=200) from error
        named = {"": status.image_digest, **{item.name: item.image_digest for item in status.containers}}
        return {container: digest for container, text in named.items() if (digest := _digest(text))}

    def _content(self, url: str) -> bytes:
        until = time.monotonic() + self._timeout_seconds
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        try:
            with urllib3.PoolManager(retries=False, ssl_context=server_trust()) as pool:
                pool.pool_classes_by_scheme = {"https": OneWritePool, "http": PlainPool}
                return _asked(pool, url, headers, until)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(_why("unreachable"), f"API v1: {type(error).__name__}") from error


def _asked(pool: urllib3.PoolManager, url: str, headers: Mapping[str, str], until: float) -> bytes:
    """The body of a success, within the time and the size. Raises ApiError."""
    seconds = max(0.01, until - time.monotonic())
    answer: Any = pool.request("GET", url, headers=headers, timeout=seconds, redirect=False, preload_content=False)
    content, status = bytearray(), answer.status
    try:
        if status != 200:
            why = _why(_REFUSALS.get(status, f"status_{status}"))
            permission = PERMISSION_OF_DIGESTS if status == 403 else ""
            raise ApiError(why, f"API v1: HTTP {status}", status=status, permission=permission)
        while piece := answer.read1(64 * 1024):
            content += piece
            if len(content) > MOST_REVISION_BYTES or time.monotonic() > until:
                raise ApiError(_why("too_large"), "API v1: the answer is too large, or too slow", status=200)
    finally:
        answer.close()
    return bytes(content)


def _digest(text: str) -> str:
    """`sha256:...` of an image's name; empty where it has none."""
    return "".join(text.rpartition("sha256:")[1:]) if "sha256:" in text else ""


def _why(word: str) -> Reason:
    return Reason.CLOUD_RUN.of(word)
