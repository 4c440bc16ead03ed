"""The configuration of the container's image is evidence, where settings list its repository."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.context import ContainerStatus
from scc_responder.execute.evidence import NotPossible, SourceInput
from scc_responder.execute.evidence.redaction import redact
from scc_responder.execute.evidence.sources.image import image
from tests.kits.decision_contexts import context

DIGEST = f"sha256:{'0' * 64}"
LISTED = frozenset({"projects/shop/locations/europe/repositories/images"})
FOUND = {"digest": DIGEST, "manifest": {}, "config": {"history": []}}


class Registry:
    """`ports.ImageRegistry` with one answer."""

    repositories = LISTED

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def image(self, host: str, name: str, digest: str, architecture: str) -> dict[str, Any]:
        """See the port."""
        self.asked.append((host, name, digest, architecture))
        return FOUND


def given(registry: Registry | None, image_id: str = "", objects: Any = None, container: str = "app") -> SourceInput:
    """What the source may look at: a pod whose container `app` runs this image."""
    subject = context()
    assert subject.pod is not None
    pod = replace(subject.pod, containers=(ContainerStatus(name="app", image_id=image_id),))
    subject = replace(subject, pod=pod, objects=objects or {})
    return SourceInput(context=subject, registry=registry, container=container)


@pytest.mark.parametrize(
    ("objects", "architecture"),
    [
        ({}, "amd64"),
        ({"node": {"status": {"nodeInfo": {"architecture": "arm64"}}}}, "arm64"),
    ],
)
def test_the_image_of_the_container_is_asked_for(objects: Any, architecture: str) -> None:
    """By the digest that the kubelet names, for the node's architecture."""
    registry = Registry()
    (item,) = image.read(given(registry, f"europe-docker.pkg.dev/shop/images/team/web@{DIGEST}", objects))
    assert registry.asked == [("europe-docker.pkg.dev", "shop/images/team/web", DIGEST, architecture)]
    assert (item.kind, item.title, item.content) == (
        "Image",
        f"europe-docker.pkg.dev/shop/images/team/web@{DIGEST}",
        FOUND,
    )


OTHERS = [
    pytest.param(f"europe-docker.pkg.dev/shop/other/web@{DIGEST}", "app", id="another-repository"),
    pytest.param(f"europe-docker.pkg.dev/evil/images/web@{DIGEST}", "app", id="another-project"),
    pytest.param(f"us-docker.pkg.dev/shop/images/web@{DIGEST}", "app", id="another-location"),
    pytest.param(f"europe-docker.pkg.dev.example.com/shop/images/web@{DIGEST}", "app", id="another-host"),
    pytest.param("europe-docker.pkg.dev/shop/images/web:1", "app", id="a-tag"),
    pytest.param(DIGEST, "app", id="no-name"),
    pytest.param(f"europe-docker.pkg.dev/shop/images/web@{DIGEST}", "sidecar", id="no-such-container"),
]


@pytest.mark.parametrize(("image_id", "container"), OTHERS)
def test_an_image_elsewhere_is_not_asked_for(image_id: str, container: str) -> None:
    """Whoever makes pods chooses their images, and not whom the function asks."""
    registry = Registry()
    with pytest.raises(NotPossible) as raised:
        image.read(given(registry, image_id, container=container))
    assert (raised.value.reason, registry.asked) == ("image_not_listed", [])


def test_without_repositories_nothing_is_asked() -> None:
    """It is off until settings list one."""
    with pytest.raises(NotPossible) as raised:
        image.read(given(None, f"europe-docker.pkg.dev/shop/images/web@{DIGEST}"))
    assert raised.value.reason == "no_image_repositories"


def test_an_image_says_no_secrets() -> None:
    """Its configuration holds what it was built with: values of variables are left out, lines are looked through."""
    line = "RUN |1 NPM_TOKEN=npm_abcdefghijklmnopqrstuvwxyz0123456789 /bin/sh -c npm ci"
    config = {"config": {"Env": ["PATH=/usr/bin", "DB_PASSWORD=hunter2hunter2"]}, "history": [{"created_by": line}]}
    kept = str(redact({"config": config}).content)
    assert "hunter2" not in kept
    assert "npm_abc" not in kept
    assert "npm ci" in kept
