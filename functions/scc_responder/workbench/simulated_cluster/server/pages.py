"""Lists in parts: `limit` and `continue`. Source: k8s.io/apiserver/pkg/storage, `EncodeContinue`."""

from __future__ import annotations

import base64
import binascii

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server import refusal


def paged(found: ApiObject, limit: str, after: str) -> ApiObject:
    """At most `limit` items after the object that the cursor `after` names, with the cursor of the next ones."""
    items = found["items"]
    if after:
        last = _decoded(after)
        items = [item for item in items if _key(item) > last]
    part = items[: int(limit)] if limit.isdigit() and int(limit) else items
    if len(part) == len(items):
        return {**found, "items": items}
    rest = {"continue": _encoded(_key(part[-1])), "remainingItemCount": len(items) - len(part)}
    return {**found, "metadata": {**found["metadata"], **rest}, "items": part}


def _key(item: ApiObject) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _encoded(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode("/".join(key).encode()).decode()


def _decoded(cursor: str) -> tuple[str, str]:
    try:
        namespace, _, name = base64.b64decode(cursor, b"-_", validate=True).decode().partition("/")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise refusal.bad_request("continue key is not valid") from error
    return namespace, name
