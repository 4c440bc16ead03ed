"""Pods and containers of a finding: which one is meant, and where its parts disagree."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.finding import FindingContainer, KubernetesObject, PodRef
from scc_responder.intake.pods import MAX_CONTAINERS, MAX_POD_RECORDS, MAX_PODS, read_containers, read_pods

WEB = {"ns": "shop", "name": "web-1"}
REF = PodRef(namespace="shop", name="web-1")
SOURCE = {"Pod_Namespace": "shop", "Pod_Name": "web-1"}
AFFECTED = KubernetesObject(kind="Pod", namespace="shop", name="web-1")


def finding(*pods: dict[str, Any], objects: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"kubernetes": {"pods": list(pods), "objects": list(objects)}}


@pytest.mark.parametrize(
    ("document", "source", "affected"),
    [
        (finding(WEB), SOURCE, (AFFECTED,)),
        (finding(WEB, WEB), {}, ()),
        (finding(), SOURCE, ()),
        (finding(objects=({"kind": "Pod", **WEB},)), {}, ()),
        (finding(), {}, (AFFECTED,)),
        (finding(WEB), {"Pod_Name": "web-1"}, ()),
    ],
    ids=["all-agree", "doubled", "source", "objects", "affected", "half"],
)
def test_any_part_can_name_the_pod(document: dict[str, Any], source: dict[str, Any], affected: Any) -> None:
    """One pod without a doubt, wherever it is named."""
    found = read_pods(document, source, affected)
    assert (found.pods, found.contradictions, found.truncated) == ((REF,), (), False)


@pytest.mark.parametrize(
    ("document", "source", "contradictions"),
    [
        (finding(WEB), {"Pod_Namespace": "shop", "Pod_Name": "other"}, ("pod",)),
        (finding(WEB), {"Pod_Namespace": "prod"}, ("pod",)),
        (finding(WEB, {"ns": "shop", "name": "web-2"}), {}, ("several_pods",)),
        (finding({"ns": "shop", "name": "../x"}), {}, ("invalid_pod_name",)),
        (finding(*[WEB] * (MAX_POD_RECORDS + 1)), {}, ("too_many_pods",)),
    ],
)
def test_a_disagreement_on_pods_is_named(document: dict[str, Any], source: dict[str, Any], contradictions: Any) -> None:
    """Whatever says otherwise, or could be no pod, is told."""
    assert read_pods(document, source, ()).contradictions == contradictions


def test_many_pods_are_cut() -> None:
    """The first ones are kept, and it is known that there were more."""
    found = read_pods(finding(*[{"ns": "shop", "name": f"web-{n}"} for n in range(MAX_PODS + 1)]), {}, ())
    assert (len(found.pods), found.truncated) == (MAX_PODS, True)


def test_containers_of_all_parts_are_one() -> None:
    """Typed fields come first, then those of the pod, then the source's; the source's name may be missing."""
    document = {
        "containers": [{"name": "app", "uri": "i:1"}],
        **finding({**WEB, "containers": [{"name": "app", "imageId": "sha256:1"}]}),
    }
    source = {"Container_Creation_Timestamp": "2026-03-02T08:58:04Z", "Container_Image_Uri": "i:1"}
    found = read_containers(document, source)
    (container,) = found.containers
    assert (container.name, container.image, container.image_id) == ("app", "i:1", "sha256:1")
    assert container.create_time is not None
    assert found.contradictions == ()
    assert read_containers({}, {"Container_Name": "app"}).containers == (FindingContainer(name="app"),)
    assert read_containers({}, {}).containers == ()


@pytest.mark.parametrize(
    ("listed", "source", "contradictions"),
    [
        ([{"name": "app"}], {"Container_Name": "other"}, ("container",)),
        ([{"name": "app", "uri": "i:1"}, {"name": "app", "uri": "i:2"}], {}, ("image",)),
        (
            [{"name": "app", "imageId": "a@sha256:1"}],
            {"Container_Name": "app", "Container_Image_Id": "b@sha256:2"},
            ("image",),
        ),
        ([{"name": "app", "imageId": "a@sha256:1"}], {"Container_Name": "app", "Container_Image_Id": "sha256:1"}, ()),
    ],
)
def test_a_disagreement_on_containers_is_named(listed: Any, source: dict[str, Any], contradictions: Any) -> None:
    """Names and images that differ are told; a digest is the same in every spelling."""
    assert read_containers({"containers": listed}, source).contradictions == contradictions


def test_many_containers_are_cut() -> None:
    """The first ones are kept, and it is known that there were more."""
    found = read_containers({"containers": [{"name": f"c{n}"} for n in range(MAX_CONTAINERS + 1)]}, {})
    assert (len(found.containers), found.truncated) == (MAX_CONTAINERS, True)
