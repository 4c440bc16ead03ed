"""Watch the main job on this machine, with nothing but Python: no account, no cluster, no network.

The function is the real one, under functions-framework, with a SQLite journal. Security Command Center, Pub/Sub's
pushes and the cluster are played. The shipped policies are copied and, but for one, raised to `enforce`.
What is shown is read from the journal and from the cluster's audit log; it ends with 0 only if everything came as it
had to.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.demo import presentation
from scc_responder.cli.demo.function_process import FunctionError, FunctionProcess
from scc_responder.cli.serve import function_folder
from scc_responder.cli.terminal.listening import port_or_any
from scc_responder.cli.terminal.screen import Screen
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.guard.kill_switch import Setting
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.workbench.policy_files.shipped_pack import PACK
from scc_responder.workbench.simulated_cluster.server.request import AuditEvent
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story import aftermath, observation
from scc_responder.workbench.simulated_cluster.story.notifications import push_body
from scc_responder.workbench.simulated_cluster.story.observation import Observation, proof
from scc_responder.workbench.simulated_cluster.story.scenario import NODES, Delivery, deliveries, populate
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder

if TYPE_CHECKING:
    from scc_responder.workbench.simulated_cloud_run.run_server import SimulatedCloudRun

_CLONE = Path(__file__).parents[4]
_ANSWER_SECONDS = 0.06
"""How long the cluster takes for an answer where a person watches: as a real one might over some distance."""
_RECONCILE_SECONDS = 0.3
"""How long the Cloud Run that is played takes for a change; the real one some seconds."""

_POLL_SECONDS = 0.02
_PAUSE_SECONDS = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `demo`."""
    parser.add_argument("--port", type=port_or_any, default=0, help="port of the function; 0 chooses a free one")
    parser.add_argument("--policies", type=Path, metavar="DIR", help="other policies than the shipped ones")
    parser.add_argument("--keep", action="store_true", help="keep the journal, evidence and log, and say where")


def run(options: argparse.Namespace) -> int:
    """Show it. 0 if everything came as it had to, else 1."""
    # Google's clients are read once it is shown: not for its help.
    from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world  # noqa: PLC0415
    from scc_responder.workbench.simulated_cloud_run.run_server import SimulatedCloudRun  # noqa: PLC0415

    screen = Screen()
    with (
        _ended_in_order(),
        _folder(keep=options.keep) as folder,
        SimulatedCluster(delay_seconds=_ANSWER_SECONDS if screen.live else 0) as cluster,
        SimulatedCloudRun(checkout_world(_RECONCILE_SECONDS)) as cloud_run,
        ThreadPoolExecutor(1) as pool,
    ):
        deployment = StoryFolder(folder)
        deployment.run_endpoint = cloud_run.endpoint
        try:
            good = Demo(screen, cluster, cloud_run, deployment, pool).play(options)
        except FunctionError as error:
            print(f"scc-responder: {visible_lines(str(error))}", file=sys.stderr)
            good = False
    return 0 if good else 1


class Demo:
    """One showing."""

    def __init__(
        self,
        screen: Screen,
        cluster: SimulatedCluster,
        cloud_run: SimulatedCloudRun,
        deployment: StoryFolder,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._screen = screen
        self._cluster = cluster
        self._cloud_run = cloud_run
        self._deployment = deployment
        self._pool = pool
        self._store = SqliteStore(deployment.journal)
        self._journal = Journal(self._store, utc_now)

    def play(self, options: argparse.Namespace) -> bool:
        """Show everything; whether all came as it had to."""
        populate(self._cluster)
        before = self._cluster.objects("Pod")
        raised = self._deployment.lay_out(self._cluster, options.policies or PACK)
        SwitchDocuments(self._store).set(Setting(mode=Mode.ENFORCE, reason="demo", by="demo", at=utc_now()))
        self._lines(presentation.opening(self._cluster.url, len(NODES), len(before), self._cloud_run.endpoint, raised))
        self._screen.wait_for("  function   starting functions-framework ...")
        function = FunctionProcess(function_folder(), self._deployment.log, self._deployment.settings, options.port)
        with function:
            self._screen.line(
                presentation.fact("function", f"the real one, under functions-framework on {function.url}")
            )
            story = deliveries(before, utc_now())
            seen = [self._deliver(function, n, len(story), item) for n, item in enumerate(story, start=1)]
            of_cloud_run = self._answer(function, story)
        from scc_responder.cli.demo.console_scene import ConsoleScene  # noqa: PLC0415 - see `run`

        with ConsoleScene(self._screen, self._deployment, self._store) as console:
            good = self._conclude(before, seen, [*of_cloud_run, *console.play()])
            self._lines(presentation.next_steps(_CLONE, self._deployment, kept=options.keep))
            console.stay()
        return good

    def _deliver(self, function: FunctionProcess, number: int, of: int, delivery: Delivery) -> Observation:
        """Push one message, show its steps as they happen, and return it."""
        self._screen.pause(_PAUSE_SECONDS)
        self._lines(("", *presentation.introduction(number, of, delivery)))
        if delivery.listed:
            (self._deployment.findings / f"{number}.json").write_bytes(delivery.data)
        message_id, first, began = f"demo-{number}", len(self._cluster.audit), time.monotonic()
        answer = self._pool.submit(function.push, push_body(delivery.data, message_id, utc_now()))
        self._follow(answer, delivery, first)
        seconds, line, record = time.monotonic() - began, function.logged(message_id), self._record(delivery)
        seen = Observation(
            number=number,
            delivery=delivery,
            status=answer.result(),
            line=line,
            steps=record.steps if record else (),
            decision=record.decision if record else {},
            events=self._events(first),
            seconds=seconds,
        )
        self._lines(presentation.ending(seen))
        return seen

    def _answer(self, function: FunctionProcess, story: Sequence[Delivery]) -> list[observation.Expectation]:
        """Approve the plan that waits, and take back what it did."""
        from scc_responder.cli.demo.run_scene import RunScene  # noqa: PLC0415 - see `run`
        from scc_responder.cli.demo.undo_scene import desk_services  # noqa: PLC0415 - see `run`

        self._screen.pause(_PAUSE_SECONDS)
        escape = next(item for item in story if item.reason == Reason.WAITING_FOR_APPROVAL)
        services = desk_services(self._deployment, self._store)
        scene = RunScene(self._screen, self._cloud_run, lambda: self._record(escape), function.url, services)
        return list(scene.play())

    def _take_back(self, before: Sequence[ApiObject], seen: Sequence[Observation]) -> list[observation.Expectation]:
        """Take the case of an isolated pod back."""
        from scc_responder.cli.demo.undo_scene import UndoScene, desk_services  # noqa: PLC0415 - see `run`

        self._screen.pause(_PAUSE_SECONDS)
        wrong = next(item.delivery for item in seen if item.delivery.fate == "isolated")
        scene = UndoScene(
            self._screen,
            desk_services(self._deployment, self._store),
            lambda: self._record(wrong),
            lambda: self._cluster.objects("Pod"),
            lambda: self._cluster.objects("NetworkPolicy"),
        )
        return list(scene.play(before))

    def _follow(self, answer: Future[int], delivery: Delivery, first: int) -> None:
        """Show each step once, as soon as the journal has its outcome, and the audit log its proof.

        What waits for a person stands in the journal before what a policy that comes earlier does last.
        """
        shown: set[tuple[str, int]] = set()
        over = False
        while not over:
            over = answer.done()
            record, events = self._record(delivery), self._events(first)
            settled = [step for step in record.steps if step.is_settled] if record else []
            for step in (step for step in settled if (step.action_id, step.index) not in shown):
                if not over and step.status == StepStatus.DONE and not proof(step, events, self._deployment.evidence):
                    break
                self._screen.line(presentation.step(step, events, self._deployment.evidence))
                shown.add((step.action_id, step.index))
            self._screen.wait_for(presentation.waiting(events))
            time.sleep(0 if over else _POLL_SECONDS)

    def _record(self, delivery: Delivery) -> CaseRecord | None:
        """The case of a finding that is delivered for the first time."""
        return self._journal.read(parse_notification(delivery.data).key) if delivery.listed else None

    def _events(self, first: int) -> tuple[AuditEvent, ...]:
        return tuple(self._cluster.audit[first:])

    def _conclude(
        self,
        before: Sequence[ApiObject],
        seen: Sequence[Observation],
        of_cloud_run: Sequence[observation.Expectation],
    ) -> bool:
        """Show what has become of the cluster, and check everything."""
        found = aftermath.aftermath(before, self._cluster)
        fates = {item.delivery.target: item.delivery.fate for item in seen if item.delivery.listed}
        checks = [
            check for item in seen for check in observation.delivery_expectations(item, self._deployment.evidence)
        ]
        checks += [*aftermath.aftermath_expectations(found, before, fates), *of_cloud_run]
        self._screen.pause(_PAUSE_SECONDS)
        self._lines(("", presentation.heading("The cluster now"), *presentation.aftermath_lines(found)))
        checks += self._take_back(before, seen)
        self._screen.pause(_PAUSE_SECONDS)
        self._lines(
            ("", presentation.heading("The deliveries"), *presentation.table(seen), "", *presentation.verdict(checks))
        )
        return all(check.held for check in checks)

    def _lines(self, lines: Iterator[str] | Sequence[str]) -> None:
        for line in lines:
            self._screen.line(line)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="scc-responder-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let signals that would end this process at once unwind it, so that nothing it started is left behind."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
