"""Recorded findings in any number, for tests of what reads many: days of them, about many pods of a few workloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from scc_responder.intake.threats import catalogue
from tests.findings import FOLDER

BEGAN = datetime(2026, 2, 1, tzinfo=UTC)
_POD = "web-6d5f9c7b4-x2x9q"


def recorded(count: int, days: int = 28, pods: int | None = None) -> Iterator[dict[str, Any]]:
    """Items of `gcloud scc findings list`, in no order of time; every pod is another unless `pods` says how many."""
    rows = [row for row in catalogue() if row.detector == "container_threat_detection"]
    texts = [(FOLDER / "catalogue" / row.detector / f"{row.name}.json").read_text() for row in rows]
    for number in range(count):
        mixed = (number * 7919) % count
        digest = sha256(str(mixed % (pods or count)).encode()).hexdigest()
        event_time = BEGAN + timedelta(seconds=mixed * days * 86_400 // count)
        text = texts[number % len(texts)].replace(_POD, f"web{int(digest[5], 16)}-6d5f9c7b4-{digest[:5]}")
        item = json.loads(text.replace("/namespaces/shop/", f"/namespaces/shop-{digest[6]}/"))
        finding = item["finding"]
        finding["name"] = f"{finding['name'].rpartition('/')[0]}/{sha256(str(mixed).encode()).hexdigest()[:32]}"
        finding["canonicalName"] = finding["name"]
        finding["eventTime"] = event_time.isoformat().replace("+00:00", "Z")
        for container in [*finding.get("containers", []), *_containers(finding)]:
            container["createTime"] = (event_time - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        yield {"finding": finding, "resource": item["resource"]}


def _containers(finding: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for pod in finding.get("kubernetes", {}).get("pods", []):
        yield from pod.get("containers", [])


def write_array(path: Path, count: int, **options: Any) -> Path:
    """An export as `gcloud scc findings list --format=json` prints it, written one finding at a time."""
    with path.open("w") as stream:
        for number, item in enumerate(recorded(count, **options)):
            stream.write((",\n" if number else "[\n") + json.dumps(item, indent=2))
        stream.write("\n]\n" if count else "[]\n")
    return path


def write_lines(path: Path, count: int, **options: Any) -> Path:
    """An export as one finding for each line."""
    with path.open("w") as stream:
        stream.writelines(f"{json.dumps(item)}\n" for item in recorded(count, **options))
    return path
