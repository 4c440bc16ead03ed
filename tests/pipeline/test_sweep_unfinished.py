"""The sweep's own judgement and the mark that the store goes by are one: neither knows a case the other does not."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import data
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, deployed, finding_about, policy

REASONS = ("", "control_disabled", "approval_expired", "resumed_by_person")
OWNERS = ("", "0123456789abcdef")
PLANS = (None, *PlanState)


def variants(record: CaseRecord) -> list[CaseRecord]:
    """The case in every state, with every plan, reason and holder that make a difference to anything."""
    begun = utc_now() - timedelta(hours=2)
    found = []
    for state, reason, plan, owner in product(CaseState, REASONS, PLANS, OWNERS):
        made = plan and Plan(
            digest="d" * 64, policy_digest="p", steps=(), created_at=begun, expires_at=begun, state=plan
        )
        found.append(replace(record, state=state, reason=reason, plan=made or None, owner=owner))
    return found


def stored(deployment: Deployment, pod: dict[str, Any], chunk: int, *, marked: bool) -> dict[str, CaseRecord]:
    """Every eighth variant, each the case of a finding of its own, as of a while ago."""
    store, made = deployment.services.store, {}
    deployment.turn("disabled")
    document = finding_about(pod)
    deployment.respond_to(document)
    for number, variant in enumerate(variants(deployment.case(document))[chunk::8]):
        another = finding_about(pod, finding_id=f"f{number}")
        (deployment.findings / f"{number}.json").write_bytes(data(another))
        deployment.deliver(another)
        found = deployment.case(another)
        record = replace(variant, finding_key=found.finding_key, finding_name=found.finding_name)
        entry = store.get(f"case/{record.finding_key}")
        assert entry is not None
        store.replace(entry.key, encode(record), entry.version, unfinished=marked and is_unfinished(record))
        made[record.finding_key] = record
    deployment.turn("enforce")
    return made


def touched(deployment: Deployment, made: dict[str, CaseRecord]) -> set[str]:
    """The cases that sweeps went on with, after as many as a whole round takes."""
    now = utc_now() + QUIET + timedelta(seconds=1)
    deployment.set_clock(lambda: now)
    for _ in range(len(made) // 20 + 3):
        assert sweep(HERE, "127.0.0.1", deployment.services).reason == "swept"
    entries = deployment.services.store.scan("case/", limit=1000).entries
    found = {record.finding_key: record for record in map(decode, (entry.value for entry in entries))}
    return {key for key, record in made.items() if found[key].seq != record.seq}


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "stored-by-another-version"])
@pytest.mark.parametrize("chunk", range(8))
def test_the_sweep_resumes_exactly_the_unfinished(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], chunk: int, marked: bool
) -> None:
    """Where all is due, a sweep goes on with just what is unfinished, be it known as that or found by a review."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="dry_run"))
    made = stored(deployment, pod, chunk, marked=marked)
    expected = {key for key, record in made.items() if is_unfinished(record)}
    assert expected
    assert touched(deployment, made) == expected
