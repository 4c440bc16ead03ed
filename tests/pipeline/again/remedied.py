"""Cases that were left undone, each for one reason, and the person who types what is said of it.

`SITUATIONS` has one for each documented remedy that a person can type: how the case comes to be held, and what the
person does besides, such as mend what the reason names.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import Remedy
from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cli.commands import called
from tests.kits.answers import answered
from tests.kits.responder import RAILS, Deployment, Interposed, deployed, finding_about, policy
from tests.pipeline import test_asked_steps, test_first_shots, test_paused_cluster, test_refused_cluster
from tests.pipeline.again import test_by_itself
from tests.pipeline.looks import test_look_sweep
from tests.pipeline.test_sweep import swept

Object = dict[str, Any]
Change = Callable[[], object]


@dataclass(kw_only=True)
class Night:
    """A case that is left undone. `mend`: what a person does before typing; `minutes` pass before the next sweep."""

    deployment: Deployment
    document: Object
    mend: Change = field(default=lambda: None)
    minutes: float = 0

    @property
    def case(self) -> str:
        """The case's id."""
        return case_id(self.deployment.case(self.document).finding_key)

    @property
    def said(self) -> set[str]:
        """Why the case and its steps stand as they do, without the names that complete the reasons."""
        record = self.deployment.case(self.document)
        read = (Reason.read(text) for text in (record.reason, *(step.reason for step in record.current_steps)))
        return {str(reason.word) for reason in read if reason}

    def to_do(self) -> list[str]:
        """The commands that `case show` says, in their order."""
        shown = self.type(Remedy.ANSWER.typed(case=self.case)).partition("\nTo do\n")[2].partition("\n\n")[0]
        return [line.strip() for line in shown.splitlines() if line.startswith("    ")]

    def type(self, command: str) -> str:
        """Type a command of ours: what it prints. What a cluster's owner types is done by `mend`."""
        words = shlex.split(command.replace("STORE", self.store))
        if words[0] != "scc-responder":
            return ""
        done = called(*words[1:], SCC_RESPONDER_STORE=self.store)
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
        return done.stdout

    @property
    def store(self) -> str:
        """The store's address."""
        return str(self.deployment.services.settings.store)

    def sweep(self) -> None:
        """The next sweep, and the answer of listed people where a plan waits after it."""
        if self.minutes:
            self.deployment.set_clock(lambda: utc_now() + timedelta(minutes=self.minutes))
        swept(self.deployment)
        if self.deployment.case(self.document).state == "waiting":
            answered(self.deployment, self.document)


def _asked(reason: Reason, folder: Path, cluster: SimulatedCluster) -> Night:
    """A deletion that a limit, a breaker or its age holds."""
    setting = next(each.values[0] for each in test_asked_steps.HOLDERS if Reason(str(each.values[1])).word is reason)
    contain, rails, minutes = setting  # type: ignore[misc]
    deployment = deployed(folder, cluster, contain, guardrails=rails)
    return Night(deployment=deployment, document=test_asked_steps.held(deployment, cluster, minutes))


def _met(deployment: Deployment, cluster: SimulatedCluster, **given: Any) -> Night:
    """A finding about the first pod of the shop."""
    document = finding_about(cluster.objects("Pod", "shop")[0])
    deployment.respond_to(document)
    return Night(deployment=deployment, document=document, **given)


def _ruled(rule: str, folder: Path, cluster: SimulatedCluster) -> Night:
    """A rule of the guardrails holds it, and is taken out."""
    deployment = deployed(folder, cluster, policy("isolate_pod"), guardrails=rule)

    def mend() -> None:
        rails = deployment.services.settings.policies / "guardrails.yaml"
        rails.write_text(RAILS)
        deployment.services.policies = load_policies(rails.parent)

    return _met(deployment, cluster, mend=mend)


def _refused(reason: Reason, folder: Path, cluster: SimulatedCluster) -> Night:
    """The API server refuses the NetworkPolicy for a reason, until somebody mends that."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    api = deployment.clusters.api

    def refuse(_number: int, verb: str, path: str) -> None:
        if verb == "create" and "networkpolicies" in path:
            raise ApiError(reason, f"refused: {reason}", status=403)

    deployment.clusters.api = Interposed(api, refuse)
    return _met(deployment, cluster, mend=lambda: setattr(deployment.clusters, "api", api))


def _shut(reason: Reason, folder: Path, cluster: SimulatedCluster) -> Night:
    """No way leads to the cluster, until one is opened."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    connect = deployment.clusters.connect

    def shut(_ref: object) -> Any:
        raise ApiError(reason, "no way")

    vars(deployment.clusters)["connect"] = shut
    return _met(deployment, cluster, mend=lambda: vars(deployment.clusters).update(connect=connect))


def _switched(mode: str, folder: Path, cluster: SimulatedCluster) -> Night:
    """The kill switch holds it."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    deployment.turn(mode)
    return _met(deployment, cluster, minutes=11)


def _without_switch(value: bytes | None, folder: Path, cluster: SimulatedCluster) -> Night:
    """The kill switch's document is not there, or makes no sense: everything is rehearsed."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    entry = deployment.services.store.get(GLOBAL)
    assert entry is not None
    deployment.services.store.delete(GLOBAL, entry.version)
    if value:
        deployment.services.store.create(GLOBAL, value)
    return _met(deployment, cluster)


def _lowered(folder: Path, cluster: SimulatedCluster) -> Night:
    """Somebody lowers the policy while it is at work."""
    deployment = deployed(folder, cluster, policy("label_pod", "isolate_pod"))
    store = str(deployment.services.settings.store)
    lower = ("dry_run", "--policy", "contain", "--for", "2h", "--reason", "INC-1")

    def turned(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            called("control", "set", *lower, "--store", store)

    deployment.clusters.api = Interposed(deployment.clusters.api, after=turned)
    cleared = partial(called, "control", "clear", "--policy", "contain", "--reason", "over", "--store", store)

    def mend() -> None:
        deployment.clusters.api = deployment.clusters.api.api  # type: ignore[attr-defined]
        cleared()

    return _met(deployment, cluster, mend=mend)


def _exempted(folder: Path, cluster: SimulatedCluster) -> Night:
    """A person exempted the threat on the workload by an earlier case."""
    deployment = deployed(folder, cluster, policy("isolate_pod", mode="dry_run"))
    first = _met(deployment, cluster)
    first.type(f"scc-responder case exempt {first.case} --for 24h --reason 'a load test'")
    folder = deployment.services.settings.policies
    (folder / "contain.yaml").write_text(policy("isolate_pod"))
    deployment.services.policies = load_policies(folder)
    document = finding_about(cluster.objects("Pod", "shop")[0], finding_id="b" * 32)
    deployment.list_finding(document, "second")
    deployment.deliver(document)
    return Night(deployment=deployment, document=document)


def _paused(folder: Path, cluster: SimulatedCluster) -> Night:
    """The cluster's owner lets nothing be changed in it."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    let_through = test_paused_cluster.paused(deployment)
    return _met(deployment, cluster, mend=let_through, minutes=16)


def _refusing(folder: Path, cluster: SimulatedCluster, *, before: bool) -> Night:
    """The cluster refuses every read; `before`: it allowed them once."""
    deployment = deployed(folder, cluster, policy("label_pod"))
    if before:
        pod = cluster.objects("Pod", "shop")[1]
        earlier = finding_about(pod, finding_id="c" * 32)
        deployment.list_finding(earlier, "earlier")
        deployment.deliver(earlier)
    return _met(deployment, cluster, mend=test_refused_cluster.refusing(deployment))


def _first_shot(folder: Path, cluster: SimulatedCluster) -> Night:
    """A policy that is new here would have deleted more at once than a limit allows."""
    limits = "limits: {cluster: [{most: 2, within: 10m}]}\n"
    deployment = deployed(folder, cluster, test_first_shots.DELETES, guardrails=test_first_shots.RAILS + limits)
    documents = test_first_shots.told_of(test_first_shots.pods(cluster, 4))
    test_first_shots.deliver_all(documents, deployment)
    test_first_shots.swept(deployment, test_first_shots.LATER)
    return Night(deployment=deployment, document=documents[0])


def _asked_too_late(folder: Path, cluster: SimulatedCluster) -> Night:
    """Nobody answered the plan in time."""
    night = _met(deployed(folder, cluster, policy("isolate_pod", mode="approve")), cluster)
    night.deployment.set_clock(lambda: utc_now() + timedelta(hours=5))
    swept(night.deployment)
    return night


def _unasked(folder: Path, cluster: SimulatedCluster) -> Night:
    """A sweep went on with what can be undone; a deletion waits for a person."""
    contain = policy("isolate_pod", "delete_pod")
    deployment = deployed(folder, cluster, contain, guardrails=test_by_itself.ONE)
    documents = test_by_itself.delivered(deployment, cluster.objects("Pod", "shop"))
    test_by_itself.swept(deployment, 16)
    return Night(deployment=deployment, document=documents[1], minutes=18)


def _fought_over(folder: Path, cluster: SimulatedCluster) -> Night:
    """Somebody takes the isolation away, three times."""
    deployment = deployed(folder, cluster, policy("isolate_pod"))
    night = _met(deployment, cluster, minutes=5)
    for number in range(1, 4):
        test_look_sweep.remove_label(cluster, cluster.objects("Pod", "shop")[0])
        test_look_sweep.later(deployment, number * test_look_sweep.MINUTE)
        test_look_sweep.looked(deployment)
    return night


REFUSALS = (
    Reason.KUBERNETES_FORBIDDEN,
    Reason.ADMISSION_DENIED,
    Reason.ADMISSION_WEBHOOK_DENIED,
    Reason.QUOTA_EXCEEDED,
    Reason.NAMESPACE_TERMINATING,
)
WAYS = tuple(reason for reason in Reason if reason.is_beyond_reach)
SITUATIONS: Mapping[Reason, Callable[[Path, SimulatedCluster], Night]] = {
    Reason.LIMIT: partial(_asked, Reason.LIMIT),
    Reason.STORM_BREAKER: partial(_asked, Reason.STORM_BREAKER),
    Reason.FINDING_TOO_OLD: partial(_asked, Reason.FINDING_TOO_OLD),
    Reason.FIRST_SHOT_TOO_WIDE: _first_shot,
    Reason.WAITS_FOR_PERSON: _unasked,
    Reason.MODE_LOWERED_BY: _lowered,
    Reason.EXEMPT: _exempted,
    Reason.CONTROL_DISABLED: partial(_switched, "disabled"),
    Reason.CLUSTER_PAUSED: _paused,
    Reason.CLUSTER_NOT_ONBOARDED: partial(_refusing, before=False),
    Reason.CLUSTER_ACCESS_LOST: partial(_refusing, before=True),
    Reason.FOUGHT_OVER: _fought_over,
    Reason.APPROVAL_EXPIRED: _asked_too_late,
    Reason.NAMESPACE_PROTECTED: partial(_ruled, "protected: {namespaces: [shop]}\n"),
    Reason.WORKLOAD_PROTECTED: partial(_ruled, "protected: {workloads: [shop/Deployment/web]}\n"),
    **{reason: partial(_refused, reason) for reason in REFUSALS},
    **{reason: partial(_shut, reason) for reason in WAYS},
}
"""By the reason for which the case is left undone, as `case show` says it with the commands."""

REHEARSED: Mapping[Reason, Callable[[Path, SimulatedCluster], Night]] = {
    Reason.CONTROL_MISSING: partial(_without_switch, None),
    Reason.CONTROL_UNUSABLE: partial(_without_switch, b"{}"),
}
"""The same where everything was rehearsed: a notice says the commands."""
