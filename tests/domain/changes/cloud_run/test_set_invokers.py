"""Everybody leaves a service's own IAM policy under its etag, and nobody else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.iam.v1 import policy_pb2

from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers, anyone_in
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunIamPolicy
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.google.cloud_run.samples import CHECKOUT, DEPLOYER, INVOKER, let_anyone_invoke
from tests.kits.one_run_change import SERVICE, OneCloudRun, one_cloud_run, planned_on_run

NAMED = f"serviceAccount:{DEPLOYER}"


def removal(run: OneCloudRun) -> SetInvokers:
    """Everybody out, as planned now."""
    let_anyone_invoke(run.world)
    (change,) = planned_on_run(run, "remove_invokers")
    assert isinstance(change, SetInvokers)
    return change


def members(run: OneCloudRun) -> dict[str, list[str]]:
    """Who is in the policy, by role."""
    return {each.role: sorted(each.members) for each in run.api.get_iam_policy(SERVICE).value.bindings}


def test_a_removal_is_read_back_and_taken_back() -> None:
    """Whoever is named stays; the inverse lets the same members in again."""
    with one_cloud_run() as run:
        change = removal(run)
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("done", "access_cut")
        assert result.detail == "callers who are let in as allUsers are refused"
        assert members(run) == {INVOKER: [NAMED]}
        undone = run.carried_out(inverse_of(change))
        assert (undone.reason, undone.detail) == ("access_restored", "allUsers may invoke it again")
        assert members(run) == {INVOKER: ["allUsers", NAMED]}
        assert run.server.writes_of("SetIamPolicy") == [CHECKOUT] * 2


def test_a_binding_of_everybody_alone_goes_and_comes_back() -> None:
    """An empty binding is not written."""
    with one_cloud_run() as run:
        change = removal(run)
        alone = policy_pb2.Binding(role="roles/run.viewer", members=["allAuthenticatedUsers"])
        run.world.policies[CHECKOUT].bindings.append(alone)
        (change,) = planned_on_run(run, "remove_invokers")
        assert isinstance(change, SetInvokers)
        run.carried_out(change)
        assert members(run) == {INVOKER: [NAMED]}
        run.carried_out(inverse_of(change))
        assert members(run) == {INVOKER: ["allUsers", NAMED], "roles/run.viewer": ["allAuthenticatedUsers"]}


def test_another_binding_that_lets_anyone_in_is_told() -> None:
    """It was added since the plan: the service is not called cut."""
    with one_cloud_run() as run:
        change = removal(run)
        run.world.policies[CHECKOUT].bindings.append(policy_pb2.Binding(role="roles/run.admin", members=["allUsers"]))
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("not_effective", "still_invoked")


def test_a_service_that_asks_nobody_is_not_cut() -> None:
    """It was let do so since the plan: what its policy says does not count then, written now or before."""
    with one_cloud_run() as run:
        change = removal(run)
        run.world.services[CHECKOUT].invoker_iam_disabled = True
        results = [run.carried_out(change), run.carried_out(change, intended=True)]
        assert [(result.status, result.reason) for result in results] == [("not_effective", "still_invoked")] * 2
        assert len(run.server.writes_of("SetIamPolicy")) == 1


def test_a_change_of_the_policy_meanwhile_is_kept() -> None:
    """The write is refused by its etag, made anew from what was read again, and what others added stays."""
    with one_cloud_run() as run:
        change = removal(run)
        read = run.api.get_iam_policy
        other = "user:alex@example.com"

        def changed_after(name: Any) -> Any:
            seen = read(name)
            vars(run.api).pop("get_iam_policy")
            held = run.world.policies[CHECKOUT]
            held.bindings[0].members.append(other)
            held.etag = b"BwOther"
            return seen

        vars(run.api)["get_iam_policy"] = changed_after
        assert run.carried_out(change).reason == "access_cut"
        assert members(run) == {INVOKER: [NAMED, other]}


def test_a_lost_answer_is_not_sent_twice() -> None:
    """What was written is read back."""
    with one_cloud_run() as run:
        change = removal(run)
        run.server.lost_answers = 1
        assert run.carried_out(change).reason == "done_before"
        assert run.server.writes_of("SetIamPolicy") == [CHECKOUT]


def without_right(run: OneCloudRun) -> None:
    run.server.granted = frozenset({"run.services.get", "run.services.getIamPolicy"})


def replaced(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].uid = "00000000-0000-4000-a000-00000000000f"


@pytest.mark.parametrize(
    ("befall", "reason"), [(without_right, "cloud_run_permission_denied"), (replaced, "target_replaced")]
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_done_says_why(befall: Callable[[OneCloudRun], None], reason: str, dry_run: bool) -> None:
    """Also in a rehearsal, which asks for the permission alone."""
    with one_cloud_run() as run:
        change = removal(run)
        befall(run)
        assert run.carried_out(change, dry_run=dry_run).reason == reason
        assert run.server.writes_of("SetIamPolicy") == []


def test_iam_is_not_rehearsed() -> None:
    """Where the permission is there the answer says so much, and no more."""
    with one_cloud_run() as run:
        result = run.carried_out(removal(run), dry_run=True)
        assert (result.status, result.reason) == ("dry_run", "not_rehearsed")
        assert run.server.writes_of("SetIamPolicy") == []


def test_a_condition_is_part_of_a_binding() -> None:
    """The same role under another condition is another binding."""
    always, at_night = (
        RunIamBinding(role=INVOKER, members=("allUsers", NAMED), condition=condition) for condition in ("", "night")
    )
    assert [(each.condition, each.members) for each in anyone_in(RunIamPolicy(bindings=(always, at_night)))] == [
        ("", ("allUsers",)),
        ("night", ("allUsers",)),
    ]
