"""What a function on this machine has that a deployment has not: files in place of Google."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.adapters.google.kms_signer import KmsSigner
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.adapters.local.signing_key import SigningKey
from scc_responder.domain.errors import PolicyError
from scc_responder.settings import read_settings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.local_services import LocalServices
from tests.kits.google.key_management import VERSION
from tests.kits.responder import CLUSTER, SOURCE, policy, write_policies


def services(folder: Path, **settings: str) -> LocalServices:
    """Local services whose policies are in the folder."""
    given = {"CLUSTERS": CLUSTER, "SOURCES": SOURCE, "STORE": f"sqlite:///{folder / 'journal.db'}", **settings}
    return LocalServices(read_settings({f"SCC_RESPONDER_{name}": value for name, value in given.items()}, folder))


def test_files_stand_in_for_google(tmp_path: Path) -> None:
    """Clusters and findings come from files where they are given."""
    (tmp_path / "clusters.yaml").write_text("{}")
    local = services(tmp_path, CLUSTERS_FILE=str(tmp_path / "clusters.yaml"), FINDINGS=str(tmp_path))
    assert isinstance(local.clusters, ClustersFile)
    assert isinstance(local.findings, FindingsFolder)


def test_google_is_asked_without_files(tmp_path: Path) -> None:
    """Without them the APIs are asked, as in a deployment."""
    local = services(tmp_path, GKE_ENDPOINT="127.0.0.1:1", SCC_ENDPOINT="127.0.0.1:1")
    assert isinstance(local.clusters, GkeClusters)
    assert isinstance(local.findings, SecurityCenter)


def test_evidence_is_signed_by_a_key_of_this_machine(tmp_path: Path) -> None:
    """Beside a SQLite store, unless settings name a key in Cloud KMS."""
    local = services(tmp_path).signer
    assert isinstance(local, SigningKey)
    assert local.key_id.startswith("sha256:")
    assert (tmp_path / "journal.db.signing-key.pem").is_file()
    kms = services(tmp_path, SIGNING_KEY=f"gcpkms://{VERSION}", KMS_ENDPOINT="127.0.0.1:1").signer
    assert isinstance(kms, KmsSigner)
    assert services(tmp_path, STORE="firestore://example-project/(default)").signer is None


def test_policies_are_read_as_written(tmp_path: Path) -> None:
    """They need no compiled form, and a mistake in them stops the start."""
    write_policies(tmp_path, policy("notify"))
    assert [found.name for found in services(tmp_path).policies.policies] == ["contain"]
    (tmp_path / "contain.yaml").write_text("name: [")
    with pytest.raises(PolicyError):
        services(tmp_path).policies  # noqa: B018
