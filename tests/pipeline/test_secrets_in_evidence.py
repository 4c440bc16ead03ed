"""A secret that stands anywhere in the pod, or in the finding, is in no byte that a delivery keeps as evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import deployed, finding_about, policy


class _Canaries:
    """Words that are planted, each once."""

    def __init__(self) -> None:
        self.planted: list[str] = []

    def __call__(self) -> str:
        self.planted.append(f"PLANTED{len(self.planted):02d}X")
        return self.planted[-1]


def _leaky(pod: dict[str, Any], word: _Canaries) -> dict[str, Any]:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    pod["metadata"]["annotations"] = {applied: json.dumps({"a": word()}), "a.example/b": word(), "vault/token": word()}
    pod["spec"]["containers"][0] |= {
        "env": [{"name": "DB_PASSWORD", "value": word()}, {"name": word(), "value": "x"}],
        "command": ["/bin/app", f"--password={word()}"],
        "args": [word()],
        "livenessProbe": {"httpGet": {"path": "/", "httpHeaders": [{"name": "Authorization", "value": word()}]}},
        "lifecycle": {"postStart": {"exec": {"command": ["curl", "-u", word()]}}},
    }
    more = {"image": "x", "env": [{"name": "A", "value": word()}], "command": [word()]}
    pod["spec"]["initContainers"] = [{"name": "init", **more}]
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "x", "env": [{"name": "A", "value": word()}]}]
    pod["spec"]["volumes"] = [
        {"name": "c", "csi": {"driver": "x", "volumeAttributes": {"a": word()}}},
        {"name": "f", "flexVolume": {"driver": "x", "options": {"a": word()}}},
    ]
    pod["spec"]["hostAliases"] = [{"ip": "192.0.2.1", "hostnames": [word()]}]
    return pod


def _told(document: dict[str, Any], word: _Canaries) -> dict[str, Any]:
    process = {
        "binary": {"path": "/bin/sh", "contents": word()},
        "args": ["sh", "-c", f"curl -u admin:{word()}"],
        "envVariables": [{"name": "AWS_SECRET", "val": word()}],
        "script": {"path": "/x", "contents": word()},
    }
    more = {"Process_Arguments": [word()], "Environment_Variables": [word()]}
    document["finding"] |= {"processes": [process], "description": word(), "sourceProperties": more}
    document["finding"]["securityMarks"] = {"marks": {"note": word()}}
    document["finding"]["contacts"] = {"security": {"contacts": [{"email": f"{word()}@example.com"}]}}
    return document


def readable(path: Path) -> str:
    """An object of evidence as text: a manifest lies in its envelope as base64."""
    return json.dumps(manifest_content(path.read_bytes())) if path.name.startswith("manifest-") else path.read_text()


def test_no_canary_of_pod_or_finding_is_kept(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Neither in the parse nor in the texts as notified and as read again."""
    word = _Canaries()
    node = cluster.objects("Node")[0]["metadata"]["name"]
    pod = cluster.create(_leaky(objects.pod("leaky", "shop", node), word))
    about = {"involvedObject": {"uid": pod["metadata"]["uid"]}, "message": f"probe failed: {word()}"}
    cluster.create({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, **about})
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "capture_evidence"))
    document = _told(finding_about(pod), word)
    deployment.respond_to(document)

    kept = {path.name: readable(path) for path in deployment.folder.glob("evidence/**/*.json")}
    texts = next(json.loads(text)["texts"] for name, text in kept.items() if name.startswith("finding-"))
    assert set(texts) == {"notified", "read"}
    assert any(name.startswith("pod-") for name in kept)
    assert [canary for canary in word.planted if any(canary in text for text in kept.values())] == []
    assert len(word.planted) == 25
