"""The demonstration's end: a person takes one case back, and the pod is as it was before its finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scc_responder.cli.case.undo_lines import undo_lines
from scc_responder.cli.demo.presentation import WIDTH, heading
from scc_responder.cli.terminal.screen import Screen
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.finding import case_id
from scc_responder.domain.store import CasStore
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.pipeline.undo.undo import Undo, Undone
from scc_responder.settings import read_settings
from scc_responder.workbench.simulated_cluster.story.observation import Expectation
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from scc_responder.workbench.undo.undo_services import UndoServices

_Pod = Mapping[str, Any]


def desk_services(deployment: StoryFolder, store: CasStore) -> UndoServices:
    """What takes the function's changes back on this machine: the same store, and an identity of its own."""
    return UndoServices(read_settings(deployment.undo_settings, Path("policies")), store)


class UndoScene:
    """The scene. `read` gives the case as it stands, `pods` those of the cluster, `policies` its NetworkPolicies."""

    def __init__(
        self,
        screen: Screen,
        services: UndoServices,
        read: Callable[[], CaseRecord | None],
        pods: Callable[[], Sequence[_Pod]],
        policies: Callable[[], Sequence[_Pod]],
    ) -> None:
        self._screen = screen
        self._services = services
        self._read = read
        self._pods = pods
        self._policies = policies

    def play(self, before: Sequence[_Pod]) -> Iterator[Expectation]:
        """Show it, and check what it comes to. `before` are the pods as they were before all findings."""
        record = self._read()
        if record is None:
            yield Expectation(name="there is a case to take back", held=False)
            return
        case = case_id(record.finding_key)
        command = f"scc-responder case undo {case} --apply --reason 'a load test'"
        self._show(("", heading("A person takes one case back"), f"     {styled(command, 'blue')}"))
        self._screen.wait_for("  undo       reads, takes back, and reads again ...")
        undo = Undo(self._services, record.finding_key, by="the demo's person", said="a load test")
        undone = undo.apply()
        self._show(f"   {line}" for line in undo_lines(undo.cases, undone, WIDTH - 42))
        yield from self._as_before(record, undone, before)

    def _as_before(self, record: CaseRecord, undone: Sequence[Undone], before: Sequence[_Pod]) -> Iterator[Expectation]:
        uid = record.decision["pod"]["uid"]
        was, now = (
            next((pod for pod in pods if pod["metadata"]["uid"] == uid), None) for pods in (before, self._pods())
        )
        held = was is not None and now is not None and _marks(was) == _marks(now)
        yield Expectation(name="labels and annotations of the pod are as before", held=held)
        owners = [
            owner["uid"] for policy in self._policies() for owner in policy["metadata"].get("ownerReferences", ())
        ]
        yield Expectation(name="no network policy isolates the pod any more", held=uid not in owners)
        yield Expectation(name="all of the case was taken back", held=bool(undone) and all(e.is_good for e in undone))
        word = after.word if (after := self._read()) else None
        spoken = word is not None and word.kind is WordKind.UNDONE
        yield Expectation(name="the case keeps the person's word", held=spoken)

    def _show(self, lines: Iterator[str] | Sequence[str]) -> None:
        for line in lines:
            self._screen.line(line)


def _marks(pod: _Pod) -> tuple[dict[str, str], dict[str, str]]:
    meta = pod["metadata"]
    return meta.get("labels") or {}, meta.get("annotations") or {}
