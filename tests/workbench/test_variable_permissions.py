"""What is granted only where a variable of the Terraform module asks for it."""

from __future__ import annotations

import pytest

from scc_responder.workbench.variable_permissions import acting_as, always_granted, by_variable
from tests.workbench.test_needed_permissions import made_up

IN_RUN = [
    pytest.param("run.services.get", "cloud_run_projects", id="read"),
    pytest.param("run.tasks.list", "cloud_run_projects", id="list"),
    pytest.param("run.jobs.getIamPolicy", "cloud_run_projects", id="policy"),
    pytest.param("run.services.update", "cloud_run_writes", id="update"),
    pytest.param("run.services.setIamPolicy", "cloud_run_writes", id="set-policy"),
    pytest.param("run.revisions.delete", "cloud_run_writes", id="delete"),
    pytest.param("run.executions.cancel", "cloud_run_writes", id="cancel"),
    pytest.param("run.operations.get", "cloud_run_writes", id="wait"),
]


@pytest.mark.parametrize(("name", "variable"), IN_RUN)
def test_what_reads_and_what_changes_cloud_run_are_apart(name: str, variable: str) -> None:
    """By the permission alone: a new action says what it needs, and nothing else is to be edited."""
    needs = made_up(name, "pubsub.topics.publish")
    sections = by_variable(needs)
    found = {section for section, asked in sections.items() if name in {need.permission for need in asked}}
    assert found == {variable}
    assert [need.permission for need in always_granted(needs)] == ["pubsub.topics.publish"]


def test_one_read_of_cloud_run_is_listed_once_for_all_that_need_it() -> None:
    """Evidence and an action may ask for the same; both are named."""
    (read,) = (
        need
        for need in by_variable(made_up("run.jobs.get"))["cloud_run_projects"]
        if ".jobs.get" in need.permission and not need.permission.endswith("Policy")
    )
    assert read.by == {"halt_service": ("p",), "evidence of Cloud Run": ()}


def test_acting_as_an_identity_is_said_of_updates_alone() -> None:
    """It is needed for what makes a service run anew, if at all; no role holds it."""
    needs = made_up("run.services.update", "run.revisions.delete")
    warned = acting_as(needs)
    assert warned is not None
    assert (warned.permission, warned.by) == ("iam.serviceAccounts.actAs", {"halt_service": ("p",)})
    assert acting_as(made_up("run.services.setIamPolicy", "run.executions.cancel")) is None
    granted = {need.permission for asked in by_variable(needs).values() for need in asked}
    assert warned.permission not in granted | {need.permission for need in always_granted(needs)}
