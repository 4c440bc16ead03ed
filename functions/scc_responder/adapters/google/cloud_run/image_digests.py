"""Which image a revision's tags stood for: only Cloud Run's Admin API v1 tells. Reads only.

Source: Cloud Run Admin API v1, `namespaces.revisions`, `status.containerStatuses` and `status.imageDigest`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.google.access.rest_client import RestClient
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

_API = "apis/serving.knative.dev/v1/namespaces"


class _ContainerStatus(Value, frozen=True, kw_only=True):
    name: str = ""
    image_digest: str = msgspec.field(default="", name="imageDigest")


class _Status(Value, frozen=True, kw_only=True):
    image_digest: str = msgspec.field(default="", name="imageDigest")
    containers: tuple[_ContainerStatus, ...] = msgspec.field(default=(), name="containerStatuses")


class _Revision(Value, frozen=True, kw_only=True):
    status: _Status = _Status()


class ImageDigests(RestClient):
    """Reads the digests of one revision. A stand-in is that of every region."""

    call = ApiMethod(api=Reason.CLOUD_RUN, permission="run.revisions.get")
    setting = "SCC_RESPONDER_RUN_V1_ENDPOINT"

    def __call__(self, name: RunName, revision: str) -> Mapping[str, str]:
        """`sha256:...` by the container's name; that of the only container by an empty name. Raises ApiError."""
        host = self._endpoint or f"https://{name.location}-run.googleapis.com"
        status = self._read(f"{host}/{_API}/{name.project}/revisions/{revision}", _Revision).status
        named = {"": status.image_digest, **{item.name: item.image_digest for item in status.containers}}
        return {container: digest for container, text in named.items() if (digest := _digest(text))}


def _digest(text: str) -> str:
    """`sha256:...` of an image's name; empty where it has none."""
    return "".join(text.rpartition("sha256:")[1:]) if "sha256:" in text else ""
