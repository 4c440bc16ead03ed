"""One cluster's API server, over the official Kubernetes client's connection pool, in plain dicts.

Only the client's transport is imported: its typed models would cost two seconds of every cold start. Nothing is
retried here and no redirect is followed (`api_requests.py`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from kubernetes.client.configuration import Configuration
from kubernetes.client.rest import RESTClientObject
from urllib3.util.retry import Retry

from scc_responder import __version__
from scc_responder.adapters.kubernetes.api_errors import ApiRequest, UnusableResponse, kubernetes_failure
from scc_responder.adapters.kubernetes.api_requests import JSON, ApiRequests, Content, TokenSource
from scc_responder.adapters.kubernetes.json_depth import is_too_deep
from scc_responder.adapters.kubernetes.list_pages import gather_pages
from scc_responder.adapters.kubernetes.one_write import OneWritePool, PlainPool
from scc_responder.adapters.kubernetes.server_trust import server_trust
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, read_json

CONNECTIONS = 16
"""Connections to one API server that are kept for reuse: more than `collect` ever uses side by side."""

PAGE_LIMIT = 8 * 1024 * 1024
"""Bytes of a page that are read: five of the largest objects etcd can hold, and a bound on memory."""

MOST_LOG_BYTES = 256 * 1024 * 1024
"""Bytes of a log that are read where no `limit_bytes` is asked for: it is passed on as it comes, never kept."""

USER_AGENT = f"scc-responder/{__version__}"

_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_Objects = list[ApiObject]
_T = TypeVar("_T")
ErrorTranslator = Callable[[str, ApiError], ApiError]


class _Page(Value, frozen=True, kw_only=True):
    """A list as the API server sends it, its items not decoded yet."""

    items: list[msgspec.Raw]
    metadata: Any = None


class KubernetesRest:
    """`ports.KubernetesApi` over HTTPS. Safe to use from several threads."""

    def __init__(self, requests: ApiRequests, retell: ErrorTranslator | None) -> None:
        self._requests = requests
        self._retell = retell

    @property
    def address(self) -> str:
        """The API server's URL: two clusters that have one are the same."""
        return self._requests.address

    @property
    def goes_on(self) -> bool | None:
        """Whether the API server answers these requests: see `Answering`."""
        return self._requests.answering.goes_on

    def has_answered(self, since: float) -> bool:
        """Whether it has answered since a moment of `time.monotonic`, and keeps no request waiting."""
        return self._requests.answering.has_answered(since)

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
        request = ApiRequest(method="POST", path=path)
        return self._call(request, ApiObject, content=Content(body=body), dry_run=dry_run)

    def patch(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False, strategic: bool = False) -> ApiObject:
        """Merge patch. Raises ApiError (409 where a condition in `metadata` does not hold), OutcomeUnknown."""
        request = ApiRequest(method="PATCH", path=path)
        content = Content(body=body, content_type=_STRATEGIC_PATCH if strategic else _MERGE_PATCH)
        return self._call(request, ApiObject, content=content, dry_run=dry_run)

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> ApiObject:
        """DELETE with a `DeleteOptions` body. Raises ApiError (409 where a precondition fails), OutcomeUnknown."""
        # The server ignores the query of a DELETE that has a body: without this, a dry run would delete.
        rehearsal = {"dryRun": ["All"]} if dry_run else {}
        content = Content(body={"apiVersion": "v1", "kind": "DeleteOptions", **options, **rehearsal})
        return self._call(ApiRequest(method="DELETE", path=path), ApiObject, content=content, dry_run=dry_run)

    def read_log(
        self,
        path: str,
        *,
        container: str,
        previous: bool = False,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        follow: bool = False,
        timestamps: bool = False,
        seconds: float,
    ) -> Iterator[bytes]:
        """A container's log as it comes, asked for with the first piece. Raises ApiError, as the port says."""
        asked = {"container": container, "previous": previous, "follow": follow, "timestamps": timestamps}
        bounds = {"tailLines": tail_lines, "limitBytes": limit_bytes}
        query = {**asked, **{name: value for name, value in bounds.items() if value is not None}}
        request = ApiRequest(method="GET", path=path, most_bytes=limit_bytes or MOST_LOG_BYTES)
        try:
            yield from self._requests.stream(request, _query(query), seconds)
        except ApiError as error:
            raise self._retold(request, error) from None

    def close(self) -> None:
        """Close the kept connections."""
        self._requests.close()

    def _call(
        self,
        request: ApiRequest,
        form: type[_T],
        query: Mapping[str, str] | None = None,
        content: Content | None = None,
        *,
        dry_run: bool = False,
    ) -> _T:
        arguments = {**(query or {}), **({"dryRun": "All"} if dry_run else {})}
        try:
            return _decoded(request, self._requests.answer(request, arguments, content), form)
        except ApiError as error:
            raise self._retold(request, error) from None

    def _retold(self, request: ApiRequest, error: ApiError) -> ApiError:
        return self._retell(request.method, error) if self._retell else error


def connect(
    url: str,
    ca_pem: bytes | None,
    token: Callable[[], str],
    *,
    renew: Callable[[str], str] | None = None,
    trust: ssl.SSLContext | None = None,
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
    rest.pool_manager.pool_classes_by_scheme = {"https": OneWritePool, "http": PlainPool}
    if url.startswith("https:"):
        rest.pool_manager.connection_pool_kw["ssl_context"] = trust or server_trust(ca_pem)
    headers = {"Accept": JSON, "User-Agent": user_agent}
    identity = TokenSource(token=token, renew=renew)
    return KubernetesRest(ApiRequests(url.rstrip("/"), rest, headers, identity, timeout_seconds), retell)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise SettingsError(Reason.UNUSABLE_SERVER, "the API server's address must be https://HOST[:PORT]")


def _query(values: Mapping[str, object]) -> dict[str, str]:
    """Parameters of a request, without those that are false."""
    return {name: "true" if value is True else str(value) for name, value in values.items() if value is not False}


def _decoded(request: ApiRequest, content: bytes | msgspec.Raw, form: type[_T]) -> _T:
    unusable = UnusableResponse(Reason.UNUSABLE_ANSWER)
    try:
        document = read_json(content, form)
    except msgspec.DecodeError:
        raise kubernetes_failure(request, unusable) from None
    if is_too_deep(document):
        raise kubernetes_failure(request, unusable)
    return document
