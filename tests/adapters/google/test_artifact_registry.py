"""What a registry says of an image is read within bounds, from Google's hosts alone, and believed by its digest."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from scc_responder.adapters.google.artifact_registry import ArtifactRegistry
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.image_registry import DOWNLOADS, ImageRegistry, sources_digest

HOST, NAME = "europe-docker.pkg.dev", "shop/images/web"
REPOSITORY = "projects/shop/locations/europe/repositories/images"
CONFIG = {"os": "linux", "created": "2026-02-01T10:00:00Z", "history": [{"created_by": "COPY web /app/web # buildkit"}]}


@pytest.fixture
def server() -> Iterator[ImageRegistry]:
    """A registry on this machine."""
    with ImageRegistry() as made:
        yield made


@pytest.fixture
def registry(server: ImageRegistry) -> ArtifactRegistry:
    """The adapter that asks it."""
    return adapter(server.host, server.token)


def adapter(endpoint: str, token: str = "token-1", seconds: float = 2.0) -> ArtifactRegistry:
    """An adapter with this token."""
    return ArtifactRegistry([REPOSITORY], endpoint=endpoint, token=lambda: token, timeout_seconds=seconds)


def test_an_image_is_read_by_its_digest(server: ImageRegistry, registry: ArtifactRegistry) -> None:
    """Its manifest and its configuration, which comes by a redirect that gets no token."""
    digest = server.add_image(NAME, CONFIG)
    found = registry.image(HOST, NAME, digest, "amd64")
    assert (found["digest"], found["config"]["history"]) == (digest, CONFIG["history"])
    assert found["manifest"]["config"]["digest"] in {name for _, name in server.blobs}
    assert [(method, has_token) for method, _, has_token in server.asked] == [
        ("GET", True),
        ("GET", True),
        ("GET", False),
    ]
    assert registry.repositories == {REPOSITORY}


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_an_index_leads_to_the_nodes_platform(
    server: ImageRegistry, registry: ArtifactRegistry, architecture: str
) -> None:
    """What kubelets name may be an index of several images."""
    digest = server.add_image(NAME, CONFIG, platforms=2)
    found = registry.image(HOST, NAME, digest, architecture)
    assert found["config"]["architecture"] == architecture
    assert found["digest"] != digest
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "riscv64")
    assert raised.value.reason == "artifact_registry_no_such_platform"


REFUSED = [
    (403, "forbidden", True),
    (401, "unauthenticated", False),
    (404, "not_found", False),
    (429, "status_429", False),
]


@pytest.mark.parametrize(("status", "word", "is_permission"), REFUSED)
def test_a_registry_that_refuses_has_a_reason(
    server: ImageRegistry, registry: ArtifactRegistry, status: int, word: str, is_permission: bool
) -> None:
    """Nothing is tried again, and a missing permission is named."""
    digest = server.add_image(NAME, CONFIG)
    server.answers = [status]
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason == f"artifact_registry_{word}"
    assert raised.value.permission == ("artifactregistry.repositories.downloadArtifacts" if is_permission else "")
    assert len(server.asked) == 1


@pytest.mark.parametrize("part", ["manifest", "config"])
def test_what_has_another_digest_is_not_believed(server: ImageRegistry, registry: ArtifactRegistry, part: str) -> None:
    """Whoever changed it on its way."""
    digest = server.add_image(NAME, CONFIG)
    named = registry.image(HOST, NAME, digest, "amd64")["manifest"]["config"]["digest"]
    server.swapped = {digest if part == "manifest" else named: b'{"history": []}'}
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason == "artifact_registry_digest_differs"


HOSTS = [
    "registry.example.com",
    "docker.pkg.dev",
    "europe-docker.pkg.dev.example.com",
    "europe-docker.pkg.dev:8443",
    "user@europe-docker.pkg.dev",
    "evil.gcr.io.example.com",
    "metadata.google.internal",
    "127.0.0.1",
    "",
]


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_never_asked(host: str) -> None:
    """No name that a pod's image may have sends the token there."""
    asked: list[str] = []
    registry = ArtifactRegistry([REPOSITORY], token=lambda: asked.append(host) or "token-1")
    with pytest.raises(ApiError) as raised:
        registry.image(host, NAME, sources_digest(b""), "amd64")
    assert raised.value.reason == "artifact_registry_foreign_host"
    assert asked == []


REDIRECTS = [
    "http://192.0.2.1/x",
    "https://example.com/x",
    "//example.com/x",
    "http://127.0.0.1:1/x",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("place", REDIRECTS)
def test_a_redirect_elsewhere_is_not_followed(server: ImageRegistry, registry: ArtifactRegistry, place: str) -> None:
    """Not even without the token."""
    digest = server.add_image(NAME, CONFIG)
    server.redirect = place
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason == "artifact_registry_foreign_host"


def test_endless_redirects_end(server: ImageRegistry, registry: ArtifactRegistry) -> None:
    """After a few."""
    digest = server.add_image(NAME, CONFIG)
    server.answers = [0, 0, *[302] * 9]
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason == "artifact_registry_redirects"
    assert len(server.asked) < 6
    assert server.asked[-1][1].startswith(DOWNLOADS)


def test_more_than_an_image_says_is_not_read(server: ImageRegistry, registry: ArtifactRegistry) -> None:
    """A document without an end is no document."""
    digest = server.add_image(NAME, CONFIG)
    server.swapped = {digest: b" " * (ArtifactRegistry.most_bytes + 1)}
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason == "artifact_registry_too_large"


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"no JSON",
        b"[" * 100_000,
        b'{"manifests": [{"platform": 7}]}',
        b'{"config": 7}',
        b'{"config": {"digest": "../../x"}}',
    ],
)
def test_a_document_of_another_form_is_told(server: ImageRegistry, registry: ArtifactRegistry, content: bytes) -> None:
    """Whoever pushed it may push anything under its own digest."""
    digest = sources_digest(content)
    server.manifests[NAME, digest] = ("application/vnd.oci.image.manifest.v1+json", content)
    with pytest.raises(ApiError) as raised:
        registry.image(HOST, NAME, digest, "amd64")
    assert raised.value.reason.startswith("artifact_registry_")


def test_single_bytes_take_no_longer_than_all(server: ImageRegistry) -> None:
    """The time is counted to the last byte."""
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=_drip, args=(slow,), daemon=True).start()
        began = time.monotonic()
        with pytest.raises(ApiError) as raised:
            adapter(f"127.0.0.1:{slow.getsockname()[1]}", seconds=0.3).image(HOST, NAME, sources_digest(b""), "amd64")
    assert raised.value.reason == "artifact_registry_unreachable"
    assert time.monotonic() - began < 5


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(400):
            try:
                connection.sendall(b" ")
            except OSError:
                return
            time.sleep(0.05)


def test_another_server_must_be_on_this_machine() -> None:
    """No setting sends a token elsewhere."""
    with pytest.raises(SettingsError, match="loopback"):
        adapter("192.0.2.1:443")
