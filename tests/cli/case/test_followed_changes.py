"""Whatever command or sweep changes a case, `case verify --log` follows it: nothing of ours is a gap in the log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.pipeline.looks.look_sweep import look_sweep
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.again import again
from tests.kits.answers import HERE, answered
from tests.kits.compromised_pod import cluster, pod
from tests.kits.responder import Deployment, api_of, deployed, finding_about, policy, rewritten
from tests.kits.undo_nights import Night
from tests.pipeline.test_sweep import later, swept

__all__ = ["cluster", "pod"]

Object = dict[str, Any]
Differences = list[tuple[str, str]]
MINUTES = timedelta(minutes=20)


class Followed:
    """A finding's case in a deployment, and what `case verify` says of it by everything that was logged and told."""

    def __init__(self, deployment: Deployment, document: Object) -> None:
        self.deployment, self.document = deployment, document
        self.store = str(deployment.folder / "journal.db")

    @property
    def case(self) -> str:
        return case_id(self.deployment.case(self.document).finding_key)

    def typed(self, *words: str) -> None:
        """Run a command of `case` on it."""
        assert main(["case", words[0], self.case, *words[1:], "--store", self.store]) == 0

    def checked(self, capsys: pytest.CaptureFixture[str]) -> Differences:
        """What differs."""
        said = self.deployment.folder / "said.jsonl"
        lines = [*self.deployment.lines, *self.deployment.published.messages]
        said.write_text("\n".join(map(json.dumps, lines)))
        capsys.readouterr()
        main(["case", "verify", self.case, "--store", self.store, "--log", str(said), "--format", "json"])
        wrong = json.loads(capsys.readouterr().out)["record"]["differences"]
        return [(each["reason"], each["where"]) for each in wrong]


def rehearsed(folder: Path, cluster: SimulatedCluster, pod: Object) -> Followed:
    """One that was rehearsed, and whose policy acts by now."""
    deployment, document = deployed(folder, cluster, policy("isolate_pod", mode="dry_run")), finding_about(pod)
    deployment.respond_to(document)
    rewritten(deployment, policy("isolate_pod"))
    return Followed(deployment, document)


def too_old(folder: Path, cluster: SimulatedCluster, pod: Object) -> Followed:
    """One whose deletion its age held."""
    deployment = deployed(folder, cluster, policy("label_pod", "capture_evidence", "delete_pod", "notify"))
    document = finding_about(pod)
    deployment.list_finding(document)
    later(deployment, timedelta(minutes=40))
    deployment.deliver(document)
    return Followed(deployment, document)


def waiting(folder: Path, cluster: SimulatedCluster, pod: Object) -> Followed:
    """One whose plan waits."""
    deployment, document = deployed(folder, cluster, policy("isolate_pod", mode="approve")), finding_about(pod)
    deployment.respond_to(document)
    return Followed(deployment, document)


def isolated(folder: Path, cluster: SimulatedCluster, pod: Object) -> Followed:
    """One whose pod is isolated."""
    deployment, document = deployed(folder, cluster, policy("isolate_pod", "notify")), finding_about(pod)
    deployment.respond_to(document)
    return Followed(deployment, document)


def tried_again(followed: Followed, _cluster: SimulatedCluster) -> None:
    followed.typed("resume", "--apply")


def policy_tried_again(followed: Followed, _cluster: SimulatedCluster) -> None:
    assert main(["case", "resume", "--policy", "contain", "--apply", "--store", followed.store]) == 0


def step_asked_for(followed: Followed, _cluster: SimulatedCluster) -> None:
    followed.typed("do", "delete_pod", "--reason", "it is real")


def step_asked_for_again(followed: Followed, _cluster: SimulatedCluster) -> None:
    """The plan of the first time was answered: it is void now."""
    followed.typed("do", "delete_pod", "--reason", "it is real")
    swept(followed.deployment)
    plan = followed.deployment.case(followed.document).plan
    assert plan is not None
    later(followed.deployment, plan.expires_at - utc_now() + timedelta(minutes=1))
    swept(followed.deployment)
    followed.typed("do", "delete_pod", "--reason", "it is real")


def exempted(followed: Followed, _cluster: SimulatedCluster) -> None:
    followed.typed("exempt", "--for", "1h", "--reason", "a load test")


def marked(followed: Followed, _cluster: SimulatedCluster) -> None:
    followed.typed("mark", "wrong", "--reason", "a load test")


def taken_away(followed: Followed, cluster: SimulatedCluster) -> None:
    """Somebody deletes the NetworkPolicy; the first look finds that, and puts it back."""
    (made,) = cluster.objects("NetworkPolicy")
    path = api_paths.network_policy("shop", made["metadata"]["name"])
    api_of(cluster, "admin").delete(path, {})
    later(followed.deployment, timedelta(minutes=2))
    look_sweep(HERE, "127.0.0.1", followed.deployment.services)
    assert len(cluster.objects("NetworkPolicy")) == 1


def looked_at(followed: Followed, _cluster: SimulatedCluster) -> None:
    later(followed.deployment, timedelta(minutes=2))
    look_sweep(HERE, "127.0.0.1", followed.deployment.services)


def happens_again(followed: Followed, _cluster: SimulatedCluster) -> None:
    again(followed.deployment, followed.document)


def rejected(followed: Followed, _cluster: SimulatedCluster) -> None:
    answered(followed.deployment, followed.document, "reject", reason="no")


def exempted_and_approved(followed: Followed, cluster: SimulatedCluster) -> None:
    """Nobody can approve by then what a person has exempted."""
    exempted(followed, cluster)
    came = answered(followed.deployment, followed.document, "approve")
    assert (came.status, came.reason.split(":")[0]) == (409, "exempt")


CHANGED = {
    "resume": (rehearsed, tried_again),
    "resume --policy": (rehearsed, policy_tried_again),
    "do": (too_old, step_asked_for),
    "do, once more": (too_old, step_asked_for_again),
    "exempt": (waiting, exempted),
    "exempt, and approve": (waiting, exempted_and_approved),
    "mark": (isolated, marked),
    "reject": (waiting, rejected),
    "a look": (isolated, looked_at),
    "put back": (isolated, taken_away),
    "a newer event": (isolated, happens_again),
}

ASKED = {"resume", "resume --policy", "do", "do, once more", "exempt", "exempt, and approve"}
"""What a desk asks for, and the next sweep does."""


@pytest.mark.parametrize("name", CHANGED)
def test_the_log_follows_whatever_changes_a_case(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """At once, after the next sweep, and once its plan has expired."""
    made, change = CHANGED[name]
    followed = made(tmp_path, cluster, pod)
    change(followed, cluster)
    assert followed.checked(capsys) == []
    before = followed.deployment.case(followed.document)
    swept(followed.deployment)
    assert followed.checked(capsys) == []
    later(followed.deployment, timedelta(days=2))
    swept(followed.deployment)
    assert followed.checked(capsys) == []
    assert (name in ASKED) == (before.request is not None)
    assert followed.deployment.case(followed.document).request is None


def test_an_exempted_plan_ends_with_the_next_sweep(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Nothing of it waits then, and the case says why."""
    followed = waiting(tmp_path, cluster, pod)
    exempted(followed, cluster)
    assert swept(followed.deployment)["exempted"] == 1
    record = followed.deployment.case(followed.document)
    assert record.plan is not None
    assert record.word is not None
    assert (record.state, record.plan.state, record.word.kind) == ("held", "rejected", "exempted")
    assert {(step.status, step.reason) for step in record.steps if step.action == "isolate_pod"} == {
        ("held", f"exempt:{followed.case}")
    }
    assert (record.request, swept(followed.deployment).get("exempted")) == (None, None)


def test_the_messages_follow_what_is_taken_back(
    tmp_path: Path, cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """An undo has no line in the log of the function: its message has both heads."""
    night = Night(tmp_path, cluster, "label_pod", "isolate_pod")
    followed = Followed(night.deployment, finding_about(night.pod, finding_id=f"{1:032x}"))
    undone = night.undo(night.case()).apply()
    assert {each.result.reason for each in undone} == {"undone"}
    assert followed.checked(capsys) == []
    (line,) = night.deployment.lines
    (tmp_path / "lines.jsonl").write_text(json.dumps(line))
    assert (
        main(["case", "verify", followed.case, "--store", followed.store, "--log", str(tmp_path / "lines.jsonl")]) == 1
    )
    assert "case undo has no line in the log: give its messages, too" in capsys.readouterr().out
    swept(night.deployment)
    assert followed.checked(capsys) == []


def test_an_opening_that_is_taken_back_changes_no_step(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, capsys: pytest.CaptureFixture[str]
) -> None:
    """The case is as it had ended, with the person's word."""
    followed = rehearsed(tmp_path, cluster, pod)
    before = followed.deployment.case(followed.document)
    tried_again(followed, cluster)
    Undo(followed.deployment.services, before.finding_key, by="ann").end_opening()
    after = followed.deployment.case(followed.document)
    assert (after.steps, after.state, after.request) == (before.steps, "rehearsed", None)
    assert after.word is not None
    assert (followed.checked(capsys), swept(followed.deployment).get("resumed")) == ([], None)


def _held_step(record: CaseRecord) -> Transition:
    """Nothing of it was done: a limit held it."""
    held = tuple(replace(step, status="held", reason=Reason.FINDING_TOO_OLD) for step in record.steps)
    return Transition(reason=Reason.AT_REST, status=204, record=replace(record, state="held", steps=held))


def test_what_leaves_no_line_changes_no_step(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A desk's write that would change one is an error of the command, and nothing is stored."""
    followed = isolated(tmp_path, cluster, pod)
    record = followed.deployment.case(followed.document)
    journal = followed.deployment.services.journal
    with pytest.raises(ValueError, match="changes no step and no plan"):
        journal.apply(record.finding_key, lambda record, _held: _held_step(record), leaves_line=False)
    assert followed.deployment.case(followed.document) == record
