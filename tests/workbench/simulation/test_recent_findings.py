"""`simulate` knows of the hour before a finding what the findings themselves say, within a bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import Finding, PodRef
from scc_responder.intake.threats import catalogue
from scc_responder.workbench.sample_findings import POD, sample_finding
from scc_responder.workbench.simulation import recent_findings
from scc_responder.workbench.simulation.recent_findings import RecentFindings

THREATS = [row for row in catalogue() if row.surface == "pod"]


def finding(number: int, minutes: float, **fields: Any) -> Finding:
    """A finding of a threat of its own, in one pod."""
    time = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(minutes=minutes)
    name = f"n{number}"
    plain = replace(sample_finding(THREATS[number]), pods=(POD,), key=name, name=name, canonical_name=name)
    return replace(plain, event_time=time, **fields)


def names(recent: RecentFindings, found: Finding) -> list[str]:
    return [related.name for related in recent.add(found)]


def test_what_is_too_old_is_forgotten() -> None:
    """What is more than an hour ago, or about another pod, is not kept."""
    recent = RecentFindings()
    assert names(recent, finding(1, 1)) == []
    assert names(recent, finding(2, 50)) == ["n1"]
    assert names(recent, finding(3, 51, pods=(PodRef(namespace="shop", name="other"),))) == []
    assert names(recent, finding(4, 62)) == ["n2"]
    assert names(recent, finding(5, 200)) == []
    assert len(recent._kept) == len(recent._by_target) == 1


def test_only_the_newest_copy_counts() -> None:
    """A finding that was muted since raises nothing; one that comes twice is related once."""
    recent = RecentFindings()
    recent.add(finding(1, 1))
    recent.add(finding(1, 2))
    assert names(recent, finding(2, 3)) == ["n1"]
    recent.add(finding(1, 4, mute="MUTED"))
    assert names(recent, finding(3, 5)) == ["n2"]


def test_a_finding_of_two_pods_is_related_once() -> None:
    """It is met under both pods."""
    recent, pods = RecentFindings(), (POD, PodRef(namespace="shop", name="other"))
    recent.add(finding(1, 1, pods=pods))
    assert names(recent, finding(2, 2, pods=pods)) == ["n1"]


def test_a_storm_is_kept_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many findings an hour has, memory is bounded; the oldest go."""
    monkeypatch.setattr(recent_findings, "MOST_RECENT", 2)
    recent = RecentFindings()
    for number in range(5):
        recent.add(finding(number, number))
    assert names(recent, finding(6, 6)) == ["n4"]


def test_other_sources_raise_nothing() -> None:
    """Where the deployment's sources are given, no other counts."""
    recent = RecentFindings({"2" * 19})
    recent.add(finding(1, 1))
    assert names(recent, finding(2, 2)) == []
