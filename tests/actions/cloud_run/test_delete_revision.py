"""A revision is planned to be deleted before it is retired, but never one that Cloud Run keeps anyway."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.cloud_run.delete_revision import DeleteRevision
from scc_responder.domain.context import Context
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import BAD, CHECKOUT, run_finding, run_revision, run_service

DELETE = actions()["delete_revision"]


def planned(missing: dict[str, str] | None = None, *, revision: Any = None, **service: Any) -> Any:
    """The plan where this revision is meant."""
    read = None if missing and "service" in missing else run_service(**{"latest_created": "checkout-3", **service})
    context = Context(finding=run_finding(), threat=THREAT, service=read, revision=revision, missing=missing or {})
    return DELETE.plan(context, DELETE.params())


def test_a_revision_is_planned_while_it_still_serves() -> None:
    """An earlier step of the same plan may take its requests away: that is asked once it is carried out."""
    (change,) = planned(revision=run_revision(2, BAD), latest_ready="checkout-3")
    assert change == DeleteRevision(
        path=CHECKOUT.path, uid="service-uid", revision="checkout-2", revision_uid="revision-2"
    )
    assert change.felt.startswith("checkout-2 goes with its settings, which evidence keeps")
    assert inverse_of(change) is None
    assert (DELETE.reversible, DELETE.needs_identity) == (False, True)


@pytest.mark.parametrize("latest", [{"latest_created": "checkout-2"}, {"latest_ready": "checkout-2"}])
def test_the_latest_revision_is_held_before_anybody_is_asked(latest: dict[str, str]) -> None:
    """No step of the plan changes that: a person has to deploy another."""
    plan = planned(revision=run_revision(2, BAD), **{"latest_ready": "checkout-3", **latest})
    assert plan == Hold(reason=plan.reason)
    assert plan.reason == "revision_latest"


@pytest.mark.parametrize(
    ("missing", "kind", "reason"),
    [
        ({"revision": "several_revisions"}, Hold, "several_revisions"),
        ({"revision": "revision_gone"}, Hold, "revision_gone"),
        ({"revisions": "partial_list"}, Hold, "partial_list"),
        ({"service": "target_absent"}, Skip, "target_absent"),
    ],
)
def test_a_deletion_without_a_revision_says_why(missing: dict[str, str], kind: type, reason: str) -> None:
    """A service that is gone needs nothing; anything else is held."""
    plan = planned(missing)
    assert isinstance(plan, kind)
    assert getattr(plan, "reason", "") == reason
