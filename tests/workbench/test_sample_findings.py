"""A finding of each threat of the catalogue, and what would be read about its target."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import PodRef
from scc_responder.intake.threats import UNKNOWN, Row, catalogue, classify, in_scope
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding, unknown_finding

each_threat = pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)


@each_threat
def test_a_sample_is_of_its_threat(row: Row) -> None:
    """It is in scope, and classified as the row that it was made of."""
    finding = sample_finding(row)
    assert in_scope(finding) is None
    assert classify(finding, ()).name == row.name


@each_threat
def test_the_target_agrees_with_the_sample(row: Row) -> None:
    """A pod that is made up is the finding's, proved where that names the node; a threat in a pod has one."""
    finding = sample_finding(row)
    context = context_of(finding, facts_as_told(finding))
    assert (context.pod is not None) or row.surface != "pod"
    assert context.pod is None or context.identity.level == ("proved" if finding.node else "likely")
    assert (context.cluster is None) == (finding.cluster is None)


def test_a_newer_threat_is_unknown() -> None:
    """What the catalogue does not have."""
    assert classify(unknown_finding(), ()).name == UNKNOWN


def test_only_a_generated_name_has_owners() -> None:
    """A pod of another name stands alone; its workload has none to spare."""
    finding = sample_finding(next(row for row in catalogue() if row.surface == "pod"))
    facts = facts_as_told(finding)
    assert facts.pod is not None
    assert [owner.kind for owner in facts.pod.owners] == ["ReplicaSet", "Deployment"]
    alone = facts_as_told(replace(finding, pods=(PodRef(namespace="shop", name="web"),)))
    assert alone.pod is not None
    assert alone.pod.owners == ()
    assert alone.live is not None
    assert alone.live.workload is None


def test_several_pods_are_none() -> None:
    """And whether there are findings near it may be left open."""
    finding = sample_finding(next(row for row in catalogue() if row.surface == "pod"))
    facts = facts_as_told(replace(finding, pods=finding.pods * 2), looked_around=False)
    assert (facts.pod, facts.related, facts.missing) == (None, None, {"pod": "several_pods"})
