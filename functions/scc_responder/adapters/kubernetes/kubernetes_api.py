"""One cluster's API server, over the official Kubernetes client's connection pool, in plain dicts.

Only the client's transport is imported: its typed models would cost two seconds of every cold start. Nothing is
retried here and no redirect is followed; what each failure means is decided in `api_errors.kubernetes_failure`.
"""

from __future__ import annotations

import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from scc_responder import __version__
from scc_responder.adapters.kubernetes.api_errors import ApiRequest, ApiResponse, UnusableResponse, kubernetes_failure
from scc_responder.adapters.kubernetes.list_pages import gather_pages
from scc_responder.adapters.kubernetes.one_write import OneWritePool
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, resolved

CONNECTIONS = 16
"""Connections to one API server that are kept for reuse: more than `collect` ever uses side by side."""

PAGE_LIMIT = 8 * 1024 * 1024
"""Bytes of a page that are read: five of the largest objects etcd can hold, and a bound on memory."""

USER_AGENT = f"scc-responder/{__version__}"

_CHUNK = 256 * 1024
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_SAFE_PATH = re.compile(r"/apis?(?:/[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)*", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_Objects = list[ApiObject]
_T = TypeVar("_T")
ErrorTranslator = Callable[[str, ApiError], ApiError]


class _Page(Value, frozen=True, kw_only=True):
    """A list as the API server sends it, its items not decoded yet."""

    items: list[msgspec.Raw]
    metadata: Any = None


class ClientCertificate(Value, frozen=True, kw_only=True):
    """A client's certificate chain and private key, in PEM."""

    certificate_pem: bytes
    key_pem: bytes


class KubernetesRest:
    """`ports.KubernetesApi` over HTTPS. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        rest: RESTClientObject,
        headers: Mapping[str, str],
        identity: TokenSource,
        timeout_seconds: float,
        *,
        retell: ErrorTranslator | None,
    ) -> None:
        self._url = url
        self._rest = rest
        self._headers = headers
        self._identity = identity
        self._timeout_seconds = timeout_seconds
        self._retell = retell

    def get(self, path: str) -> ApiObject:
        """One object. Raises ApiError; 404 `not_found` only where the API server itself says so."""
        return self._call(ApiRequest(method="GET", path=path), ApiObject)

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> _Objects:
        """All items of a collection. Raises ApiError; `partial_list` where it does not come to an end."""
        return [*self.gather(path, lambda item: item, field_selector, label_selector)]

    def gather(
        self, path: str, keep: Callable[[ApiObject], _T | None], field_selector: str = "", label_selector: str = ""
    ) -> Sequence[_T]:
        """What `keep` makes of each item of a collection, without None. Raises ApiError, as `list` does."""
        selectors = {"fieldSelector": field_selector, "labelSelector": label_selector}
        chosen = {name: value for name, value in selectors.items() if value}
        return gather_pages(lambda limit, after: self._page(path, limit, after, chosen), keep, path)

    def page(self, path: str, limit: int, after: str = "") -> tuple[_Objects, str]:
        """Some items of a collection and the cursor of the next ones. Raises ApiError; `gone` if it is too old."""
        items, cursor = self._page(path, limit, after, {})
        return [*items], cursor

    def _page(self, path: str, limit: int, after: str, query: Mapping[str, str]) -> tuple[Iterator[ApiObject], str]:
        """A page whose items are decoded one by one: decoded they take up to twenty times the memory."""
        request = ApiRequest(method="GET", path=path, most_bytes=PAGE_LIMIT)
        cursor = {"continue": after} if after else {}
        page = self._call(request, _Page, query={**query, "limit": str(limit), **cursor})
        following = str(page.metadata.get("continue") or "") if isinstance(page.metadata, dict) else ""
        return (_decoded(request, item, ApiObject) for item in page.items), following

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> ApiObject:
        """POST to a collection, or to an object's subresource. Raises ApiError, OutcomeUnknown."""
        return self._call(ApiRequest(method="POST", path=path), ApiObject, body=body, dry_run=dry_run)

    def patch(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> ApiObject:
        """JSON merge patch. Raises ApiError (409 where a condition in `metadata` does not hold), OutcomeUnknown."""
        request = ApiRequest(method="PATCH", path=path)
        return self._call(request, ApiObject, body=body, dry_run=dry_run, content_type=_MERGE_PATCH)

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> ApiObject:
        """DELETE with a `DeleteOptions` body. Raises ApiError (409 where a precondition fails), OutcomeUnknown."""
        # The server ignores the query of a DELETE that has a body: without this, a dry run would delete.
        rehearsal = {"dryRun": ["All"]} if dry_run else {}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options, **rehearsal}
        return self._call(ApiRequest(method="DELETE", path=path), ApiObject, body=body, dry_run=dry_run)

    def close(self) -> None:
        """Close the kept connections."""
        self._rest.close()

    def _call(self, request: ApiRequest, form: type[_T], **more: Any) -> _T:
        try:
            return _decoded(request, self._answered(request, **more), form)
        except ApiError as error:
            if self._retell is None:
                raise
            raise self._retell(request.method, error) from None

    def _answered(
        self,
        request: ApiRequest,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        dry_run: bool = False,
        content_type: str = _JSON,
    ) -> bytes:
        if not _SAFE_PATH.fullmatch(request.path):
            raise ApiError(Reason.INVALID_NAME, "the path of a Kubernetes object has a character that none may have")
        arguments = {**(query or {}), **({"dryRun": "All"} if dry_run else {})}
        url = f"{self._url}{request.path}" + (f"?{urlencode(arguments)}" if arguments else "")
        answer = self._authenticated(request, url, body, content_type)
        if not 200 <= answer.status < 300:
            raise kubernetes_failure(request, answer)
        return answer.body

    def _authenticated(
        self, request: ApiRequest, url: str, body: Mapping[str, Any] | None, content_type: str
    ) -> ApiResponse:
        """The answer, asked for a second time with a renewed token if the first was refused unread."""
        token = self._identity.token()
        answer = self._send(request, url, body, self._headers_with(token, content_type, body))
        if answer.status != 401 or self._identity.renew is None:
            return answer
        renewed = self._identity.renew(token)
        return self._send(request, url, body, self._headers_with(renewed, content_type, body))

    def _headers_with(self, token: str, content_type: str, body: object) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        content = {"Content-Type": content_type} if body is not None else {}
        return {**self._headers, **authorization, **content}

    def _send(self, request: ApiRequest, url: str, body: object, headers: dict[str, str]) -> ApiResponse:
        deadline = time.monotonic() + self._timeout_seconds
        timeouts = (self._timeout_seconds, self._timeout_seconds)
        try:
            response = self._rest.request(request.method, url, headers=headers, body=body, _request_timeout=timeouts)
            return _read(response.response, deadline, request.most_bytes)
        except ApiException as error:  # the client's wrapping of a TLS error, which says where it happened
            raise kubernetes_failure(request, _wrapped(error)) from None
        except (HTTPError, UnusableResponse) as error:
            raise kubernetes_failure(request, error) from None


class TokenSource(Value, frozen=True, kw_only=True):
    """How requests say who sends them. `renew` is asked once for another token than the refused one."""

    token: Callable[[], str]
    renew: Callable[[str], str] | None = None


def connect(
    url: str,
    ca_pem: bytes | None,
    token: Callable[[], str],
    *,
    renew: Callable[[str], str] | None = None,
    client_certificate: ClientCertificate | None = None,
    user_agent: str = USER_AGENT,
    timeout_seconds: float = 10.0,
    retell: ErrorTranslator | None = None,
) -> KubernetesRest:
    """The API server at `url`, trusted by `ca_pem` (None: by the public authorities). Connects on first use.

    `token` is called for every request; "" sends none. `renew`, if given, is called once after a 401, with the
    token that was refused, and the request sent again. `timeout_seconds` bounds connecting, and then the answer.
    `retell`, if given, says which error to raise for a request that failed. Raises SettingsError for an unusable URL
    or certificate.
    """
    _check_url(url)
    configuration = Configuration(
        host=url,
        retries=Retry(total=False, redirect=False, respect_retry_after_header=False),
        connection_pool_maxsize=CONNECTIONS,
        proxy="",
        no_proxy="*",
    )
    rest = RESTClientObject(configuration)
    if url.startswith("https:"):
        rest.pool_manager.pool_classes_by_scheme = {"https": OneWritePool}
        rest.pool_manager.connection_pool_kw["ssl_context"] = _trust(ca_pem, client_certificate)
    headers = {"Accept": _JSON, "User-Agent": user_agent}
    identity = TokenSource(token=token, renew=renew)
    return KubernetesRest(url.rstrip("/"), rest, headers, identity, timeout_seconds, retell=retell)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise SettingsError(Reason.UNUSABLE_SERVER, "the API server's address must be https://HOST[:PORT]")


def _trust(ca_pem: bytes | None, client: ClientCertificate | None) -> ssl.SSLContext:
    """One context for all connections: the certificates are parsed once."""
    try:
        context = ssl.create_default_context() if ca_pem is None else _private_trust(ca_pem)
        if client is not None:
            _present(context, client)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            Reason.UNUSABLE_CERTIFICATE, "a certificate or key of the cluster is not valid PEM"
        ) from error
    return context


def _private_trust(ca_pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the host's name
    context.load_verify_locations(cadata=ca_pem.decode("ascii", "ignore"))
    return context


def _present(context: ssl.SSLContext, client: ClientCertificate) -> None:
    # The ssl module reads a private key only from a file; this one is gone again before the first request.
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "client.pem")
        pem.touch(mode=0o600)
        pem.write_bytes(client.certificate_pem + b"\n" + client.key_pem)
        context.load_cert_chain(pem)


def _read(response: Any, deadline: float, most: int) -> ApiResponse:
    """The whole answer, or an exception: never half of one.

    With its last byte the connection goes back to the pool; one left in mid-answer is closed.
    """
    body = bytearray()
    try:
        while chunk := response.read1(_CHUNK):
            body += chunk
            _check_bounds(len(body), deadline, most)
    except BaseException:
        response.close()
        raise
    return ApiResponse(status=response.status, headers=dict(response.headers), body=bytes(body))


def _check_bounds(size: int, deadline: float, most: int) -> None:
    if size > most:
        raise UnusableResponse(Reason.OVERSIZE_ANSWER)
    if time.monotonic() > deadline:
        raise UnusableResponse(Reason.TIMEOUT)


def _decoded(request: ApiRequest, content: bytes | msgspec.Raw, form: type[_T]) -> _T:
    try:
        return msgspec.json.decode(content, type=resolved(form))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise kubernetes_failure(request, UnusableResponse(Reason.UNUSABLE_ANSWER)) from None


def _wrapped(error: ApiException) -> Exception:
    cause = error.__context__
    return cause if isinstance(cause, Exception) else error
