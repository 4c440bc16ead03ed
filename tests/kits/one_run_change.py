"""Carry out one change on a local Cloud Run, as `execute` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scc_responder.actions import Hold, Skip, actions
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.collect.run_facts import MOST_REVISIONS
from scc_responder.domain.changes import Change, StepRun, restored, stored
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.cloud_run.running_executions import MOST_EXECUTIONS
from scc_responder.domain.context import Context, Identity, IdentityLevel
from scc_responder.domain.ports import CloudRunApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result
from tests.kits.decision_contexts import THREAT
from tests.kits.google.cloud_run.samples import CHECKOUT, NIGHTLY, add_job, deploy, image, start_execution
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.run_values import run_finding

SERVICE = RunName.parse(CHECKOUT) or RunName(kind=RunKind.SERVICE, project="", location="", name="")
JOB = RunName.parse(NIGHTLY) or RunName(kind=RunKind.JOB, project="", location="", name="")
GOOD_REVISION, BAD_REVISION = "checkout-00001-abc", "checkout-00002-abc"
PROVED = Identity(level=IdentityLevel.PROVED, reason=Reason.ALL_CHECKS_HELD)


@dataclass
class OneCloudRun:
    """`changes.Means` of one Cloud Run that is reached. `intents` counts what was written ahead."""

    server: CloudRunServer
    api: CloudRunApi
    intents: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def world(self) -> World:
        """What there is."""
        return self.server.world

    @property
    def execution(self) -> Any:
        """The execution of the job, as the server has it."""
        return next(iter(self.world.executions.values()))

    def in_cloud_run(self, change: Callable[[RunSession], Result]) -> Result:
        """Make it there."""
        return change(RunSession(self.api, self._wait))

    def _wait(self, seconds: float) -> None:
        self.seconds.append(seconds)
        time.sleep(min(seconds, 0.05))

    def intend(self) -> None:
        """Count it."""
        self.intents += 1

    def step(self, *, dry_run: bool = False, intended: bool = False) -> StepRun:
        """A step that may be carried out."""
        return StepRun(action_id="a1" * 16, dry_run=dry_run, intended=intended, intend=self.intend, renew=lambda: None)

    def carried_out(self, change: Change, *, dry_run: bool = False, intended: bool = False) -> Result:
        """The outcome of a change, as the journal restores it."""
        means: Any = self
        return restored(stored(change)).carry_out(self.step(dry_run=dry_run, intended=intended), means)

    def service_context(self, revision: str, *digests: str, **more: Any) -> Context:
        """What is read of the service now, where this revision is meant; the finding names images by these digests."""
        revisions = tuple(item.value for item in self.api.list_revisions(SERVICE, MOST_REVISIONS).items)
        fields: dict[str, Any] = {
            "service": self.api.get_service(SERVICE).value,
            "revisions": revisions,
            "revision": next(item for item in revisions if item.name == revision),
            "iam_policy": self.api.get_iam_policy(SERVICE).value,
            "identity": PROVED,
        }
        return Context(finding=run_finding(*digests), threat=THREAT, **{**fields, **more})

    def job_context(self, execution: str, **more: Any) -> Context:
        """What is read of the job now, where this execution is meant."""
        executions = tuple(item.value for item in self.api.list_executions(JOB, MOST_EXECUTIONS).items)
        fields: dict[str, Any] = {
            "job": self.api.get_job(JOB).value,
            "executions": executions,
            "execution": next((item for item in executions if item.name == execution), None),
            "iam_policy": self.api.get_iam_policy(JOB).value,
            "identity": PROVED,
        }
        return Context(finding=run_finding(), threat=THREAT, **{**fields, **more})


@contextmanager
def one_cloud_run(*letters: str, reconcile_seconds: float = 0.05) -> Iterator[OneCloudRun]:
    """A Cloud Run with the service `checkout`, a revision for each of these images: a, then b."""
    world = World(reconcile_seconds=reconcile_seconds)
    with CloudRunServer(world) as server:
        for letter in letters or ("a", "b"):
            deploy(world, image(letter))
        api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
        try:
            yield OneCloudRun(server, api)
        finally:
            api.close()


def planned_on_run(run: OneCloudRun, name: str, **params: Any) -> Sequence[Change]:
    """What an action plans now, where `BAD_REVISION` is meant."""
    action = actions()[name]
    plan = action.plan(run.service_context(BAD_REVISION), action.params(**params))
    assert not isinstance(plan, Skip | Hold), plan.reason
    return plan


def roll_back(run: OneCloudRun) -> Change:
    """The change that gives the requests of `BAD_REVISION` to `GOOD_REVISION`, as planned now."""
    (change,) = planned_on_run(run, "roll_back_service")
    return change


@contextmanager
def one_execution(*, reconcile_seconds: float = 0.05) -> Iterator[tuple[OneCloudRun, Change]]:
    """A Cloud Run where an execution of the job `nightly` runs, and the change that cancels it, as planned now."""
    with one_cloud_run(reconcile_seconds=reconcile_seconds) as run:
        start_execution(run.world, add_job(run.world))
        action = actions()["cancel_execution"]
        plan: Any = action.plan(run.job_context("nightly-x7k2p"), action.params())
        yield run, next(iter(plan))
