"""What changes are carried out with, where there is no cluster, and no evidence store."""

from __future__ import annotations

from pathlib import Path

from scc_responder.domain.changes import Inspected
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus, done
from scc_responder.execute.means import StepMeans
from tests.kits.executions import ExecutionWorld
from tests.kits.journal_worlds import JournalWorld


def test_without_a_cluster_nothing_is_changed(tmp_path: Path) -> None:
    """The step is skipped, and says why there is nothing to act on."""
    means = StepMeans(ExecutionWorld(journal=JournalWorld(tmp_path / "store.db")).execution())
    assert means.in_cluster(lambda _session: done(Reason.DONE)).status is StepStatus.SKIPPED


def test_a_look_without_a_store_tells_the_case_nothing(tmp_path: Path) -> None:
    """What is not kept is no fact either."""
    execution = ExecutionWorld(journal=JournalWorld(tmp_path / "store.db")).execution()
    looked = Inspected(container="app", frames=iter(()), own_form=False, renew=lambda: None)
    assert StepMeans(execution).keep_inspection(looked).reason == Reason.NO_EVIDENCE_STORE
    assert execution.case.record.inspection is None
