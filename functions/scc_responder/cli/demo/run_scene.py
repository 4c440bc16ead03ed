"""The demonstration's part on Cloud Run: a person approves the plan that waits, and takes all of it back."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.cli.demo.presentation import WIDTH, heading
from scc_responder.cli.terminal.screen import Screen
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.changes import restored
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.finding import case_id
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.entrypoint.console.answer_client import send
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import MEANINGS, contained_seconds, containment
from scc_responder.journal.plan import plan_summary
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.simulated_cloud_run.run_server import SimulatedCloudRun
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE
from scc_responder.workbench.simulated_cluster.story.observation import Expectation
from scc_responder.workbench.undo.undo_services import UndoServices

_INDENT = "     "
_GOOD = "checkout-00001-abc"
_ASKED = ("roll_back_service", "cut_ingress", "scale_to_zero")


class RunScene:
    """The scene, after the escape was delivered.

    `read` gives the case as it stands; `url` is the function's; `services` take changes back.
    """

    def __init__(
        self,
        screen: Screen,
        server: SimulatedCloudRun,
        read: Callable[[], CaseRecord | None],
        url: str,
        services: UndoServices,
    ) -> None:
        self._screen = screen
        self._server = server
        self._read = read
        self._url = url
        self._services = services
        self._api = CloudRunAdmin(endpoint=server.endpoint)

    def play(self) -> Iterator[Expectation]:
        """Show it, and check each part of it."""
        self._show(("", heading("A person approves what waits on Cloud Run, and takes it back")))
        record = self._read()
        if record is None or record.plan is None:
            yield Expectation(name="a plan of Cloud Run waits for a person", held=False)
            return
        before, written = self._service(), len(self._server.world.writes)
        self._show(plan_lines(record))
        taken = self._approve(record)
        yield Expectation(name="the approval was taken", held=taken)
        record = self._read() or record
        changes = [step for step in record.current_steps if step.action in _ASKED]
        self._show(self._done_lines(changes))
        yield from self._contained(record, changes, written)
        self._take_back(record)
        yield from self._as_before(before, written)
        self._api.close()

    def _approve(self, record: CaseRecord) -> bool:
        case, digest = case_id(record.finding_key), record.plan.digest if record.plan else ""
        command = f"scc-responder case approve {case} --plan {digest[:12]} --url {self._url}"
        self._show(("", f"{_INDENT}{styled(command, 'blue')}"))
        self._screen.wait_for("  approved: the function changes the service, and reads it back ...")
        answer = send(self._url, "approve", {"case": case, "plan": digest, "reason": "the demo's person"}, "")
        return answer.says("approve", case, digest)

    def _done_lines(self, steps: Sequence[Step]) -> Iterator[str]:
        service = self._service()
        for step in steps:
            yield _outcome(step.action, step.status, step.reason, step.detail, holds=_holds(step, service))
        record = self._read()
        if record and (reached := containment(record.current_steps)):
            seconds = contained_seconds(record)
            since = "" if seconds is None else f"; {seconds:.1f} s from event to containment"
            yield from _wrapped(f"{reached}: {MEANINGS[reached]}{since}")

    def _contained(self, record: CaseRecord, steps: Sequence[Step], written: int) -> Iterator[Expectation]:
        service = self._service()
        served = [(item.revision, item.percent) for item in service.traffic_statuses]
        yield Expectation(name=f"all requests go to {_GOOD}, not {served}", held=served == [(_GOOD, 100)])
        kept = {step.action: _holds(step, service) for step in steps if step.status is StepStatus.DONE}
        yield Expectation(name=f"each change of Cloud Run holds: {kept}", held=kept == dict.fromkeys(_ASKED, True))
        yield Expectation(name=f"the case is done, not {record.state}", held=record.state is CaseState.DONE)
        yield Expectation(name="the threat in Cloud Run is contained", held=contained_seconds(record) is not None)
        writes = len(self._server.world.writes) - written
        yield Expectation(name=f"each change is one write, not {writes} writes", held=writes == len(_ASKED))

    def _as_before(self, before: RunService, written: int) -> Iterator[Expectation]:
        now = self._service()
        for name in ("traffic", "ingress", "scaling"):
            held = getattr(now, name) == getattr(before, name)
            yield Expectation(name=f"{name} of the service is as before", held=held)
        writes = len(self._server.world.writes) - written
        yield Expectation(name=f"each is taken back by one write, not by {writes}", held=writes == 2 * len(_ASKED))

    def _take_back(self, record: CaseRecord) -> None:
        case = case_id(record.finding_key)
        self._show(("", f"{_INDENT}{styled(f'scc-responder case undo {case} --apply', 'blue')}"))
        for each in Undo(self._services, record.finding_key, by="the demo's person").apply():
            result, step = each.result, each.item.step
            told = (step.action, result.status, result.reason, result.detail)
            self._show((_outcome(*told, holds=result.status is StepStatus.DONE),))
        self._services.close()

    def _service(self) -> RunService:
        name = cast("RunName", RunName.parse(CHECKOUT_SERVICE))
        return self._api.get_service(name).value

    def _show(self, lines: Iterator[str] | Sequence[str]) -> None:
        for line in lines:
            self._screen.line(line)


def plan_lines(record: CaseRecord) -> Iterator[str]:
    """What would be done, and what people will feel of it, as `case show` says it."""
    if record.plan is None:
        return
    for number, step in enumerate(plan_summary(record.finding_key, record.plan)["steps"], start=1):
        yield f"{_INDENT}{number}. {styled(step['action'], 'bold')}"
        for felt in step.get("felt", ()):
            yield from _wrapped(f"felt {felt}", "   ")


def _wrapped(text: str, more: str = "") -> Iterator[str]:
    indent = f"{_INDENT}{more}"
    return iter(textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent))


def _holds(step: Step, service: RunService) -> bool:
    """Whether the service, as it was just read, is as the step's change wanted it."""
    holds = getattr(restored(step.change), "holds", None)
    return bool(holds and holds(service))


def _outcome(action: str, status: str, reason: str, detail: str, *, holds: bool = False) -> str:
    parts = (
        f"{_INDENT}{action:<19}",
        styled(f"{status:<8} ", "green" if status == "done" else "yellow"),
        styled(f"{reason:<18}", "bold"),
        styled(f"{'verified' if holds else '':<10}", "green"),
        styled(detail[: WIDTH - 61], "dim"),
    )
    return "".join(parts)
