"""What is a name in Cloud Run, and what is none."""

from __future__ import annotations

import pytest

from scc_responder.domain.cloud_run.run_names import RunKind, RunName, RunTarget, run_target, short_name
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import parse_cloud_run

PLACE = "projects/example-project/locations/europe-west1"


@pytest.mark.parametrize("kind", RunKind)
def test_a_path_is_read_and_written_alike(kind: RunKind) -> None:
    """The API takes the name that was read."""
    path = f"{PLACE}/{kind}s/checkout"
    name = RunName.parse(path)
    assert name == RunName(kind=kind, project="example-project", location="europe-west1", name="checkout")
    assert name is not None
    assert (name.path, RunTarget(name=name).path, RunTarget(name=name).kind) == (path, path, kind)


@pytest.mark.parametrize(
    "path",
    [
        "",
        f"//run.googleapis.com/{PLACE}/services/checkout",
        f"{PLACE}/workerPools/queue",
        f"{PLACE}/services/",
        f"{PLACE}/services/checkout/revisions/checkout-00001-abc",
        f"{PLACE}/services/*",
        f"{PLACE}/services/Checkout",
        "projects/../locations/europe-west1/services/checkout",
        f"{PLACE}/services/checkout\n",
    ],
)
def test_another_name_is_no_service_or_job(path: str) -> None:
    """A name becomes a part of a request: what does not match is no name."""
    assert RunName.parse(path) is None


def test_a_short_name_is_the_last_segment() -> None:
    """Traffic names revisions by their short names, the API by paths."""
    assert short_name(f"{PLACE}/services/checkout/revisions/checkout-00001-abc") == "checkout-00001-abc"
    assert short_name("checkout-00001-abc") == "checkout-00001-abc"


@pytest.mark.parametrize(
    ("rest", "path", "revision", "execution"),
    [
        ("services/checkout", "services/checkout", "", ""),
        ("services/checkout/revisions/checkout-v2", "services/checkout", "checkout-v2", ""),
        ("revisions/checkout-00042-abc", "services/checkout", "checkout-00042-abc", ""),
        ("jobs/nightly", "jobs/nightly", "", ""),
        ("jobs/nightly/executions/nightly-x7k2p", "jobs/nightly", "", "nightly-x7k2p"),
        ("jobs/nightly/executions/nightly-x7k2p/tasks/nightly-x7k2p-0", "jobs/nightly", "", "nightly-x7k2p"),
    ],
)
def test_a_target_is_a_service_or_a_job(rest: str, path: str, revision: str, execution: str) -> None:
    """A revision stands for its service, and an execution for its job; each is remembered."""
    name = RunName.parse(f"{PLACE}/{path}")
    assert name is not None
    told = run_target(parse_cloud_run(f"//run.googleapis.com/{PLACE}/{rest}"))
    assert told == RunTarget(name=name, revision=revision, execution=execution)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("workerPools/queue", Reason.WORKER_POOL),
        ("revisions/by-hand", Reason.SERVICE_NOT_NAMED),
        ("", Reason.SERVICE_NOT_NAMED),
    ],
)
def test_without_a_target_there_is_a_reason(rest: str, reason: Reason) -> None:
    """A worker pool is none, nor is a revision whose service nothing names."""
    assert run_target(parse_cloud_run(f"//run.googleapis.com/{PLACE}/{rest}")) == reason
