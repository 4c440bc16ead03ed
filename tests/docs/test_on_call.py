"""terraform/docs/on-call.md, "At night": each command does what the page says, and prints what it shows.

The shipped policies act; one pod has two cases, another pod one that came too late for a deletion.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import ISOLATED_POD
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import write_access
from tests.cli.commands import called
from tests.docs.examples import ROOT
from tests.kits.answers import answered, plan_of
from tests.kits.responder import CLUSTER, SOURCE, finding_about, mutations
from tests.kits.undo_nights import cluster
from tests.pipeline.test_shipped_policies import acting
from tests.pipeline.test_sweep import swept

__all__ = ["cluster"]
PAGE = (ROOT / "terraform" / "docs" / "on-call.md").read_text()
PART = PAGE.partition("\n## At night\n")[2].partition("\n## ")[0]
SHOWN_CLUSTER = "projects/shop-prod/locations/europe-west1/clusters/prod-1"
FIRST, SECOND = "reverse_shell", "added_binary_executed"
LATE = "catalogue/container_threat_detection/added_malicious_binary_executed"
CASES = {"0123456789ab": FIRST, "ba9876543210": SECOND, "00aa11bb22cc": LATE}
"""The cases of the page, and the threat of each."""


class Block(NamedTuple):
    """A command of the page, and what it prints by the page."""

    command: str
    prints: str


BLOCKS = [
    Block(command.replace("\\\n", ""), prints)
    for command, prints in re.findall(r"```sh\n(scc-responder .*?)\n```\n\n```\n(.*?)```", PART, re.DOTALL)
]


class Desk:
    """A night with three cases, and a person who types."""

    def __init__(self, folder: Path, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        self.deployment = acting(folder, cluster)
        self.pods = cluster.objects("Pod", "shop")
        self.documents: dict[str, Any] = {}
        clusters, settings = folder / "clusters.yaml", folder / "responder.env"
        write_access(cluster, "undo", clusters)
        clusters.write_text(clusters.read_text().replace(STORY_CLUSTER, CLUSTER))
        store = f"sqlite:///{folder / 'journal.db'}"
        lines = {"CLUSTERS": CLUSTER, "SOURCES": SOURCE, "STORE": store, "CLUSTERS_FILE": str(clusters)}
        settings.write_text("".join(f"SCC_RESPONDER_{name}={value}\n" for name, value in lines.items()))
        self.folder, self.store = folder, store

    def is_isolated(self) -> bool:
        """Whether a policy, or the label that it selects, is left of the pod with two cases."""
        labels = self.cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
        return bool(self.cluster.objects("NetworkPolicy")) or ISOLATED_POD in labels

    def meet(self, threat: str, pod: dict[str, Any]) -> None:
        number = len(self.documents) + 1
        document = self.documents[threat] = finding_about(pod, threat, finding_id=f"{number:032x}")
        self.deployment.list_finding(document, str(number))
        self.deployment.deliver(document)

    def swaps(self) -> dict[str, str]:
        """What stands on the page, and what stands here in its place."""
        found = {"web-1": self.pods[0]["metadata"]["name"], SHOWN_CLUSTER: CLUSTER}
        found |= {"responder.env": str(self.folder / "responder.env"), "$SCC_RESPONDER_STORE": self.store}
        met = {shown: self.documents[threat] for shown, threat in CASES.items() if threat in self.documents}
        keys = {shown: self.deployment.case(document).finding_key for shown, document in met.items()}
        return found | {shown: case_id(key) for shown, key in keys.items()}

    def here(self, text: str) -> str:
        for shown, own in self.swaps().items():
            text = text.replace(shown, own)
        return text

    def type(self, command: str) -> str:
        done = called(*shlex.split(self.here(command))[1:], SCC_RESPONDER_STORE=self.store)
        assert (done.returncode, done.stderr) == (0, "") or "disabled" in command, done.stderr + done.stdout
        return done.stdout


def differences(expected: str, printed: str) -> Iterator[str]:
    """Lines of the page that are not printed in this order. `...` stands for anything; alone, for any lines."""
    lines = iter(line.rstrip() for line in printed.splitlines())
    for wanted in (line.rstrip() for line in expected.splitlines()):
        if wanted.strip() == "...":
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split("..."))))
        if not any(pattern.fullmatch(line) for line in lines):
            yield wanted


@pytest.fixture
def desk(tmp_path: Path, cluster: SimulatedCluster) -> Desk:
    return Desk(tmp_path, cluster)


def test_every_command_prints_what_the_page_shows(desk: Desk) -> None:
    """Typed in the order of the page, in one night, with two cases on one pod."""
    assert len(BLOCKS) == PART.count("```sh\n")
    desk.meet(FIRST, desk.pods[0])
    desk.meet(SECOND, desk.pods[0])
    assert {step.action for step in desk.deployment.case(desk.documents[SECOND]).steps} >= {"isolate_pod"}
    for block in BLOCKS:
        if "case do" in block.command:
            came_late(desk)
        printed = desk.type(block.command)
        assert [*differences(desk.here(block.prints), printed)] == [], printed
        if "undo" in block.command:
            assert desk.is_isolated() == ("--apply" not in block.command), printed
        if "case do" in block.command:
            the_step_is_done_once_approved(desk)


def came_late(desk: Desk) -> None:
    """A finding about the other pod, after everything that was lowered is over, and too late for a deletion."""
    for what in ("workload", "namespace"):
        name = {"workload": "shop/Deployment/web", "namespace": "shop"}[what]
        desk.type(f"scc-responder control clear --{what} {SHOWN_CLUSTER}/{name} --reason over")
    late = utc_now() + timedelta(minutes=45)
    desk.deployment.set_clock(lambda: late)
    desk.meet(LATE, desk.pods[1])
    assert "delete_pod: finding_too_old" in desk.deployment.outcomes(desk.documents[LATE])


def the_step_is_done_once_approved(desk: Desk) -> None:
    """A sweep makes the plan of that step alone; nothing is deleted before the approval."""
    swept(desk.deployment)
    plan = plan_of(desk.deployment, desk.documents[LATE])
    assert [step.action for step in plan.steps] == ["delete_pod"]
    assert "delete pods" not in mutations(desk.cluster.audit)
    assert answered(desk.deployment, desk.documents[LATE]).status == 204
    assert list(mutations(desk.cluster.audit)).count("delete pods") == 1


def test_a_line_that_is_not_printed_is_noticed() -> None:
    """So is one out of order, and a part that is left out at the wrong place."""
    printed = "a 1 b\nc\nd\n"
    assert [*differences("a ... b\n...\nd\n", printed)] == []
    assert [*differences("c\na ... b\n", printed)] == ["a ... b"]
    assert [*differences("a ... c\n", printed)] == ["a ... c"]
