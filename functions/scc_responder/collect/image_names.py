"""Names of container images, as kubelets, pod specs and findings spell them. Pure.

Source: distribution/reference, `ParseNormalizedNamed`.
"""

from __future__ import annotations

_DOCKER_HUB = "docker.io"


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
