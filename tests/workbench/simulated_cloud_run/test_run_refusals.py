"""What the simulated Cloud Run refuses, and in which words."""

from __future__ import annotations

import grpc
import pytest

from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cloud_run.run_refusals import Refused, check_etag, condition, found
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE


def test_what_is_missing_is_named() -> None:
    """By its kind, region and project, as the real API does."""
    with pytest.raises(Refused) as refused:
        found({}, CHECKOUT_SERVICE, "SERVICE")
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
    assert refused.value.details == (
        "Resource 'checkout' of kind 'SERVICE' in region 'europe-west1' in project 'example-project' does not exist."
    )


def test_only_the_present_etag_fits() -> None:
    """No etag fits any version; another one fits none."""
    service = checkout_world(1.0).services[CHECKOUT_SERVICE]
    check_etag(service, "")
    check_etag(service, service.etag)
    with pytest.raises(Refused) as refused:
        check_etag(service, '"0"')
    assert refused.value.code is grpc.StatusCode.ABORTED


@pytest.mark.parametrize(("succeeded", "state"), [(True, "CONDITION_SUCCEEDED"), (False, "CONDITION_FAILED")])
def test_a_condition_says_its_state(succeeded: bool, state: str) -> None:
    """Whether it holds, and why not."""
    made = condition("Ready", succeeded=succeeded, message="why")
    assert (made.type_, made.state.name, made.message) == ("Ready", state, "why")
