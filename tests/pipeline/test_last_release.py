"""An instance of the last release, its own code, that meets what this version stores: in new forms it changes nothing.

During an upgrade, and after one that is rolled back, both work on one store.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.mode import Mode
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.guard.limiter import cluster_key
from scc_responder.guard.limits.ledger_document import Breaker, Budget, Ledger
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_levers import limit
from scc_responder.guard.trust.spend import UNTIL_RAISED
from scc_responder.journal.again.persons_request import as_requested, asked_of
from scc_responder.journal.again.reopening import gone_on_with, opened_by_sweep, undone
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.case_json import encode
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import AskedStep, RequestKind
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.journal.again.test_reopening import claimed
from tests.kits.responder import CLUSTER, Deployment, deployed, finding_about, policy

LAST_RELEASE = "59c5e3f1185d0b9df0eab64a29047d1df0780244"
"""The last commit before cases had a second `schema`: it knows no budget, no scope of a breaker, no timed switch."""
ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("last_release_program.py")
BY = "a@example.com"
Form = Callable[[CaseRecord, datetime], CaseRecord]


def with_steps(record: CaseRecord, reason: str) -> CaseRecord:
    """The case whose steps are held so."""
    steps = tuple(replace(step, status=StepStatus.HELD, reason=reason) for step in record.steps)
    return replace(record, steps=steps)


def asked(record: CaseRecord, now: datetime) -> CaseRecord:
    step = AskedStep(policy="contain", action="delete_pod", reason="limit_owner", by=BY, said="now", at=now)
    return replace(record, asked=step)


NEW_CASES: dict[str, Form] = {
    "opened by the same content": lambda record, now: claimed(gone_on_with(record, now)),
    "opened by a sweep": opened_by_sweep,
    "opened by a person": lambda record, now: claimed(as_requested(asked_of(record, RequestKind.TRY, now), now)),
    "waits for a person": lambda record, _: with_steps(record, "waits_for_person"),
    "warms up": lambda record, _: replace(with_steps(record, "warming_up"), state=CaseState.OPEN, reason="warming_up"),
    "fought over": lambda record, _: with_steps(record, "fought_over"),
    "undone by others": lambda record, now: replace(undone(record, record.steps[:1], now), state=CaseState.OPEN),
    "a step is asked for": asked,
    **{f"a request: {kind}": lambda record, now, kind=kind: asked_of(record, kind, now) for kind in RequestKind},  # type: ignore[misc]
    **{f"a word: {kind}": lambda record, now, kind=kind: with_word(record, kind, BY, now) for kind in WordKind},  # type: ignore[misc]
}


def lowered(deployment: Deployment, now: datetime, scope: TimedScope) -> tuple[str, bytes]:
    """The switch that lowers one policy: for some time, or by its error budget."""
    switch = SwitchDocuments(deployment.services.store)
    place = {"place": CLUSTER, "clusters": (CLUSTER,)} if scope is TimedScope.ERROR_BUDGET else {}
    mode = Mode.APPROVE if scope is TimedScope.ERROR_BUDGET else Mode.DRY_RUN
    limit(
        switch,
        TimedCeiling(
            scope=scope, name="contain", mode=mode, reason="noisy", by=BY, at=now, until=UNTIL_RAISED, **place
        ),
    )  # type: ignore[arg-type]
    (key,) = (name for name, control in switch.documents() if control and control.timed)
    entry = deployment.services.store.get(key)
    assert entry is not None
    return key, entry.value


def tripped(now: datetime) -> tuple[str, bytes]:
    """The ledger in which the breaker of another workload is tripped: it holds isolations of that one alone."""
    breaker = Breaker(tripped_at=now, detail="d", paging_since=now, scope="owner=other", budget=Budget.ISOLATION)
    return cluster_key(CLUSTER), msgspec.json.encode(Ledger(cluster=CLUSTER, breaker=breaker))


def entry_of(key: str, value: bytes, *, unfinished: bool = False) -> dict[str, Any]:
    return {"key": key, "value": value.decode(), "unfinished": unfinished}


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code and the kits of the last release, as the repository's history has them."""
    folder = tmp_path_factory.mktemp("last-release")
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", LAST_RELEASE, "functions", "tests", "policies", "pyproject.toml"],
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip("a copy without the history of the repository has no last release: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def met(last_release: Path, folder: Path, given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the last release made of each store."""
    path = folder / "given.json"
    path.write_text(json.dumps(given))
    code = os.pathsep.join(map(str, (last_release / "functions", last_release)))
    ran = subprocess.run(
        [sys.executable, "-P", str(PROGRAM), str(path)],
        capture_output=True,
        check=False,
        text=True,
        cwd=last_release,
        env={**os.environ, "PYTHONPATH": code},
    )
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def test_the_last_release_changes_nothing_in_new_forms(
    last_release: Path, tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """Neither for a copy, nor for other content, nor in a sweep; what it knows it does, which shows that it works."""
    document, now = finding_about(pod), utc_now()
    made = deployed(tmp_path, cluster, policy("label_pod", "isolate_pod", "delete_pod", name="contain", mode="dry_run"))
    assert made.respond_to(document).status == 204
    record = made.case(document)
    cases = {"a rehearsal of this version": encode(record)}
    cases |= {name: encode(form(record, now)) for name, form in NEW_CASES.items()}
    documents = {
        name: [entry_of(f"case/{record.finding_key}", value, unfinished=True)] for name, value in cases.items()
    }
    switches = {
        "a policy is lowered": lowered(made, now, TimedScope.POLICY),
        "a policy has no error budget left": lowered(made, now, TimedScope.ERROR_BUDGET),
    }
    documents |= {name: [entry_of(*item)] for name, item in {**switches, "a breaker is tripped": tripped(now)}.items()}
    documents["nothing is stored"] = []
    kinds = ("Namespace", "Node", "Deployment", "ReplicaSet", "Pod")
    objects = [item for kind in kinds for item in cluster.objects(kind)]
    stores = {name: {"finding": document, "documents": kept} for name, kept in documents.items()}
    answers = met(last_release, tmp_path, {"objects": objects, "stores": stores})

    acts = {name for name, answer in answers.items() if answer["changed"]}
    assert acts == {"a rehearsal of this version", "nothing is stored"}, answers
    assert {name: (answers[name]["same"], answers[name]["other"]) for name in NEW_CASES} == dict.fromkeys(
        NEW_CASES, ("record_newer", "record_newer")
    )
