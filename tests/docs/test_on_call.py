"""terraform/docs/on-call.md, "At night": each command does what the page says, and prints what it shows.

The shipped policies act; one pod has two cases, another pod one that came too late for a deletion.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Protocol

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import ISOLATED_POD
from scc_responder.journal.case import CaseRecord
from scc_responder.pipeline.approvals import AnswerRequest, answer_plan
from scc_responder.pipeline.services import Services
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import write_access
from tests.cli.commands import called
from tests.docs.examples import ROOT
from tests.kits.answers import plan_of
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
CASES = ("0123456789ab", "ba9876543210", "22bb33cc44dd", "00aa11bb22cc")
"""The cases of the page, in the order in which they come in the night."""


class Block(NamedTuple):
    """A command of the page, and what it prints by the page."""

    command: str
    prints: str


BLOCKS = [
    Block(command.replace("\\\n", ""), prints)
    for command, prints in re.findall(r"```sh\n(scc-responder .*?)\n```\n\n```\n(.*?)```", PART, re.DOTALL)
]


class Edge(BaseHTTPRequestHandler):
    """The function's address, at which a person answers a plan."""

    services: Services

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = AnswerRequest(verb=self.path[1:], body=body, headers=headers, peer=self.client_address[0])
        ending = answer_plan(asked, self.services)
        self.send_response(200 if ending.body and ending.status == 204 else ending.status)
        self.end_headers()
        self.wfile.write(ending.body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class NightDesk(Protocol):
    """Where a person types, and what the page supposes to happen there besides."""

    pods: Sequence[dict[str, Any]]

    def meet(self, threat: str, pod: dict[str, Any]) -> CaseRecord:
        """A finding comes; its case."""

    def meet_held(self) -> None:
        """A finding about the second pod comes, whose deletion is held by a number or by its age."""

    def sweep(self) -> None:
        """The minute's sweep."""

    def deletions(self) -> int:
        """How many pods were deleted."""

    def is_isolated(self) -> bool:
        """Whether a policy, or the label that it selects, is left of the pod with two cases."""

    def here(self, text: str) -> str:
        """A text of the page with the names of this night."""

    def type(self, command: str) -> str:
        """What the command of the page prints here."""


class Desk:
    """A night with three cases, and a person who types."""

    def __init__(self, folder: Path, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        self.deployment = acting(folder, cluster)
        self.pods = cluster.objects("Pod", "shop")
        self.documents: list[Any] = []
        clusters, settings = folder / "clusters.yaml", folder / "responder.env"
        write_access(cluster, "undo", clusters)
        clusters.write_text(clusters.read_text().replace(STORY_CLUSTER, CLUSTER))
        store = f"sqlite:///{folder / 'journal.db'}"
        lines = {"CLUSTERS": CLUSTER, "SOURCES": SOURCE, "STORE": store, "CLUSTERS_FILE": str(clusters)}
        settings.write_text("".join(f"SCC_RESPONDER_{name}={value}\n" for name, value in lines.items()))
        self.folder, self.store = folder, store
        self.server = HTTPServer(("127.0.0.1", 0), type("", (Edge,), {"services": self.deployment.services}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def is_isolated(self) -> bool:
        """Whether a policy, or the label that it selects, is left of the pod with two cases."""
        labels = self.cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
        return bool(self.cluster.objects("NetworkPolicy")) or ISOLATED_POD in labels

    def meet(self, threat: str, pod: dict[str, Any]) -> CaseRecord:
        number = len(self.documents) + 1
        document = finding_about(pod, threat, finding_id=f"{number:032x}")
        self.documents.append(document)
        self.deployment.list_finding(document, str(number))
        self.deployment.deliver(document)
        return self.deployment.case(document)

    def meet_held(self) -> None:
        """One that comes too late for a deletion."""
        late = utc_now() + timedelta(minutes=45)
        self.deployment.set_clock(lambda: late)
        assert "finding_too_old" in {step.reason for step in self.meet(LATE, self.pods[1]).steps}

    def sweep(self) -> None:
        """It makes the plan of the step that was asked for, alone."""
        swept(self.deployment)
        assert [step.action for step in plan_of(self.deployment, self.documents[-1]).steps] == ["delete_pod"]

    def deletions(self) -> int:
        return list(mutations(self.cluster.audit)).count("delete pods")

    def swaps(self) -> dict[str, str]:
        """What stands on the page, and what stands here in its place."""
        found = {"web-1": self.pods[0]["metadata"]["name"], SHOWN_CLUSTER: CLUSTER}
        found |= {"responder.env": str(self.folder / "responder.env"), "$SCC_RESPONDER_STORE": self.store}
        records = [self.deployment.case(document) for document in self.documents]
        plan = records[-1].plan
        found |= {"--token-file token": "", "URL": self.url, "DIGEST": plan.digest if plan else ""}
        return found | dict(zip(CASES, (case_id(record.finding_key) for record in records), strict=False))

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
def desk(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[Desk]:
    made = Desk(tmp_path, cluster)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_every_command_prints_what_the_page_shows(desk: Desk) -> None:
    """Typed in the order of the page, in one night, with two cases on one pod."""
    assert len(BLOCKS) == PART.count("```sh\n")
    for block, printed in typed(desk):
        assert [*differences(desk.here(block.prints), printed)] == [], printed


def typed(desk: NightDesk) -> Iterator[tuple[Block, str]]:
    """Every command of the page, and what it printed, on a night that goes as the page supposes."""
    assert {desk.meet(threat, desk.pods[0]).state for threat in (FIRST, SECOND)} == {"done"}
    for block in BLOCKS:
        if "case do" in block.command:
            for what, name in (("workload", "shop/Deployment/web"), ("namespace", "shop")):
                desk.type(f"scc-responder control clear --{what} {SHOWN_CLUSTER}/{name} --reason over")
            desk.meet_held()
        if "case approve" in block.command:
            desk.sweep()
            before = desk.deletions()
        printed = desk.type(block.command)
        yield block, printed
        if "undo" in block.command:
            assert desk.is_isolated() == ("--apply" not in block.command), printed
        if "set dry_run --policy" in block.command:
            assert desk.meet(FIRST, desk.pods[0]).state == "rehearsed"
        if "case approve" in block.command:
            assert desk.deletions() == before + 1


def test_a_line_that_is_not_printed_is_noticed() -> None:
    """So is one out of order, and a part that is left out at the wrong place."""
    printed = "a 1 b\nc\nd\n"
    assert [*differences("a ... b\n...\nd\n", printed)] == []
    assert [*differences("c\na ... b\n", printed)] == ["a ... b"]
    assert [*differences("a ... c\n", printed)] == ["a ... c"]
