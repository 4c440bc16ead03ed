"""`case undo`: what it says, what it does, and how it ends, at a desk of its own."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import split
from subprocess import CompletedProcess
from typing import Any

import pytest

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import write_access
from tests.cli.commands import called
from tests.kits.responder import CLUSTER, SOURCE, api_of
from tests.kits.undo_nights import ACTIONS, Night, cluster
from tests.pipeline.test_sweep import swept

__all__ = ["cluster"]


class Desk:
    """A night with one case, and the command with the settings of the deployment."""

    def __init__(self, folder: Path, cluster: SimulatedCluster) -> None:
        self.night = Night(folder, cluster, *ACTIONS)
        self.case = case_id(self.night.case().finding_key)
        self.clusters = folder / "clusters.yaml"
        write_access(cluster, "undo", self.clusters)
        self.clusters.write_text(self.clusters.read_text().replace(STORY_CLUSTER, CLUSTER))
        self.settings = {
            "SCC_RESPONDER_CLUSTERS": CLUSTER,
            "SCC_RESPONDER_SOURCES": SOURCE,
            "SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}",
            "SCC_RESPONDER_CLUSTERS_FILE": str(self.clusters),
        }

    def undo(self, *options: str) -> CompletedProcess[str]:
        return called("case", "undo", self.case, *options, **self.settings)

    def exempt(self) -> list[str]:
        """The cases of the exemptions that stand."""
        shown = called("control", "show", "--format", "json", **self.settings)
        documents = json.loads(shown.stdout)["documents"]
        return [item["case"] for document in documents for item in document["control"]["exemptions"]]


@pytest.fixture
def desk(tmp_path: Path, cluster: SimulatedCluster) -> Desk:
    return Desk(tmp_path, cluster)


def test_it_says_what_it_would_do_and_then_does_it(desk: Desk) -> None:
    """Without --apply nothing changes, and the command that does it is printed; then all is as before."""
    done = desk.night.state()
    looked = desk.undo()
    assert (looked.returncode, looked.stderr, desk.night.state()) == (0, "", done)
    assert f"Nothing was changed. To do it: scc-responder case undo {desk.case} --apply" in looked.stdout
    lines = looked.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:6]] == [
        [action, "would_undo"] for action in ("cordon_node", "isolate_pod", "annotate_pod", "label_pod", "isolate_pod")
    ]
    applied = desk.undo("--apply", "--reason", "INC-1", "--by", "ann")
    assert (applied.returncode, desk.night.state()) == (0, desk.night.before)
    assert "Nothing was changed" not in applied.stdout
    word = desk.night.case().word
    assert word is not None
    assert (word.by, word.said) == ("ann", "INC-1")
    again = desk.undo()
    assert (again.returncode, again.stdout.split(":")[0]) == (1, "nothing_to_undo")


def test_what_is_refused_is_said_and_ends_with_one(desk: Desk, cluster: SimulatedCluster) -> None:
    """With what somebody changed since; in JSON each step has its case, target, status, reason and detail."""
    (made,) = cluster.objects("NetworkPolicy")
    path = f"/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/{made['metadata']['name']}"
    api_of(cluster, "admin").patch(path, {"spec": {"egress": [{}]}})
    told = desk.undo("--apply", "--only", "--format", "json")
    document: dict[str, Any] = json.loads(told.stdout)
    assert told.returncode == 1
    assert (document["case"], document["applied"], document["cases"]) == (desk.case, True, [desk.case])
    refused = [step for step in document["steps"] if step["reason"] == "undo_refused"]
    assert [step["action"] for step in refused] == ["isolate_pod", "isolate_pod"]
    assert refused[0].keys() == {"case", "action", "target_uid", "status", "reason", "detail"}
    assert "spec" in refused[0]["detail"]


def test_without_such_a_case_nothing_is_asked(desk: Desk, tmp_path: Path) -> None:
    """The settings may come from a file, the store from its own option."""
    file = tmp_path / "responder.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in desk.settings.items()))
    told = called("case", "undo", "ffffffffffff", "--settings", file, "--store", tmp_path / "journal.db")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("scc-responder: case ffffffffffff: no_such_case: there is no such case: ")


def test_a_cluster_that_does_not_answer_changes_nothing(desk: Desk) -> None:
    """Nothing is written to the case either."""
    desk.clusters.write_text("{}")
    before = desk.night.case()
    told = desk.undo("--apply")
    assert told.returncode == 2
    assert "is not in the file of local clusters" in told.stderr
    assert desk.night.case() == before


def test_what_is_undone_may_be_exempt_too(desk: Desk) -> None:
    """The exemption stands before anything is taken back, so that no other finding does it again meanwhile."""
    looked = desk.undo("--exempt", "24h", "--reason", "a load test")
    assert (looked.returncode, desk.exempt()) == (0, [])
    refused = desk.undo("--apply", "--exempt", "96h", "--reason", "a load test")
    assert (refused.returncode, "--exempt 96h" in refused.stderr) == (2, True)
    assert desk.night.state() != desk.night.before
    applied = desk.undo("--apply", "--exempt", "24h", "--reason", "a load test")
    assert (applied.returncode, desk.night.state(), desk.exempt()) == (0, desk.night.before, [desk.case])
    assert f"scc-responder control clear --exemption {desk.case} --reason 'WHY' ends it" in applied.stdout


def test_an_exemption_is_said_where_the_case_is_at_work(desk: Desk) -> None:
    """It stands, though nothing can be taken back yet; who repeats the command is told so."""
    key = desk.night.case().finding_key
    journal = desk.night.deployment.services.journal
    held = journal.apply(
        key, lambda record, _held: Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)
    )
    assert held[1] is not None
    told = desk.undo("--apply", "--exempt", "24h", "--reason", "a load test")
    assert (told.returncode, desk.exempt()) == (1, [desk.case])
    assert f"control clear --exemption {desk.case} --reason 'WHY' ends it" in told.stdout
    assert "case_in_progress: " in told.stderr


def test_the_command_that_is_printed_can_be_copied(desk: Desk, tmp_path: Path) -> None:
    """It has all that was given: without the settings it would not run, without the exemption it would do less."""
    file = tmp_path / "responder night.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in desk.settings.items()))
    given = ("--only", "--settings", str(file), "--exempt", "24h", "--reason", "a load test")
    looked = called("case", "undo", desk.case, *given)
    printed = looked.stdout.splitlines()[-1].partition("To do it: scc-responder ")[2]
    assert sorted(split(printed)) == sorted(("case", "undo", desk.case, *given, "--apply"))
    assert called(*split(printed)).returncode == 0
    assert desk.exempt() == [desk.case]


def test_who_has_no_settings_is_told_how_to_give_them(tmp_path: Path) -> None:
    """At night the first thing that is missing is the file of the deployment's settings."""
    told = called("case", "undo", "0123456789ab", "--store", tmp_path / "journal.db")
    assert (told.returncode, told.stdout) == (2, "")
    assert "name their file with --settings" in told.stderr


def test_a_case_that_was_opened_by_mistake_is_closed_before_a_sweep_takes_it(desk: Desk) -> None:
    """It says that the opening waits, and with --apply takes it back: nothing is done again, and a person said why."""
    assert desk.undo("--apply").returncode == 0
    assert called("case", "resume", desk.case, "--apply", **desk.settings).returncode == 0
    looked = desk.undo()
    assert (looked.returncode, looked.stderr, str(desk.night.case().state)) == (0, "", "open")
    assert "The opening waits for the next sweep" in looked.stdout
    assert f"To take the opening back: scc-responder case undo {desk.case} --apply" in looked.stdout
    told = json.loads(desk.undo("--apply", "--reason", "a slip", "--by", "ann", "--format", "json").stdout)
    assert (told["applied"], told["opening"]) == (True, True)
    record = desk.night.case()
    assert record.word is not None
    assert (record.state, record.reason, record.word.said) == ("done", "undone", "a slip")
    assert desk.night.state() == desk.night.before
    assert desk.undo().stdout.startswith("nothing_to_undo")


def test_what_was_taken_back_stays_in_a_case_that_is_opened_again(desk: Desk) -> None:
    """With the person's word, and the hash chain covers it."""
    desk.undo("--apply", "--reason", "INC-1", "--by", "ann")
    undone = desk.night.case()
    assert called("case", "resume", desk.case, "--apply", **desk.settings).returncode == 0
    assert desk.night.case().steps == undone.steps
    swept(desk.night.deployment)
    record = desk.night.case()
    assert (len(record.steps), record.history[0].taken_back, record.word) == (5, undone.steps, None)
    shown = called("case", "show", desk.case, **desk.settings).stdout
    assert shown.count("  undone  ") == 5
    assert "undone by ann" in shown
    verified = called("case", "verify", desk.case, **desk.settings)
    assert (verified.returncode, "5 steps, 10 of before it was taken back" in verified.stdout) == (0, True)


def test_nothing_is_called_undone_while_a_delivery_works_on_the_case(desk: Desk) -> None:
    """It may be about to do what is to be taken back: a person asks again, and does not think that all is over."""
    assert desk.undo("--apply").returncode == 0
    assert called("case", "resume", desk.case, "--apply", **desk.settings).returncode == 0
    journal = desk.night.deployment.services.journal

    def taken(record: CaseRecord, _held: bool) -> Transition:
        return Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)

    journal.apply(desk.night.case().finding_key, taken)
    asked = desk.undo("--apply")
    assert (asked.returncode, "nothing_to_undo" in asked.stdout) == (1, False)
    assert "case_in_progress" in asked.stderr
