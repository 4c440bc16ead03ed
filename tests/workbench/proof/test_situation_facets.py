"""What guardrails can see of a situation, and at which moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.workbench.proof.made_situation import TargetWords, made_situation
from scc_responder.workbench.proof.situation_facets import facets, in_system, moments
from tests.workbench.proof.small_pack import NOW, loaded
from tests.workbench.proof.test_made_situation import kind

PLAIN = TargetWords()


@pytest.mark.parametrize(
    "words",
    [
        TargetWords(workload="kube-system/Deployment/web"),
        TargetWords(workload="platform/Deployment/web"),
        TargetWords(workload="payments/Deployment/ledger"),
        TargetWords(workload="payments-eu/Deployment/web"),
        TargetWords(workload="shop/Deployment/checkout"),
        TargetWords(workload="load-test/Deployment/web"),
        TargetWords(cluster="projects/example-prod/locations/europe-west1/clusters/control-plane"),
        TargetWords(cluster="projects/example-prod/locations/europe-west1/clusters/c"),
        TargetWords(cluster="projects/example-project/locations/us-central1-a/clusters/c"),
        TargetWords(node="gke-prod-1-system-1"),
    ],
)
def test_each_entry_tells_its_target_from_another(tmp_path: Path, words: TargetWords) -> None:
    """A situation that guardrails answer differently is not taken for one that is held alike."""
    seen = facets([loaded(tmp_path / "small").guardrails])
    told = [
        tuple(facet(made_situation(kind("reverse_shell"), target, NOW).context) for facet in seen)
        for target in (PLAIN, words)
    ]
    assert told[0] != told[1]


def test_namespaces_of_the_system_are_known_whatever_guardrails_say() -> None:
    """Those of Kubernetes and of Google's agents."""
    names = ("kube-system", "gmp-system", "shop")
    made = [made_situation(kind("reverse_shell"), TargetWords(workload=f"{name}/Deployment/a"), NOW) for name in names]
    assert [in_system(situation.context) for situation in made] == [True, True, False]


def test_the_moments_are_within_and_without_each_time(tmp_path: Path) -> None:
    """By day and at night, before an exemption ends and after; the present first."""
    found = moments([loaded(tmp_path / "small").guardrails], (), NOW)
    assert found[0] == (NOW, timedelta(0))
    assert {time.hour >= 22 or time.hour < 6 for time, _ in found} == {True, False}
    assert {time < datetime(2026, 7, 1, tzinfo=UTC) for time, _ in found} == {True, False}
    assert len(found) <= 6


def test_two_quiet_hours_are_told_apart_by_minutes(tmp_path: Path) -> None:
    """Where one begins five minutes later than the other, a moment lies between."""
    edit = ("guardrails.yaml", '"22:00"', '"22:05"')
    packs = loaded(tmp_path / "one"), loaded(tmp_path / "other", edit)
    found = moments([pack.guardrails for pack in packs], (), NOW)
    assert any((time.hour, time.minute) == (22, 0) for time, _ in found)


def test_ages_are_tried_where_they_differ(tmp_path: Path) -> None:
    """On both sides of each limit."""
    edit = ("guardrails.yaml", "warm_up", "max_finding_age: {irreversible: 3h}\nwarm_up")
    packs = loaded(tmp_path / "one"), loaded(tmp_path / "other", edit)
    ages = {age for _, age in moments([pack.guardrails for pack in packs], (), NOW)}
    assert any(timedelta(minutes=30) < age <= timedelta(hours=3) for age in ages)


def test_hours_of_policies_are_told_apart(tmp_path: Path) -> None:
    """Within the office hours of one, and out of them."""
    more = ("contain-shell.yaml", "limits: [{most: 3, within: 1h}]", 'office_hours: [{from: "09:00", to: "17:00"}]')
    pack = loaded(tmp_path / "small", more)
    found = [time for time, _ in moments([pack.guardrails], pack.policies, NOW)]
    assert {9 <= time.hour < 17 for time in found} == {True, False}
    assert len({9 <= time.hour < 17 for time in found if 6 <= time.hour < 22}) == 2
