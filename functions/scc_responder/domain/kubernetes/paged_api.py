"""An API server that is read in parts: what commands ask of it, and the function does not."""

from __future__ import annotations

from typing import Any, Protocol

from scc_responder.domain.ports import KubernetesApi


class PagedApi(KubernetesApi, Protocol):
    """An API server whose collections are read in parts, however large they are."""

    def page(self, path: str, limit: int, after: str = "") -> tuple[list[dict[str, Any]], str]:
        """At most `limit` items of a collection, of all namespaces too, and the cursor of the next ones ("" if none).

        Raises ApiError `gone` if the server has forgotten the cursor: then from the beginning.
        """
