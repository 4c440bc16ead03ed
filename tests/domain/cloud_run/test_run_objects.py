"""What services and revisions say about themselves."""

from __future__ import annotations

import pytest

from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunRevision, RunService

CHECKOUT = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")


@pytest.mark.parametrize(
    ("labels", "annotations", "manager"),
    [
        ({}, {}, ""),
        ({"team": "shop"}, {"run.googleapis.com/client-name": "gcloud"}, ""),
        ({"goog-managed-by": "cloudfunctions"}, {}, "cloudfunctions"),
        ({"goog-managed-by": "apphub"}, {}, "apphub"),
        ({"goog-cloudfunctions-runtime": "python314"}, {}, "cloudfunctions"),
        ({"goog-managed-by": "apphub"}, {"cloudfunctions.googleapis.com/function-id": "f"}, "cloudfunctions"),
    ],
)
def test_a_service_says_what_manages_it(labels: dict[str, str], annotations: dict[str, str], manager: str) -> None:
    """Cloud Functions would undo what is done to its service: any mark of it counts."""
    service = RunService(name=CHECKOUT, uid="u", generation=1, etag="e", labels=labels, annotations=annotations)
    assert service.managed_by == manager


@pytest.mark.parametrize(
    ("digests", "known"),
    [
        (("sha256:a",), {"sha256:a"}),
        (("sha256:a", "sha256:b"), {"sha256:a", "sha256:b"}),
        (("sha256:a", ""), set()),
        ((), set()),
    ],
)
def test_one_unknown_digest_makes_all_unknown(digests: tuple[str, ...], known: set[str]) -> None:
    """A sidecar of an unknown image may be the bad one."""
    containers = tuple(RunContainer(name=str(number), digest=digest) for number, digest in enumerate(digests))
    assert RunRevision(name="r", service="checkout", uid="u", containers=containers).digests == known
