"""Golden notifications, and a way to vary one. All of it is synthetic; README.md says what each file is for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RUNBOOKS = (
    "added_binary_executed",
    "modified_malicious_library_loaded",
    "launch_code_compiler_tool_in_container",
    "cloud_run_container_escape",
)
TOPIC_SUBSCRIPTION = "projects/example-project/subscriptions/scc-responder"
_CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
_NODE_PLACE = "projects/example-project/zones/europe-west1-b/"
_NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"


def names() -> list[str]:
    """Every golden notification, by file name; `NAME.context.json` and the like belong to one and are none."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if "." not in path.stem)


def every_golden() -> list[str]:
    """Every golden, those of the catalogue and the traps included, as `FOLDER`'s path to it without `.json`."""
    found = (path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.json") if "." not in path.stem)
    return sorted(str(path) for path in found if path.parts[0] != "sequences")


def notification(
    name: str,
    *,
    event_time: str = "",
    finding_id: str = "",
    cluster: str = "",
    namespace: str = "",
    pod: str = "",
    node: str = "",
    finding: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The golden of that name, with what is given changed wherever it stands in it.

    `cluster` is a path (`projects/P/locations/L/clusters/C`); the node moves into its project and location. `finding`
    replaces single fields of the finding; None removes one.
    """
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    inner = document.get("finding", document)
    space, old_pod = _pod_of(inner)
    swaps = [
        (inner["eventTime"], event_time),
        (inner["name"].rpartition("/")[2], finding_id),
        (_CLUSTER, cluster),
        (_CLUSTER.replace("/locations/", "/zones/"), cluster),
        (_NODE_PLACE, cluster and _place_of_node(cluster)),
        (_NODE, node),
        (old_pod, pod),
        (f"/namespaces/{space}/", namespace and f"/namespaces/{namespace}/"),
    ]
    for old, new in swaps:
        document = _swap(document, old, new) if old and new else document
    inner = document.get("finding", document)
    _set_namespace(inner, namespace)
    for field, value in (finding or {}).items():
        inner.update({field: value}) if value is not None else inner.pop(field, None)
    return document


def data(document: Mapping[str, Any]) -> bytes:
    """A notification as the bytes that Security Command Center publishes."""
    return json.dumps(document).encode()


def push_body(
    document: Mapping[str, Any] | bytes,
    *,
    message_id: str = "11111111111111",
    publish_time: str = "2026-03-02T09:38:17.113Z",
    delivery_attempt: int | None = None,
) -> bytes:
    """A notification (or any bytes) as the body of a Pub/Sub push."""
    content = document if isinstance(document, bytes) else data(document)
    message = {
        "data": base64.b64encode(content).decode(),
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": publish_time,
        "publish_time": publish_time,
    }
    attempt = {} if delivery_attempt is None else {"deliveryAttempt": delivery_attempt}
    return json.dumps({"message": message, "subscription": TOPIC_SUBSCRIPTION, **attempt}).encode()


def _place_of_node(cluster: str) -> str:
    _, project, _, location, *_ = cluster.split("/")
    zone = location if location[-2] == "-" else f"{location}-b"
    return f"projects/{project}/zones/{zone}/"


def _pod_of(finding: Mapping[str, Any]) -> tuple[str, str]:
    for pod in (finding.get("kubernetes") or {}).get("pods", []):
        return pod["ns"], pod["name"]
    source = finding.get("sourceProperties", {})
    for resource in source.get("affectedResources", []):
        parts = resource["gcpResourceName"].split("/")
        if "namespaces" in parts:
            return parts[-3], parts[-1]
    return source.get("Pod_Namespace", ""), source.get("Pod_Name", "")


def _set_namespace(finding: dict[str, Any], namespace: str) -> None:
    if not namespace:
        return
    for pod in (finding.get("kubernetes") or {}).get("pods", []):
        pod["ns"] = namespace
    if "Pod_Namespace" in finding.get("sourceProperties", {}):
        finding["sourceProperties"]["Pod_Namespace"] = namespace


def _swap(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_swap(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _swap(item, old, new) for key, item in value.items()}
    return value
