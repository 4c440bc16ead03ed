"""Configurations of images in Artifact Registry, by the OCI distribution protocol. Reads only.

Only Google's own hosts are asked, and nothing is believed that has not the digest it was asked by. Blobs come by a
redirect, which is followed without the token. Source: OCI distribution specification 1.1, "Pull".
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import urllib3

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.adapters.kubernetes.one_write import OneWritePool, PlainPool
from scc_responder.adapters.kubernetes.server_trust import server_trust
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

PERMISSION = "artifactregistry.repositories.downloadArtifacts"
MOST_DOCUMENT_BYTES = 4 * 1024 * 1024
"""Of a manifest or a configuration. Source: distribution specification, "Pushing Manifests"."""

ABSENT_IMAGE = "scc-responder-probe"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_MOST_REDIRECTS = 2
_HOSTS = re.compile(r"[a-z0-9-]{1,63}-docker\.pkg\.dev|(?:(?:us|eu|asia)\.)?gcr\.io", re.ASCII)
_DOWNLOADS = re.compile(r"[a-z0-9-]{1,63}\.pkg\.dev|(?:(?:us|eu|asia)\.)?gcr\.io|storage\.googleapis\.com", re.ASCII)
_KINDS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class ArtifactRegistry:
    """`ports.ImageRegistry`. `endpoint`: a stand-in on this machine, host:port, in the place of every host.

    `timeout_seconds` bounds each question with all its redirects, to the last byte. Nothing is retried here.
    """

    def __init__(
        self,
        repositories: Collection[str],
        *,
        endpoint: str = "",
        token: Callable[[], str] | None = None,
        timeout_seconds: float = 2.0,
    ) -> None:
        name = "SCC_RESPONDER_REGISTRY_ENDPOINT"
        self._endpoint = f"http://{google_channel.check_loopback(endpoint, name)}" if endpoint else ""
        self._token = token or AccessToken()
        self._timeout_seconds = timeout_seconds
        self.repositories = frozenset(repositories)

    def image(self, host: str, name: str, digest: str, architecture: str) -> dict[str, Any]:
        """See `ports.ImageRegistry`."""
        if not _HOSTS.fullmatch(host):
            raise ApiError(_why("foreign_host"), f"{host!a} is none of Google's registries", status=400)
        place = f"{self._endpoint or f'https://{host}'}/v2/{name}"
        manifest = self._document(f"{place}/manifests/", digest)
        if "config" not in manifest:
            digest = _chosen(manifest, architecture)
            manifest = self._document(f"{place}/manifests/", digest)
        config = manifest.get("config")
        named = config.get("digest") if isinstance(config, dict) else None
        return {"digest": digest, "manifest": manifest, "config": self._document(f"{place}/blobs/", str(named))}

    def probe(self, host: str, name: str) -> None:
        """Ask for an image that nobody has, below this name. Raises ApiError where that is not what it answers."""
        try:
            self.image(host, f"{name}/{ABSENT_IMAGE}", f"sha256:{'0' * 64}", "")
        except ApiError as error:
            if error.status != 404:
                raise

    def _document(self, place: str, digest: str) -> dict[str, Any]:
        """The JSON document that has this digest."""
        if not _DIGEST.fullmatch(digest):
            raise ApiError(_why(Reason.UNUSABLE_ANSWER), f"{digest[:80]!a} is no digest", status=200)
        content = self._content(place + digest)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise ApiError(_why("digest_differs"), f"what {place} gave is not what {digest} names", status=200)
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise ApiError(_why(Reason.UNUSABLE_ANSWER), f"{digest} is no JSON object", status=200) from error

    def _content(self, url: str) -> bytes:
        until = time.monotonic() + self._timeout_seconds
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": _KINDS}
        try:
            with urllib3.PoolManager(retries=False, ssl_context=server_trust()) as pool:
                pool.pool_classes_by_scheme = {"https": OneWritePool, "http": PlainPool}
                for _ in range(_MOST_REDIRECTS + 1):
                    status, content, location = _asked(pool, url, headers, max(0.01, until - time.monotonic()))
                    if status not in _REDIRECTS:
                        return content
                    url, headers = self._followed(url, location), {}
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(_why("unreachable"), f"{urlsplit(url).netloc}: {type(error).__name__}") from error
        raise ApiError(_why("redirects"), f"{urlsplit(url).netloc} redirects again and again", status=302)

    def _followed(self, url: str, location: str) -> str:
        """Where a redirect leads. Raises ApiError where that is none of Google's hosts: a token would not go there, nor
        is anything read from it."""
        target = urljoin(url, location)
        parts = urlsplit(target)
        is_same = (parts.scheme, parts.netloc) == urlsplit(url)[:2]
        if is_same or (not self._endpoint and parts.scheme == "https" and _DOWNLOADS.fullmatch(parts.netloc)):
            return target
        raise ApiError(_why("foreign_host"), f"it redirects to {parts.netloc!a}", status=302)


def _asked(pool: urllib3.PoolManager, url: str, headers: dict[str, str], seconds: float) -> tuple[int, bytes, str]:
    """Status, body and `Location` of a success or a redirect, within the time and the size. Raises ApiError."""
    answer: Any = pool.request("GET", url, headers=headers, timeout=seconds, redirect=False, preload_content=False)
    at, status, content = urlsplit(url).netloc, answer.status, bytearray()
    try:
        if status in _REDIRECTS:
            return status, b"", answer.headers.get("Location", "")
        if status != 200:
            raise _refused(at, status)
        while piece := answer.read1(64 * 1024):
            content += piece
            if len(content) > MOST_DOCUMENT_BYTES:
                raise ApiError(_why("too_large"), f"{at} gives more than {MOST_DOCUMENT_BYTES} bytes", status=200)
    finally:
        answer.close()
    return status, bytes(content), ""


def _refused(at: str, status: int) -> ApiError:
    reason = _why({401: "unauthenticated", 403: "forbidden", 404: "not_found"}.get(status, f"status_{status}"))
    return ApiError(reason, f"{at}: HTTP {status}", status=status, permission=PERMISSION if status == 403 else "")


def _chosen(index: dict[str, Any], architecture: str) -> str:
    """The digest of an index's image for Linux on this architecture. Raises ApiError."""
    entries = index.get("manifests")
    for entry in entries if isinstance(entries, list) else ():
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
            return str(entry.get("digest"))
    raise ApiError(_why("no_such_platform"), f"the index has no image for linux/{architecture[:32]}", status=404)


def _why(word: str) -> Reason:
    return Reason.ARTIFACT_REGISTRY.of(word)
