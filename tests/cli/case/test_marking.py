"""`case mark`: a person's verdict, and what it does to the policy that acted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.intake.notification import parse_notification
from scc_responder.pipeline.later.left_notices import LEFT_NOTICES
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.responder import CLUSTER, deployed, finding_about, policy
from tests.pipeline.test_first_shots import pods, told_of

Object = dict[str, Any]
LOWERED = "mode_lowered_by:error_budget"


class Desk:
    """A responder that contains, and a person at its store."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, *steps: str, capsys: Any) -> None:
        self.responder = deployed(folder, cluster, policy(*steps))
        self.store = folder / "journal.db"
        self._capsys = capsys

    def contain(self, *documents: Object) -> list[str]:
        """Answer findings, one by one: the ids of their cases."""
        for number, document in enumerate(documents):
            self.responder.list_finding(document, f"finding-{number}")
            assert self.responder.deliver(document).status == 204
        return [case_id(parse_notification(document).key) for document in documents]

    def run(self, *words: str) -> tuple[int, str]:
        """A command at the store: its exit code, and what it prints."""
        self._capsys.readouterr()
        code = main([*words, "--store", str(self.store)])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def mark(self, case: str, verdict: str) -> list[str]:
        """Mark a case: the policies that are lowered by it."""
        code, told = self.run("case", "mark", case, verdict, "--by", "me", "--format", "json")
        assert code == 0
        return [each["policy"] for each in json.loads(told)["lowered"]]

    def sweep(self) -> None:
        assert sweep(HERE, "127.0.0.1", self.responder.services).status == 204

    def notices(self) -> list[Object]:
        published = self.responder.published.messages
        return [message for message in published if message.get("reason") == "error_budget_spent"]

    def modes(self, document: Object) -> list[tuple[str, str]]:
        """Mode and what lowered it, as the case of a further finding keeps them."""
        self.contain(document)
        policies = self.responder.case(document).decision["policies"]
        return [(item["mode"], item["mode_reason"]) for item in policies]


@pytest.fixture
def deleting(tmp_path: Path, cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, cluster, "label_pod", "delete_pod", capsys=capsys)


@pytest.fixture
def isolating(tmp_path: Path, cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, cluster, "label_pod", "isolate_pod", capsys=capsys)


def test_a_wrong_deletion_lowers_the_policy(deleting: Desk, cluster: SimulatedCluster) -> None:
    """One is enough: it asks a person from then on, which is told once, listed, and ended by a person alone."""
    first, second, third = told_of(pods(cluster, 3))
    (case,) = deleting.contain(first)
    assert deleting.mark(case, "wrong") == ["contain"]
    assert deleting.mark(case, "wrong") == []
    deleting.sweep()
    deleting.sweep()
    assert [(notice["policy"], notice["place"], notice["by"]) for notice in deleting.notices()] == [
        ("contain", CLUSTER, "me")
    ]
    assert deleting.modes(second) == [("approve", LOWERED)]
    assert "marked" in deleting.run("case", "show", case)[1]
    assert f"error_budget contain in {CLUSTER} until a person raises it, by me" in deleting.run("control", "show")[1]
    assert deleting.mark(case, "right") == []
    assert deleting.run("control", "clear", "--policy", "contain", "--cluster", CLUSTER, "--reason", "mended")[0] == 0
    assert deleting.modes(third) == [("enforce", "")]
    assert deleting.mark(case, "wrong") == ["contain"]


def test_two_wrong_isolations_lower_it(isolating: Desk, cluster: SimulatedCluster) -> None:
    """Of two workloads in two namespaces; several cases of one pod are one workload."""
    one, two, other = told_of(pods(cluster, 3))
    again = finding_about(cluster.objects("Pod", "team-0")[0], finding_id=f"b{0:031x}")
    cases = isolating.contain(one, again, two)
    assert isolating.mark(cases[0], "wrong") == []
    assert isolating.mark(cases[1], "wrong") == []
    assert isolating.mark(cases[2], "wrong") == ["contain"]
    assert isolating.modes(other) == [("approve", LOWERED)]


def test_a_case_that_did_nothing_counts_for_nobody(deleting: Desk, cluster: SimulatedCluster) -> None:
    """The word is kept, and no policy is lowered: it was rehearsed only."""
    (document,) = told_of(pods(cluster, 1))
    deleting.responder.turn("dry_run")
    (case,) = deleting.contain(document)
    code, told = deleting.run("case", "mark", case, "wrong")
    assert (code, "no policy did anything there" in told) == (0, True)
    assert deleting.responder.case(document).mark is not None
    assert deleting.responder.services.store.scan(LEFT_NOTICES).entries == ()


def test_a_persons_own_ceiling_is_not_raised(deleting: Desk, cluster: SimulatedCluster) -> None:
    """What a person lowered for some hours stays as low beside it."""
    first, second = told_of(pods(cluster, 2))
    (case,) = deleting.contain(first)
    deleting.run("control", "set", "dry_run", "--policy", "contain", "--for", "2h", "--reason", "a drill")
    assert deleting.mark(case, "wrong") == ["contain"]
    assert deleting.modes(second) == [("dry_run", "mode_lowered_by:control_policy")]


def test_a_case_that_is_worked_on_is_left_alone(deleting: Desk, cluster: SimulatedCluster) -> None:
    """The person is told to come again; so is who names no case."""
    (document,) = told_of(pods(cluster, 1))
    claim = deleting.responder.services.journal.claim(parse_notification(document))
    assert claim.case is not None
    code, told = deleting.run("case", "mark", case_id(parse_notification(document).key), "right")
    assert (code, "case_in_progress" in told) == (1, True)
    assert deleting.run("case", "mark", "ffffffffffff", "right")[0] == 1


def test_the_last_release_only_rehearses(deleting: Desk, cluster: SimulatedCluster) -> None:
    """The document has the form that it takes for `dry_run` while a policy is lowered, and the old one after."""
    (document,) = told_of(pods(cluster, 1))
    (case,) = deleting.contain(document)
    deleting.mark(case, "wrong")
    switch = SwitchDocuments(SqliteStore(deleting.store, clock=utc_now))
    control = switch.read()
    assert control is not None
    assert control.schema == 2
    deleting.run("control", "clear", "--policy", "contain", "--cluster", CLUSTER, "--reason", "mended")
    control = switch.read()
    assert control is not None
    assert control.schema == 1


def test_a_policy_is_raised_in_its_environment(deleting: Desk, cluster: SimulatedCluster, tmp_path: Path) -> None:
    """The guardrails say which clusters belong together: there it is lowered, and raised by the environment's name."""
    rails = tmp_path / "rails"
    rails.mkdir()
    text = f"protected: {{}}\nenvironments: [{{name: production, clusters: ['{CLUSTER}']}}]\n"
    (rails / "guardrails.yaml").write_text(text)
    first, second, third = told_of(pods(cluster, 3))
    (case,) = deleting.contain(first)
    code, told = deleting.run("case", "mark", case, "wrong", "--policies", str(rails))
    assert (code, "control clear --policy contain --environment production" in told) == (0, True)
    assert deleting.modes(second) == [("approve", LOWERED)]
    clear = ["control", "clear", "--policy", "contain", "--reason", "mended"]
    assert deleting.run(*clear, "--cluster", CLUSTER)[0] == 1
    assert deleting.run(*clear, "--environment", "production")[0] == 0
    assert deleting.modes(third) == [("enforce", "")]


def test_a_folder_without_guardrails_counts_for_no_other_place(
    deleting: Desk, cluster: SimulatedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt folder would count the verdict for another place than the environment; from elsewhere it is said."""
    (document,) = told_of(pods(cluster, 1))
    (case,) = deleting.contain(document)
    code, told = deleting.run("case", "mark", case, "wrong", "--policies", str(tmp_path / "polices"))
    assert (code, "there is no guardrails.yaml in it" in told) == (2, True)
    assert deleting.responder.case(document).mark is None
    monkeypatch.chdir(tmp_path / "..")
    code, told = deleting.run("case", "mark", case, "wrong")
    assert (code, "for no environment. Name the deployment's folder" in told) == (0, True)
