"""Configurations of images in Artifact Registry, by the OCI distribution protocol. Reads only.

Only Google's own hosts are asked, and nothing is believed that has not the digest it was asked by. Blobs come by a
redirect, which is followed without the token. Source: OCI distribution specification 1.1, "Pull".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.google.access.rest_client import RestClient
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_HOSTS = re.compile(r"[a-z0-9-]{1,63}-docker\.pkg\.dev|(?:(?:us|eu|asia)\.)?gcr\.io", re.ASCII)
_DOWNLOADS = re.compile(r"[a-z0-9-]{1,63}\.pkg\.dev|(?:(?:us|eu|asia)\.)?gcr\.io|storage\.googleapis\.com", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class ArtifactRegistry(RestClient):
    """`ports.ImageRegistry`. A stand-in is in the place of every host."""

    call = ApiMethod(api=Reason.ARTIFACT_REGISTRY, permission="artifactregistry.repositories.downloadArtifacts")
    setting = "SCC_RESPONDER_REGISTRY_ENDPOINT"
    accept = (
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.docker.distribution.manifest.v2+json"
    )
    refusals: ClassVar[Mapping[int, str]] = {**RestClient.refusals, 403: "forbidden"}
    most_bytes = 4 * 1024 * 1024  # of a manifest. Source: distribution specification, "Pushing Manifests"

    def __init__(self, repositories: Collection[str], **reached: Any) -> None:
        """`repositories` are those that may be read; the rest is for `RestClient`."""
        super().__init__(**reached)
        self.repositories = frozenset(repositories)

    def image(self, host: str, name: str, digest: str, architecture: str) -> dict[str, Any]:
        """See `ports.ImageRegistry`."""
        if not _HOSTS.fullmatch(host):
            raise self._error("foreign_host", "", f"{host!a} is none of Google's registries", 400)
        place = f"{self._endpoint or f'https://{host}'}/v2/{name}"
        manifest = self._document(f"{place}/manifests/", digest)
        if "config" not in manifest:
            digest = _chosen(manifest, architecture)
            manifest = self._document(f"{place}/manifests/", digest)
        config = manifest.get("config")
        named = config.get("digest") if isinstance(config, dict) else None
        return {"digest": digest, "manifest": manifest, "config": self._document(f"{place}/blobs/", str(named))}

    def _document(self, place: str, digest: str) -> dict[str, Any]:
        """The JSON document that has this digest."""
        if not _DIGEST.fullmatch(digest):
            raise self._error(Reason.UNUSABLE_ANSWER, place, f"{digest[:80]!a} is no digest", 200)
        content = self._content(place + digest)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise self._error("digest_differs", place, f"what {place} gave is not what {digest} names", 200)
        return self._decoded(content, place, dict[str, Any])

    def _followed(self, url: str, answer: Any) -> str:
        """Where a redirect leads. Raises ApiError where that is none of Google's hosts: a token would not go there, nor
        is anything read from it."""
        if answer.status not in _REDIRECTS:
            return super()._followed(url, answer)
        target: str = urljoin(url, answer.headers.get("Location", ""))
        parts = urlsplit(target)
        is_same = (parts.scheme, parts.netloc) == urlsplit(url)[:2]
        if is_same or (not self._endpoint and parts.scheme == "https" and _DOWNLOADS.fullmatch(parts.netloc)):
            return target
        raise self._error("foreign_host", url, f"it redirects to {parts.netloc!a}", 302)


def _chosen(index: dict[str, Any], architecture: str) -> str:
    """The digest of an index's image for Linux on this architecture. Raises ApiError."""
    entries = index.get("manifests")
    for entry in entries if isinstance(entries, list) else ():
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
            return str(entry.get("digest"))
    reason = Reason.ARTIFACT_REGISTRY.of("no_such_platform")
    raise ApiError(reason, f"the index has no image for linux/{architecture[:32]}", status=404)
