"""A finding's evidence is signed by Cloud KMS with one request; where that fails, nothing else does."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.local.signing_key import PublicKey, read_public_key
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.bundle.bundle_manifests import signed_bytes
from scc_responder.workbench.bundle.stored_envelope import Envelope, decoded_base64, opened
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.google.key_management import VERSION, KeyManagementServer
from tests.kits.responder import ALL, CONTAINED, Deployment, deployed, finding_about, policy

Object = dict[str, Any]


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster, key_management: KeyManagementServer) -> Deployment:
    made = deployed(
        tmp_path, cluster, policy(*ALL), signing_key=f"gcpkms://{VERSION}", kms_endpoint=key_management.endpoint
    )
    (tmp_path / "public.pem").write_text(key_management.pem())
    return made


def public_key(deployment: Deployment) -> PublicKey:
    return read_public_key(deployment.folder / "public.pem")


def envelope(deployment: Deployment) -> Envelope:
    """The one manifest."""
    (path,) = deployment.folder.glob("evidence/**/manifest-*.json")
    return opened(path.read_bytes())


def entries(deployment: Deployment) -> list[str]:
    """The kinds of entries in the store."""
    return sorted({entry.key.partition("/")[0] for entry in deployment.services.store.scan("").entries})


def test_one_request_signs_the_evidence_of_a_finding(
    deployment: Deployment, pod: Object, key_management: KeyManagementServer
) -> None:
    """Nothing else is asked or stored for it."""
    document = finding_about(pod)
    deployment.respond_to(document)

    manifest = envelope(deployment)
    digest = hashlib.sha256(signed_bytes(manifest)).digest()
    assert deployment.outcomes(document) == CONTAINED
    assert key_management.requests == [digest]
    assert public_key(deployment).verifies(decoded_base64(manifest.signatures[0].sig), digest)
    assert "unsigned" not in entries(deployment)


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND], ids=str
)
def test_a_finding_is_contained_and_told_without_a_signature(
    code: grpc.StatusCode, deployment: Deployment, pod: Object, key_management: KeyManagementServer
) -> None:
    """Evidence is kept and says that nobody signed it; what needs evidence goes on."""
    key_management.fail_next(code)
    document = finding_about(pod)
    deployment.respond_to(document)

    assert deployment.outcomes(document) == [each.replace(": captured", ": captured_unsigned") for each in CONTAINED]
    assert (envelope(deployment).signatures, envelope(deployment).unsigned) == ((), _why(deployment))
    assert _why(deployment).startswith(f"kms_{code.name.lower()}: ")
    (message,) = deployment.published.messages
    assert "captured_unsigned" in json.dumps(message)


def _why(deployment: Deployment) -> str:
    """Why there is no signature, as the step says it."""
    (message,) = deployment.published.messages
    details = [step["detail"] for step in message["steps"] if step["action"] == "capture_evidence"]
    return str(details[0].partition("; not signed yet: ")[2])


def test_a_sweep_signs_what_was_not_signed(
    deployment: Deployment, pod: Object, key_management: KeyManagementServer
) -> None:
    """Its log line says so, and says what still is not signed."""
    key_management.fail_next(grpc.StatusCode.UNAVAILABLE, count=2)
    deployment.respond_to(finding_about(pod))
    sweep(HERE, "127.0.0.1", deployment.services)
    assert deployment.line["not_signed_yet"].startswith("kms_unavailable")
    assert key_management.requests == []

    sweep(HERE, "127.0.0.1", deployment.services)
    manifest = envelope(deployment)
    (late,) = [json.loads(path.read_bytes()) for path in deployment.folder.glob("evidence/**/signature-*.json")]
    digest = hashlib.sha256(signed_bytes(manifest)).digest()
    assert deployment.line["signed_later"] == [late["manifest"]]
    assert manifest.signatures == ()
    assert public_key(deployment).verifies(decoded_base64(late["signature"]["sig"]), digest)

    sweep(HERE, "127.0.0.1", deployment.services)
    assert key_management.requests == [digest]
    assert {"signed_later", "not_signed_yet"} & set(deployment.line) == set()


def test_without_a_key_nothing_is_asked_or_noted(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """As before; the manifest says that there was none."""
    made = deployed(tmp_path, cluster, policy("capture_evidence"))
    document = finding_about(pod)
    made.respond_to(document)
    sweep(HERE, "127.0.0.1", made.services)
    assert made.outcomes(document) == ["capture_evidence: captured"]
    assert envelope(made).unsigned == "no_signing_key"
    assert "unsigned" not in entries(made)


def test_a_second_capture_names_the_first(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """So that a manifest that is taken away is missed."""
    made = deployed(tmp_path, cluster, policy("capture_evidence"))
    document = finding_about(pod)
    made.respond_to(document)
    later = datetime.fromisoformat(document["finding"]["eventTime"]) + timedelta(seconds=1)
    made.respond_to(finding_about(pod, finding={"severity": "LOW", "eventTime": later.isoformat()}))
    said = [opened(path.read_bytes()).statement()["predicate"] for path in made.folder.glob("evidence/**/manifest-*")]
    before = [[each["name"] for each in manifest["earlier"]] for manifest in said]
    (first,) = made.case(document).history[0].captures
    assert sorted(before, key=len) == [[], [first.partition(" sha256 ")[0]]]
