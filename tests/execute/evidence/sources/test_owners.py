"""The pod's owners are evidence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scc_responder.domain.context import Context, Pod
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence import NotPossible
from scc_responder.execute.evidence.sources.owners import owners
from tests.kits.captures import given
from tests.kits.journal_worlds import finding

POD = Pod(namespace="shop", name="web-1", uid="1", resource_version="1", creation_time=datetime(2026, 3, 1, tzinfo=UTC))
CHAIN = {"ReplicaSet": {"kind": "ReplicaSet"}, "Deployment": {"kind": "Deployment"}, "pod": {}, "node": {}}


def facts(**more: object) -> Context:
    threat = Threat(name="t", surface="pod", kind="ioc", confidence="likely")
    return Context(finding=finding(), threat=threat, pod=POD, **more)  # type: ignore[arg-type]


def test_each_owner_is_kept_in_one_order() -> None:
    """The whole chain, as far as it was read, and nothing else."""
    assert [item.kind for item in owners.read(given(facts(objects=CHAIN)))] == ["Deployment", "ReplicaSet"]


def test_what_is_of_cloud_run_owns_no_pod() -> None:
    """Another source keeps that, once."""
    run = {"service": {"name": "s"}, "revisions": {"items": []}, "iam_policy": {}}
    assert [item.kind for item in owners.read(given(facts(objects={**CHAIN, **run})))] == ["Deployment", "ReplicaSet"]


def test_a_standalone_pod_has_no_owners() -> None:
    """That is no failure."""
    assert owners.read(given(facts())) == ()


def test_an_unread_owner_says_why() -> None:
    """It may have been replaced by another of its name."""
    with pytest.raises(NotPossible, match="owner_replaced"):
        owners.read(given(facts(missing={"owner": "owner_replaced"})))
