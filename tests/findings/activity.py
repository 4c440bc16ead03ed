"""What a synthetic finding says was done: processes, files, traffic, calls, and what was found in memory."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from scc_responder.intake.threats import Row

DEPLOYER = "deployer@example-project.iam.gserviceaccount.com"
_KNOWN_TO_VIRUSTOTAL = "VirusTotal"


def activity(row: Row, sample: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a finding, but for its place, that the sample speaks of."""
    parts = {
        "processes": [_process(row, sample)] if "run" in sample else [],
        "files": _files(sample),
        "indicator": _indicator(sample),
        "connections": [_connection(sample)] if "connect" in sample else [],
        "access": _access(row, sample) if "method" in sample else {},
        "kernelRootkit": sample.get("rootkit", {}),
    }
    return {name: part for name, part in parts.items() if part}


def _process(row: Row, sample: Mapping[str, Any]) -> dict[str, Any]:
    args = sample["run"]
    path = sample.get("binary", args[0])
    process: dict[str, Any] = {
        "name": path.rpartition("/")[2],
        "binary": _file(path) if _KNOWN_TO_VIRUSTOTAL in row.fields else {"path": path},
        "args": args,
        "pid": "48213",
        "parentPid": str(sample.get("parent", 1)),
    }
    if "script" in sample:
        script = sample["script"]
        process["script"] = {**_file(script["path"]), "contents": script["contents"]}
    if "library" in sample:
        process["libraries"] = [_file(sample["library"])]
    if "env" in sample:
        process["envVariables"] = [{"name": name, "val": value} for name, value in sample["env"].items()]
    return process


def _file(path: str) -> dict[str, Any]:
    return {"path": path, "size": "48216", "sha256": sha256(path.encode()).hexdigest(), "hashedSize": "48216"}


def _files(sample: Mapping[str, Any]) -> list[dict[str, Any]]:
    touched = [
        {"path": path, "operations": [{"type": operation} for operation in operations]}
        for path, operations in sample.get("files", {}).items()
    ]
    if "disk" not in sample:
        return touched
    disk = {"partitionUuid": "c0ffee00-0000-4000-8000-000000000001", "relativePath": sample["disk"]}
    return [*touched, {**_file(f"/{sample['disk']}"), "diskPath": disk}]


def _indicator(sample: Mapping[str, Any]) -> dict[str, Any]:
    names = {"addresses": "ipAddresses", "domains": "domains", "uris": "uris", "signatures": "signatures"}
    return {name: sample[key] for key, name in names.items() if key in sample}


def _connection(sample: Mapping[str, Any]) -> dict[str, Any]:
    address, port = sample["connect"]
    source = {"sourceIp": "192.0.2.17", "sourcePort": 52144} if sample.get("shell") else {}
    return {"destinationIp": address, "destinationPort": port, **source, "protocol": "TCP"}


def _access(row: Row, sample: Mapping[str, Any]) -> dict[str, Any]:
    method = sample["method"]
    person = sample.get("by", DEPLOYER)
    return {
        "principalEmail" if "@" in person else "principalSubject": person,
        "callerIp": sample.get("ip", "198.51.100.23"),
        "userAgent": "kubectl/v1.34.1 (linux/amd64)",
        "serviceName": "k8s.io" if method.startswith("io.k8s.") else "run.googleapis.com",
        "methodName": method,
    }
