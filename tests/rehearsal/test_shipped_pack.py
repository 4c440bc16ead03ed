"""The pack as it is shipped: it rehearses, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.status import CaseState
from tests.e2e.served import unzip
from tests.rehearsal.stage import Stage
from tests.rehearsal.test_rehearsal import WRITES

pytestmark = pytest.mark.timeout(300)


def test_pack_only_rehearses(stage: Stage, tmp_path: Path) -> None:
    """As it is shipped, the same zip changes nothing: every request that would is a dry run, and is admitted."""
    with stage.served(unzip(tmp_path)) as served:
        response = served.respond(stage.victim(), until={CaseState.REHEARSED, CaseState.PARTIAL, CaseState.HELD})

    assert response.case.state is CaseState.REHEARSED
    assert response.log[-1]["logging.googleapis.com/labels"]["reason"] == "dry_run"
    assert len(response.writes) >= len(WRITES)
    assert all(event.dry_run for event in response.writes)
    assert [str(event) for event in response.audit if event.code in {401, 403, 422}] == []
