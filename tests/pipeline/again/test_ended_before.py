"""A person's word ends a case, whatever happens again; another pod, or a person, opens it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.journal import Transition
from scc_responder.journal.persons_word import with_word
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.again import again
from tests.kits.answers import answered
from tests.kits.responder import Deployment, api_of, deployed, finding_about, mutations, policy

KINDS = [pytest.param(kind, id=kind) for kind in WordKind]


def bare(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A finding about the pod that does not say when its container was made."""
    document = finding_about(pod)
    for container in document["finding"]["containers"]:
        container.pop("createTime", None)
    return document


def say(deployment: Deployment, document: Mapping[str, Any], kind: WordKind) -> None:
    """A person ends the case."""

    def ended(record: CaseRecord, _held: bool) -> Transition:
        spoken = with_word(replace(record, reason=str(kind)), kind, "a@example.com", datetime.now(UTC))
        return Transition(reason=Reason.UNDONE, status=204, record=spoken)

    deployment.services.journal.apply(parse_notification(document).key, ended)


def undo(cluster: SimulatedCluster) -> None:
    """The NetworkPolicies are gone."""
    for each in cluster.objects("NetworkPolicy"):
        meta = each["metadata"]
        path = f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/networkpolicies/{meta['name']}"
        api_of(cluster, "admin").delete(path, {})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("document_of", [finding_about, bare])
def test_a_word_stands_whatever_happens_again(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], kind: WordKind, document_of: Any
) -> None:
    """Nothing is put back of it; where the finding names no container, the pod that is read says whose word it is."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod", "notify")), document_of(pod)
    assert deployment.respond_to(document).reason == "done"
    undo(cluster)
    say(deployment, document, kind)
    sent, told = len(mutations(cluster.audit)), len(deployment.published.messages)
    for minutes in (10, 20):
        again(deployment, document, minutes)
        record = deployment.case(document)
        assert (record.reason, record.word and record.word.kind) == (str(kind), kind)
    assert (len(mutations(cluster.audit)), len(deployment.published.messages)) == (sent, told)


def test_another_pod_of_the_name_opens_the_case(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A word on one pod is none on the next; the history keeps it."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod")), bare(pod)
    deployment.respond_to(document)
    say(deployment, document, WordKind.UNDONE)
    meta = pod["metadata"]
    api_of(cluster, "admin").delete(f"/api/v1/namespaces/shop/pods/{meta['name']}", {"gracePeriodSeconds": 0})
    cluster.create({**pod, "metadata": {key: meta[key] for key in ("name", "namespace", "labels")}})
    again(deployment, document)
    record = deployment.case(document)
    assert record.word is None
    assert [closing.word.kind for closing in record.history if closing.word] == ["undone"]
    assert record.reason != "undone"


def test_a_rejected_plan_is_not_asked_for_again(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The rejection stands for what the finding says; other content asks anew."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    answered(deployment, document, "reject", reason="a test of ours")
    assert again(deployment, document).reason == "duplicate"
    record = deployment.case(document)
    assert record.word is not None
    assert (record.word.kind, record.word.said) == ("rejected_by_person", "a test of ours")
    document["finding"]["processes"] = [{"binary": {"path": "/tmp/other"}}]
    again(deployment, document, 20)
    assert deployment.case(document).state == "waiting"


def test_a_word_that_is_over_counts_no_longer(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """An exemption has an end: the event after it is acted on."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod")), finding_about(pod)
    deployment.respond_to(document)
    undo(cluster)
    until = datetime.fromisoformat(document["finding"]["eventTime"]).astimezone(UTC) + timedelta(minutes=15)

    def exempted(record: CaseRecord, _held: bool) -> Transition:
        spoken = with_word(record, WordKind.EXEMPTED, "a@example.com", datetime.now(UTC), until=until)
        return Transition(reason=Reason.EXEMPTED, status=204, record=spoken)

    deployment.services.journal.apply(parse_notification(document).key, exempted)
    ends = [again(deployment, document, minutes).reason for minutes in (10, 16)]
    assert ends == ["duplicate", "done"]
    assert len(cluster.objects("NetworkPolicy")) == 1
