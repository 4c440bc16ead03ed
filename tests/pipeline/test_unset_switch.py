"""A kill switch that nobody set, or that makes no sense: what the log line and people are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import deployed, finding_about, policy


@pytest.mark.parametrize(("document", "word"), [(None, "missing"), (b"on", "unusable")])
def test_an_unset_switch_is_told(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], document: bytes | None, word: str
) -> None:
    """Everything is a rehearsal then: people are told once a day, and the alert counts each line."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    store = deployment.services.store
    entry = store.get(GLOBAL)
    assert entry is not None
    store.delete(GLOBAL, entry.version)
    if document is not None:
        store.create(GLOBAL, document)
    for number in ("a", "b"):
        finding = finding_about(pod, finding_id=number * 32)
        deployment.list_finding(finding, number)
        deployment.deliver(finding)
        assert (deployment.line["control"], deployment.line["severity"]) == (word, "NOTICE")
    notices = [item for item in deployment.published.messages if item["attributes"].get("reason") == f"control_{word}"]
    assert [item["remedy"].split(", then")[0] for item in notices] == ["say how far the responder may go"]


def test_a_set_switch_is_no_field_of_a_line(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """What a person chose is no news, in whatever mode."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    deployment.turn("dry_run")
    deployment.respond_to(finding_about(pod))
    assert "control" not in deployment.line
    assert deployment.published.messages == []
