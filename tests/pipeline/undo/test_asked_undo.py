"""What came of an undo is told in lines: what is taken back, what stays, and what nobody had done."""

from __future__ import annotations

from pathlib import Path

from scc_responder.domain.reasons import Reason
from scc_responder.journal.again.persons_request import asked_of, open_for_sweep
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import RequestKind
from scc_responder.pipeline.undo.asked_undo import answered_undo
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.undo_nights import ACTIONS, Night, cluster

__all__ = ["cluster"]


def test_each_step_is_a_line(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A rehearsal says what would be, and changes nothing; then it is done; then nothing is left."""
    night = Night(tmp_path, cluster, *ACTIONS)
    record = night.case()
    done = night.state()
    rehearsed = answered_undo(night.undo(record), apply=False)
    assert (rehearsed.reason, night.state()) == ("undone", done)
    assert rehearsed.lines[0].startswith("cordon_node: ")
    applied = answered_undo(night.undo(night.case()), apply=True)
    assert (applied.reason, night.state()) == ("undone", night.before)
    assert {line.partition(": ")[2].partition(",")[0] for line in applied.lines} == {"done"}
    again = answered_undo(night.undo(night.case()), apply=True)
    assert (again.reason, again.lines) == ("nothing_to_undo", ())


def test_an_opening_is_taken_back(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where a person opened the case and no sweep has tried it: by `apply` alone."""
    night = Night(tmp_path, cluster, "label_pod")
    answered_undo(night.undo(night.case()), apply=True)
    opened = open_for_sweep(asked_of(night.case(), RequestKind.TRY, night.deployment.services.clock()))
    night.deployment.services.journal.apply(
        opened.finding_key, lambda _record, _held: replaced(opened), leaves_line=False
    )
    look = answered_undo(night.undo(night.case()), apply=False)
    assert (look.reason, night.case().state) == ("undone", "open")
    assert "opening" in look.lines[0]
    answered_undo(night.undo(night.case()), apply=True)
    assert night.case().state != "open"


def replaced(record: CaseRecord) -> Transition:
    """The record, as a transition."""
    return Transition(reason=Reason.RESUMED_BY_PERSON, status=204, record=record)
