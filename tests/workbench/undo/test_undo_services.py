"""As whom an undo reaches clusters and Cloud Run: the identity that it is given, and never the function's writer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.settings import read_settings
from scc_responder.workbench.undo.undo_services import UndoServices
from tests.kits.responder import SOURCE


def services(folder: Path, identity: str = "") -> UndoServices:
    store = folder / "journal.db"
    given = {
        "SCC_RESPONDER_CLUSTERS": "projects/*/locations/*/clusters/*",
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": f"sqlite:///{store}",
        "SCC_RESPONDER_RUN_WRITER": "writer@example-project.iam.gserviceaccount.com",
    }
    return UndoServices(read_settings(given, Path("policies")), SqliteStore(store), identity)


def test_changes_are_made_as_the_identity_of_undo(tmp_path: Path) -> None:
    """Both clusters and Cloud Run take its tokens."""
    made = services(tmp_path, "undo@example-project.iam.gserviceaccount.com")
    assert isinstance(made.run_writer, ImpersonatedToken)
    assert isinstance(made.clusters, GkeClusters)
    made.store.close()


def test_what_was_opened_is_closed(tmp_path: Path) -> None:
    """Once, and only where Cloud Run was asked for."""
    made, closed = services(tmp_path), []
    made.close()
    made.run = SimpleNamespace(close=lambda: closed.append("run"))
    made.close()
    assert closed == ["run"]
    made.store.close()


def test_without_it_nothing_of_cloud_run_is_changed(tmp_path: Path) -> None:
    """Not even as the function's own writer, which its settings name."""
    made = services(tmp_path)
    assert made.run_writer is None
    made.store.close()
