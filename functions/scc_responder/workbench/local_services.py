"""The services of a function on this machine: policies from their YAML, clusters and findings from files if given."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.domain.ports import Clusters, Findings, Signer
from scc_responder.domain.store import CasStore
from scc_responder.pipeline.services import Services
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.stores import open_store


class LocalServices(Services):
    """What a deployment has, but for the files that only this machine has. None of this is in the zip."""

    @cached_property
    def policies(self) -> PolicySet:
        """All policies and guardrails, read and checked. Raises PolicyError."""
        return load_policies(self.settings.policies)

    @cached_property
    def store(self) -> CasStore:
        """The store that settings name: a file of SQLite's, or a collection in Firestore."""
        return open_store(self.settings.store, self.settings.firestore_emulator)

    @cached_property
    def clusters(self) -> Clusters:
        """The file of local clusters, or the GKE API. Raises SettingsError."""
        path = self.settings.clusters_file
        return ClustersFile(Path(path)) if path else super().clusters

    @cached_property
    def findings(self) -> Findings:
        """The folder of local findings, or the Security Command Center API."""
        folder = self.settings.findings
        return FindingsFolder(Path(folder), self.settings.sources) if folder else super().findings

    @cached_property
    def signer(self) -> Signer | None:
        """The key that settings name, or one of this machine's beside a SQLite store."""
        store = self.settings.store
        if self.settings.signing_key or not store.startswith("sqlite:"):
            return super().signer
        from scc_responder.adapters.local.signing_key import SigningKey, key_beside  # noqa: PLC0415

        return SigningKey(key_beside(Path(store.removeprefix("sqlite:///"))))
