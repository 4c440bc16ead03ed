"""Where a simulation's facts about targets come from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.findings_export import FindingsExport
from scc_responder.cli.simulate import target_facts
from scc_responder.cli.simulate.target_facts import OTHERS, TargetFacts
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import SettingsError
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.explanation import NOTHING_READ
from scc_responder.workbench.snapshot_file import SnapshotFile, encode_snapshot
from tests.findings import data, notification

CONTENT = data(notification("reverse_shell"))
FINDING = parse_notification(CONTENT)


def snapshot(path: Path) -> Path:
    assert FINDING.cluster is not None
    file = SnapshotFile(taken_at=datetime(2026, 3, 2, tzinfo=UTC), cluster=Cluster(ref=FINDING.cluster), objects={})
    path.write_bytes(encode_snapshot(file))
    return path


def entry(folder: Path, context: str | None = None):  # type: ignore[no-untyped-def]
    folder.mkdir()
    (folder / "a.json").write_bytes(CONTENT)
    if context is not None:
        (folder / "a.context.json").write_text(context)
    (found,) = FindingsExport([folder])
    return found


def test_nothing_is_known_of_an_unseen_target(tmp_path: Path) -> None:
    """Unless it is to be assumed."""
    found = entry(tmp_path / "f")
    assert TargetFacts([], assume_present=False).of(found, FINDING) is NOTHING_READ
    assumed = TargetFacts([], assume_present=True).of(found, FINDING)
    assert (assumed.pod is None, assumed.related) == (False, None)


def test_a_file_beside_the_finding_counts(tmp_path: Path) -> None:
    """Before what is assumed."""
    found = entry(tmp_path / "f", '{"missing": {"pod": "target_absent"}}')
    assert TargetFacts([], assume_present=True).of(found, FINDING).missing == {"pod": "target_absent"}


def test_a_snapshot_counts_before_all_else(tmp_path: Path) -> None:
    """Of its own cluster; a cluster without one is counted."""
    found = entry(tmp_path / "f", '{"missing": {"pod": "not_read"}}')
    facts = TargetFacts([snapshot(tmp_path / "s.json")], assume_present=False)
    assert facts.of(found, FINDING).missing["pod"] == "target_absent"
    assert facts.unseen == {}
    assert FINDING.cluster is not None
    elsewhere = replace(FINDING, cluster=replace(FINDING.cluster, name="other"))
    assert facts.of(found, elsewhere).missing == {"pod": "not_read"}
    assert list(facts.unseen) == [elsewhere.cluster_path]


def test_too_many_clusters_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings may name any number of them."""
    monkeypatch.setattr(target_facts, "MOST_NAMED", 1)
    found, facts = entry(tmp_path / "f"), TargetFacts([snapshot(tmp_path / "s.json")], assume_present=False)
    assert FINDING.cluster is not None
    for name in ("a", "b", "c", "a"):
        facts.of(found, replace(FINDING, cluster=replace(FINDING.cluster, name=name)))
    assert sorted(facts.unseen.values()) == [2, 2]
    assert OTHERS in facts.unseen


def test_two_snapshots_of_one_cluster_are_refused(tmp_path: Path) -> None:
    """Nobody knows which one is meant."""
    paths = [snapshot(tmp_path / "a.json"), snapshot(tmp_path / "b.json")]
    with pytest.raises(SettingsError, match="another snapshot is of"):
        TargetFacts(paths, assume_present=False)
