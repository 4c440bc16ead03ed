"""The services of an undo at a desk: the store as who you are, clusters and Cloud Run as the identity of undo."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.domain.ports import Clusters
from scc_responder.domain.store import CasStore
from scc_responder.settings import VARIABLE_PREFIX, Settings
from scc_responder.workbench.local_services import LocalServices

UNDO_IDENTITY = f"{VARIABLE_PREFIX}UNDO_IDENTITY"
"""The service account that people act as to take changes back. The function has no such setting."""


class UndoServices(LocalServices):
    """`identity` is an e-mail address; empty: clusters are reached as who you are, and Cloud Run is not changed."""

    def __init__(self, settings: Settings, store: CasStore, identity: str = "") -> None:
        super().__init__(settings)
        self.store = store
        self._identity = identity

    @cached_property
    def clusters(self) -> Clusters:
        """The file of local clusters, or GKE's API with tokens of the identity. Raises SettingsError."""
        settings = self.settings
        if settings.clusters_file or self.run_writer is None:
            return super().clusters
        from scc_responder.adapters.google.gke.gke_clusters import GkeClusters  # noqa: PLC0415 - see `Services`

        return GkeClusters(
            endpoint=settings.gke_endpoint,
            token=self.run_writer,
            connect_gateway=settings.connect_gateway,
            vpc_egress=settings.vpc_egress,
        )

    @cached_property
    def run_writer(self) -> Callable[[], str] | None:
        """Tokens of the identity of undo, and never those of the function's own writer; None without one."""
        if not self._identity:
            return None
        return ImpersonatedToken(self._identity, endpoint=self.settings.iam_credentials_endpoint, token=self._token)

    def close(self) -> None:
        """Close the connections to Cloud Run, if there are any."""
        opened: Any = vars(self).get("run")
        if opened is not None:
            opened.close()
