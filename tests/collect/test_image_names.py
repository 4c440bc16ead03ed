"""Names of images, however they are spelt: the same repository is recognised, another one is not."""

from __future__ import annotations

import pytest

from scc_responder.collect.image_names import digest_in, repository_of

REPOSITORIES = [
    ("nginx", "docker.io/library/nginx"),
    ("nginx:1.27", "docker.io/library/nginx"),
    ("docker.io/nginx", "docker.io/library/nginx"),
    ("docker.io/library/nginx@sha256:0d", "docker.io/library/nginx"),
    ("example/web:2", "docker.io/example/web"),
    ("europe-docker.pkg.dev/example-project/shop/web:1.4.2", "europe-docker.pkg.dev/example-project/shop/web"),
    ("europe-docker.pkg.dev/example-project/shop/web:1@sha256:0d", "europe-docker.pkg.dev/example-project/shop/web"),
    ("localhost:5000/web", "localhost:5000/web"),
    ("localhost/web:2", "localhost/web"),
]


@pytest.mark.parametrize(("image", "repository"), REPOSITORIES)
def test_spellings_of_one_repository(image: str, repository: str) -> None:
    """Tag, digest and the registry that runtimes add make no other repository."""
    assert repository_of(image) == repository


def test_a_tag_is_no_digest() -> None:
    """A digest is found in ids and in pinned names; a tag is none."""
    assert (digest_in("web@sha256:0d"), digest_in("sha256:0d"), digest_in("web:1.4.2")) == ("0d", "0d", "")
