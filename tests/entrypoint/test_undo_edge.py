"""The service of undo: what starts it, as whom it acts, and that it does nothing but take back."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.store import CasStore
from scc_responder.entrypoint.http_edge import make_services
from scc_responder.entrypoint.undo_edge import DeployedUndoServices, handle_undo, make_undo_services
from scc_responder.pipeline.later.left_notices import LEFT_NOTICES
from scc_responder.pipeline.services import Services
from scc_responder.policy.compiled import COMPILED_FILE
from scc_responder.workbench.policy_files.policy_file import compile_policies
from tests.kits.local_store import LocalStoreServices
from tests.kits.responder import policy, write_policies

SETTINGS = {
    "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*",
    "SCC_RESPONDER_SOURCES": "1111111111111111111",
    "SCC_RESPONDER_RUN_WRITER": "writer@example-project.iam.gserviceaccount.com",
    "SCC_RESPONDER_OUTCOME_TOPIC": "projects/example-project/topics/outcomes",
}


class UndoOnThisMachine(DeployedUndoServices, LocalStoreServices):
    """The deployed one, but for the store."""


def services(folder: Path) -> Services:
    policies = write_policies(folder / "policies", policy("label_pod"))
    (policies / COMPILED_FILE).write_bytes(compile_policies(policies))
    store = {"SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}"}
    return make_services(folder, {**SETTINGS, **store}, UndoOnThisMachine)


class Request:
    """A Flask request, as far as the service looks at one."""

    def __init__(self, method: str, path: str, body: bytes = b"{}") -> None:
        self.method, self.path, self.stream = method, path, BytesIO(body)
        self.headers = {"Content-Type": "application/json"}
        self.remote_addr = "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/undo", 403),
        ("POST", "/rehearse_undo", 403),
        ("GET", "/undo", 405),
        ("HEAD", "/rehearse_undo", 405),
        ("PUT", "/undo", 405),
        *((method, path, 404) for method in ("GET", "POST") for path in ("/", "/approve", "/sweep", "/undo/", "/Undo")),
    ],
)
def test_it_takes_an_undo_and_nothing_else(tmp_path: Path, method: str, path: str, status: int) -> None:
    """Who proves nothing gets nothing, from this machine, too; no finding, approval or sweep is taken."""
    request: Any = Request(method, path)
    body, answered, _ = handle_undo(request, services(tmp_path))
    assert answered == status
    assert ("no_assertion" in body) == (status == 403)
    assert request.stream.tell() == (2 if status == 403 else 0)


def test_it_acts_as_itself(tmp_path: Path) -> None:
    """Never as the function's writer, though settings should name it; and nothing is sent by routes."""
    made = services(tmp_path)
    assert isinstance(made.run_writer, AccessToken)
    vars(made)["policies"] = SimpleNamespace(routes=("a route",))
    assert made.lanes is None
    assert made.notifier is None


def test_what_is_to_be_told_is_left_to_the_sweep(tmp_path: Path) -> None:
    """It may not publish: a notice is in the store, for the function."""
    made = services(tmp_path)
    made.notify(Notice(kind=NoticeKind.UNDONE, severity=NoticeSeverity.NOTICE, reason="undone", facts={}))
    store: CasStore = made.store
    assert len(store.scan(LEFT_NOTICES).entries) == 1


def test_a_local_store_stops_the_start(tmp_path: Path) -> None:
    """As with the function."""
    services(tmp_path)
    with pytest.raises(SettingsError, match="SCC_RESPONDER_STORE is for local use"):
        make_undo_services(tmp_path, {**SETTINGS, "SCC_RESPONDER_STORE": f"sqlite:///{tmp_path / 'journal.db'}"})
