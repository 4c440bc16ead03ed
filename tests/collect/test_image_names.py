"""Names of images, however they are spelt: the same repository is recognised, another one is not."""

from __future__ import annotations

import pytest

from scc_responder.collect.image_names import digest_in, image_place, repository_of

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


D = f"sha256:{'0' * 64}"
PLACES = [
    (f"europe-docker.pkg.dev/shop/images/web@{D}", "projects/shop/locations/europe/repositories/images"),
    (f"europe-west1-docker.pkg.dev/shop/images/a/b:1@{D}", "projects/shop/locations/europe-west1/repositories/images"),
    (f"docker-pullable://us-docker.pkg.dev/shop/images/web@{D}", "projects/shop/locations/us/repositories/images"),
    (f"europe-docker.pkg.dev/example.com/shop/i/web@{D}", "projects/example.com:shop/locations/europe/repositories/i"),
    (f"gcr.io/shop/web@{D}", "projects/shop/locations/us/repositories/gcr.io"),
    (f"eu.gcr.io/shop/team/web@{D}", "projects/shop/locations/europe/repositories/eu.gcr.io"),
]
NOWHERE = [
    f"docker.io/library/nginx@{D}",
    f"docker.pkg.dev/shop/images/web@{D}",
    f"a.b-docker.pkg.dev/shop/images/web@{D}",
    f"europe-docker.pkg.dev:443/shop/images/web@{D}",
    f"europe-docker.pkg.dev/shop/web@{D}",
    f"gcr.io/web@{D}",
    f"x.gcr.io/shop/web@{D}",
    f"europe-docker.pkg.dev/shop/images/../../web?x@{D}",
    f"europe-docker.pkg.dev/shop/images/../secret/web@{D}",
    f"europe-docker.pkg.dev/shop/images//web@{D}",
    f"europe-docker.pkg.dev/shop/images/{'a/' * 300}web@{D}",
    "europe-docker.pkg.dev/shop/images/web@sha256:0d",
    D,
    "",
]


@pytest.mark.parametrize(("image_id", "repository"), PLACES)
def test_an_image_has_a_place_in_artifact_registry(image_id: str, repository: str) -> None:
    """Container Registry's old names are repositories of their own there."""
    place = image_place(image_id)
    assert place is not None
    assert (place.repository, place.digest) == (repository, D)
    assert image_id.endswith(f"{place.host}/{place.name}@{D}") or ":1@" in image_id


@pytest.mark.parametrize("image_id", NOWHERE)
def test_another_image_has_no_place_there(image_id: str) -> None:
    """Whatever its name looks like."""
    assert image_place(image_id) is None
