"""Names of container images, as kubelets, pod specs and findings spell them. Pure.

Source: distribution/reference, `ParseNormalizedNamed`.
"""

from __future__ import annotations

from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value

_DOCKER_HUB = "docker.io"
_PINNED = LatePattern(
    r"(?:docker-pullable://)?(?P<host>[a-z0-9.-]{1,100})/(?P<name>[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*)(?::[\w.-]{1,128})?"
    r"@(?P<digest>sha256:[0-9a-f]{64})",
)
_LONGEST_ID = 600
OLD_HOSTS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}
"""Of Container Registry: Artifact Registry has them as repositories of this name, in these locations."""


def digest_in(image: str) -> str:
    """The digest in an image's id or name; empty where it has none.

    >>> digest_in("docker-pullable://repo@sha256:0d85"), digest_in("repo:1.4.2")
    ('0d85', '')
    """
    _, found, digest = image.rpartition("sha256:")
    return digest if found else ""


def repository_of(image: str) -> str:
    """The image's name without tag and digest, with the registry that runtimes add.

    >>> repository_of("nginx:1.27"), repository_of("registry.example.com:5000/shop/web@sha256:0d85")
    ('docker.io/library/nginx', 'registry.example.com:5000/shop/web')
    """
    folder, slash, last = image.partition("@")[0].rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    host, slash, path = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = _DOCKER_HUB, name
    is_official = host == _DOCKER_HUB and "/" not in path
    return f"{host}/library/{path}" if is_official else f"{host}/{path}"


class ImagePlace(Value, frozen=True, kw_only=True):
    """Where Artifact Registry has an image: its host, its repository's full name, and its name there."""

    host: str
    repository: str
    name: str
    digest: str


def image_place(image_id: str) -> ImagePlace | None:
    """Where Artifact Registry has the image of a container's id; None for one of another registry, or without digest.

    >>> image_place(f"europe-docker.pkg.dev/shop/images/web@sha256:{'0' * 64}").repository
    'projects/shop/locations/europe/repositories/images'
    """
    pinned = _PINNED.fullmatch(image_id) if len(image_id) <= _LONGEST_ID else None
    if pinned is None:
        return None
    host, name = pinned["host"], pinned["name"]
    first, *rest = name.split("/")
    project, parts = (f"{first}:{rest[0]}", rest[1:]) if "." in first and rest else (first, rest)
    location = host.removesuffix("-docker.pkg.dev")
    if host in OLD_HOSTS and parts:
        repository = f"projects/{project}/locations/{OLD_HOSTS[host]}/repositories/{host}"
    elif location != host and "." not in location and len(parts) > 1:
        repository = f"projects/{project}/locations/{location}/repositories/{parts[0]}"
    else:
        return None
    return ImagePlace(host=host, repository=repository, name=name, digest=pinned["digest"])
