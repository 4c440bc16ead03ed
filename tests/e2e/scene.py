"""A compromised pod on the real API server, and a responder in processes of its own that is to contain it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from tests.cluster import objects
from tests.cluster.audit import AuditEvent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.cut_off import WRITES
from tests.findings import data, push_body
from tests.kits.responder import CLUSTER, SOURCE, compiled, finding_about, policy, turn, write_policies

ROOT = Path(__file__).parents[2]
ALL = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")


def responder_environment(plane: ControlPlane, folder: Path) -> dict[str, str]:
    """The settings of a responder in the test cluster: journal, evidence, findings and policies in this folder."""
    cluster = {
        "kubeconfig": str(plane.kubeconfig),
        "context": "responder",
        "autopilot": False,
        "enforces_network_policy": True,
    }
    (folder / "clusters.yaml").write_text(yaml.safe_dump({CLUSTER: cluster}))
    turn(folder / "journal.db")
    compiled(folder / "policies")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCC_RESPONDER_")},
        "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}",
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}",
        "SCC_RESPONDER_EVIDENCE": f"file://{folder / 'evidence'}",
        "SCC_RESPONDER_POLICIES": str(folder / "policies"),
        "SCC_RESPONDER_FINDINGS": str(folder / "findings"),
        "SCC_RESPONDER_CLUSTERS_FILE": str(folder / "clusters.yaml"),
    }


def start_delivery(document: Mapping[str, Any], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Begin one delivery of a finding in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.one_delivery"],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(push_body(document))
    process.stdin.close()
    return process


def finish_delivery(process: subprocess.Popen[bytes]) -> int:
    """The HTTP status that a delivery ended with, or the negative signal that ended its process."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        answer, complaint = process.stdout.read(), process.stderr.read()
    code = process.wait(timeout=60)
    assert code <= 0, complaint.decode()
    return code or int(answer.split()[-1])


def let_leases_run_out(journal: Path) -> None:
    """Make what the journal holds an hour older, so that no test waits two minutes for a lease."""
    with closing(sqlite3.connect(journal, timeout=30)) as store, store:
        if not store.execute("SELECT name FROM sqlite_master WHERE name = 'entries'").fetchall():
            return
        store.execute("UPDATE entries SET update_time = ?", [(datetime.now(UTC) - timedelta(hours=1)).isoformat()])


class Scene:
    """One Deployment's pod, the finding about it, and the responder's journal, evidence and settings."""

    def __init__(self, plane: ControlPlane, namespace: str, node: str, folder: Path, *steps: str) -> None:
        self.plane, self.namespace, self.node, self.folder = plane, namespace, node, folder
        self.started = datetime.now(UTC)
        plane.admin.create(objects.deployment("web", namespace, node, replicas=2))
        self.pod = objects.running_pods(plane.admin, namespace, "web", count=2)[0]
        folder.mkdir(parents=True, exist_ok=True)
        self.document = finding_about(self.pod, finding_id=self.pod["metadata"]["uid"].replace("-", ""))
        (folder / "findings").mkdir()
        (folder / "findings" / "finding.json").write_bytes(data(self.document))
        write_policies(folder / "policies", policy(*(steps or ALL)))
        self.environment = responder_environment(plane, folder)

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """Begin one delivery of the finding in a process of its own."""
        return start_delivery(self.document, {**self.environment, **environment})

    def deliver(self, **environment: str) -> int:
        """Deliver the finding once: the HTTP status, or the negative signal that ended the process."""
        return finish_delivery(self.start(**environment))

    def let_lease_run_out(self) -> None:
        """See the function of this name."""
        let_leases_run_out(self.folder / "journal.db")

    @property
    def case(self) -> CaseRecord:
        """The finding's case."""
        record = Journal(SqliteStore(self.folder / "journal.db"), utc_now).read(parse_notification(self.document).key)
        assert record is not None
        return record

    @property
    def outcomes(self) -> list[str]:
        """The case's steps as `action: status`."""
        return [f"{step.action}: {step.status}" for step in self.case.steps]

    def requests(self) -> Sequence[AuditEvent]:
        """What the responder asked of the API server about this scene."""
        mine = {self.namespace, ""}
        events = self.plane.audit(since=self.started, namespace=self.namespace)
        return [e for e in events if e.namespace in mine and (e.resource != "nodes" or e.name == self.node)]

    def writes(self) -> Counter[str]:
        """The responder's accepted writes, each with what it was for."""
        accepted = [event for event in self.requests() if event.verb in WRITES and event.code < 300]
        return Counter(purpose(event) for event in accepted)


def purpose(event: AuditEvent) -> str:
    """What a write is for, as `EACH_ONCE` names it."""
    body = event.request or {}
    meta = body.get("metadata", {})
    if event.verb == "patch" and "scc-responder/armed-by" in meta.get("labels", {}):
        return "arm pod"
    if event.verb == "patch" and "scc-responder/isolated-pod" in meta.get("labels", {}):
        return "isolate pod"
    if event.verb == "patch" and event.resource == "pods":
        return "label pod" if meta.get("labels") else "annotate pod"
    return f"{event.verb} {event.rbac_resource}"


EACH_ONCE = Counter(
    {
        "label pod": 1,
        "annotate pod": 1,
        "isolate pod": 1,
        "create networkpolicies": 1,
        "patch nodes": 1,
        "arm pod": 1,
        "delete pods": 1,
    }
)
