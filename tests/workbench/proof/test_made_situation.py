"""A finding and its target, made of words, are what the product reads from the notification."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import catalogue, in_scope
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.proof.enumerated_findings import Beside, EnumeratedFinding, enumerated_findings
from scc_responder.workbench.proof.made_situation import TargetWords, made_situation, notification_of
from tests.workbench.proof.small_pack import NOW, loaded


def kind(name: str, beside: Beside = Beside.NOTHING) -> EnumeratedFinding:
    """A plain finding of a threat."""
    row = next(row for row in catalogue() if row.name == name)
    return EnumeratedFinding(
        like=name, category=row.category, detector=row.detector, severity=row.severity, beside=beside
    )


def decided_by(finding: Finding) -> tuple[object, ...]:
    """What decisions look at."""
    place = finding.cluster, finding.cloud_run, finding.pods, finding.node, finding.principal
    images = [(item.name, item.image, item.image_id, item.create_time) for item in finding.containers]
    return finding.category, finding.detector, finding.severity, finding.event_time, place, images


def test_each_kind_is_read_back_from_its_notification(tmp_path: Path) -> None:
    """All of it that a decision looks at, without a contradiction."""
    for one in enumerated_findings([loaded(tmp_path / "small")]):
        made = made_situation(one, TargetWords(), NOW)
        read = parse_notification(notification_of(made.finding))
        assert decided_by(read) == decided_by(made.finding)
        assert (read.contradictions, in_scope(read)) == ((), None)
        context = context_of(read, made.facts)
        assert (context.threat, context.identity) == (made.context.threat, made.context.identity)


def test_the_target_has_the_words_that_were_asked_for() -> None:
    """Each in the place where the product looks for it."""
    words = TargetWords(
        cluster="projects/p-1/locations/us-east1-b/clusters/c-1",
        workload="ns/StatefulSet/db",
        labels=(("tier", "critical"),),
        images=("a.example.com/x", "b.example.com/y"),
        node_pool="pool-9",
        node="n-1",
    )
    made = made_situation(kind("reverse_shell"), words, NOW, timedelta(minutes=5)).context
    assert made.finding.cluster_path == words.cluster
    assert made.pod is not None
    assert made.pod.workload is not None
    assert (made.pod.namespace, made.pod.workload.kind, made.pod.workload.name) == ("ns", "StatefulSet", "db")
    assert made.pod.labels == {"tier": "critical"}
    assert [item.image for item in made.finding.containers] == list(words.images)
    assert made.node is not None
    assert (made.node.name, made.node.node_pool) == ("n-1", "pool-9")
    assert made.finding.event_time == NOW - timedelta(minutes=5)
    assert made.identity.level is IdentityLevel.PROVED


@pytest.mark.parametrize("owner", ["Deployment", "Job", "Pod"])
def test_a_pod_has_its_owner(owner: str) -> None:
    """A pod of nobody has none."""
    made = made_situation(kind("reverse_shell"), TargetWords(workload=f"ns/{owner}/web"), NOW).context
    assert made.pod is not None
    assert (made.pod.workload.kind if made.pod.workload else "Pod") == owner


@pytest.mark.parametrize(
    ("beside", "confidence"), [(Beside.NOTHING, "possible"), (Beside.LIKELY, "likely"), (Beside.CONFIRMED, "confirmed")]
)
@pytest.mark.parametrize("name", ["added_binary_executed"])
def test_what_is_found_near_raises_the_confidence(name: str, beside: Beside, confidence: str) -> None:
    """As far as it says."""
    assert made_situation(kind(name, beside), TargetWords(), NOW).context.threat.confidence == confidence
    assert made_situation(kind(name, Beside.UNREAD), TargetWords(), NOW).context.related is None
