"""`case undo --expired`: nodes are uncordoned once their time is over, and the rest of their cases stays as it is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import case_id
from scc_responder.journal.case_json import decode, encode
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import write_access
from tests.cli.commands import called
from tests.kits.responder import CLUSTER, SOURCE, api_of
from tests.kits.undo_nights import Night, cluster

__all__ = ["cluster"]


class Desk:
    """A night with one case that cordoned a node for an hour, and the command."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, cordon: str = "{release_after: 1h}") -> None:
        self.cluster = cluster
        self.night = Night(folder, cluster, "isolate_pod", f"cordon_node {cordon}")
        self.case = case_id(self.night.case().finding_key)
        clusters = folder / "clusters.yaml"
        write_access(cluster, "undo", clusters)
        clusters.write_text(clusters.read_text().replace(STORY_CLUSTER, CLUSTER))
        self.settings = {
            "SCC_RESPONDER_CLUSTERS": CLUSTER,
            "SCC_RESPONDER_SOURCES": SOURCE,
            "SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}",
            "SCC_RESPONDER_CLUSTERS_FILE": str(clusters),
        }

    def expired(self, *options: str, code: int = 0) -> str:
        told = called("case", "undo", "--expired", *options, **self.settings)
        assert told.returncode == code, told.stderr + told.stdout
        return told.stdout

    def cordoned(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.cluster.objects("Node") if item["spec"].get("unschedulable")]

    def marks(self) -> set[str]:
        """What is left of ours on any node."""
        found = (key for item in self.cluster.objects("Node") for key in item["metadata"].get("annotations") or {})
        return {key for key in found if key.startswith("scc-responder/")}

    def let_pass(self, hours: float) -> None:
        """Let the case's steps have been settled so much earlier."""
        store = self.night.deployment.services.store
        entry = store.get(f"case/{self.night.case().finding_key}")
        assert entry is not None
        record = decode(entry.value)
        by = timedelta(hours=hours)
        steps = [replace(step, settled_at=step.settled_at - by if step.settled_at else None) for step in record.steps]
        store.replace(entry.key, encode(record.with_steps(tuple(steps))), entry.version)


@pytest.fixture
def desk(tmp_path: Path, cluster: SimulatedCluster) -> Desk:
    return Desk(tmp_path, cluster)


def test_a_node_is_uncordoned_once_its_time_is_over(desk: Desk) -> None:
    """Not before; then it is said first, and done with --apply, and once."""
    assert "no cordon whose time is over" in desk.expired("--apply")
    assert len(desk.cordoned()) == 1
    desk.let_pass(2)
    looked = desk.expired()
    assert "cordon_node       would_undo" in looked
    assert "To do it: scc-responder case undo --expired --apply" in looked
    assert len(desk.cordoned()) == 1
    assert "cordon_node       undone" in desk.expired("--apply")
    assert (desk.cordoned(), desk.marks()) == ([], set())
    assert "no cordon whose time is over" in desk.expired("--apply")


def test_the_case_goes_on_as_it_is(desk: Desk) -> None:
    """The pod stays isolated, the case has no person's word, and people are told of the node."""
    before = desk.night.case()
    desk.let_pass(2)
    desk.expired("--apply", "--by", "scheduler")
    after = desk.night.case()
    assert (after.state, after.reason, after.word) == (before.state, before.reason, None)
    assert after.watch is not None
    assert after.watch.next_at is not None
    assert [(step.action, step.reason) for step in after.steps if step.undoes] == [("cordon_node", "undone")]
    assert len(desk.cluster.objects("NetworkPolicy")) == 1


def test_a_cordon_without_a_time_stays(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """However long it stands: a person takes it back."""
    desk = Desk(tmp_path, cluster, "")
    desk.let_pass(9000)
    assert json.loads(desk.expired("--apply", "--format", "json")) == {"applied": True, "steps": []}
    assert len(desk.cordoned()) == 1


def test_what_somebody_changed_since_is_refused(desk: Desk) -> None:
    """The node's annotations do not say any more that the case cordoned it: it stays, and the command ends with 1."""
    (name,) = desk.cordoned()
    meta = {"metadata": {"annotations": {"scc-responder/action-id": "another"}}}
    api_of(desk.cluster, "admin").patch(f"/api/v1/nodes/{name}", meta)
    desk.let_pass(2)
    (step,) = json.loads(desk.expired("--apply", "--format", "json", code=1))["steps"]
    assert (step["action"], step["reason"], step["case"]) == ("cordon_node", "undo_refused", desk.case)
    assert desk.cordoned() == [name]


@pytest.mark.parametrize("words", [["0123456789ab", "--expired"], [], ["--expired", "--only"]])
def test_a_case_or_what_is_over_is_named(desk: Desk, words: list[str]) -> None:
    """One of both, and no option that the other has."""
    told = called("case", "undo", *words, **desk.settings)
    assert (told.returncode, "give a case, or --expired" in told.stderr) == (2, True)
