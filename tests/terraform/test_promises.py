"""What the module makes, read from the states of its own tests: exact grants, nothing lost, nothing open."""

from __future__ import annotations

import json

import pytest

from tests.terraform.checking import MODULE, OwnTests, State
from tests.terraform.promises import PROMISES, permissions_held

RUNS = (
    "scopes/organization",
    "scopes/organization_any_project",
    "scopes/folder",
    "scopes/project",
    "delivery/delivery",
    "privilege/privilege",
    "privilege/console",
    "privilege/console_undo",
    "privilege/signing",
    "privilege/signing_elsewhere",
    "privilege/cloud_logging",
    "privilege/cloud_monitoring",
    "privilege/cloud_run_projects",
    "privilege/cloud_run_writes",
    "privilege/undo_operators",
    "privilege/essential_contacts",
    "privilege/external_system",
    "privilege/collector_image",
    "privilege/collector_repository",
    "privilege/collector_repository_given",
    "privilege/connect_gateway",
    "privilege/image_repositories",
    "privilege/notice_secrets",
    "privilege/customer_managed_keys",
    "privilege/operators",
)


@pytest.fixture(scope="session")
def states(tested: OwnTests) -> dict[str, State]:
    """The state after each run."""
    return tested.states()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", PROMISES)
def test_each_promise_holds_in_every_scope(states: dict[str, State], run: str, name: str) -> None:
    """What holds of everything that the module makes, holds in each scope."""
    PROMISES[name](states[run])


@pytest.mark.parametrize("run", RUNS)
def test_roles_hold_exactly_the_listed_permissions(states: dict[str, State], run: str) -> None:
    """The function's custom roles hold what permissions.json lists, a section of its own where the input is set."""
    held = permissions_held(states[run], r"google_\w+_iam_custom_role[.](?:own|reach)")

    asked = {
        "cloud_monitoring": {"cloud_logging", "cloud_monitoring", "cloud_run_projects"},
        "cloud_run_writes": {"cloud_run_projects"},
        "undo_operators": {"cloud_run_projects"},
        "console_undo": {"cloud_run_projects"},
    }
    name = run.removeprefix("privilege/")
    sections = {"iam", *asked.get(name, {name})} & permissions().keys()
    assert sorted(held) == sorted(need["permission"] for section in sections for need in permissions()[section])


def permissions() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads((MODULE / "permissions.json").read_text())
    return found


ADJUSTED = (
    *("delivery/collector", "delivery/cloud_run", "delivery/delivery_settings", "delivery/approvals"),
    *("delivery/alerts", "delivery/idle_instances", "delivery/bundle_in_a_bucket"),
)
STILL = (
    *("grants_are_exactly_these", "operators_get_what_on_call_takes", "a_delivery_outlasts_the_function"),
    *("threads_match_concurrency", "nobody_approves_who_may_not_call", "the_sweep_is_asked_for"),
)


@pytest.mark.parametrize("run", ADJUSTED)
@pytest.mark.parametrize("name", STILL)
def test_with_other_settings(states: dict[str, State], run: str, name: str) -> None:
    """Other settings let nobody do more, and deliveries still outlast the function."""
    PROMISES[name](states[run])


def test_every_state_is_looked_at(states: dict[str, State]) -> None:
    """No test of the module's own goes without."""
    assert states.keys() == {*RUNS, *ADJUSTED}
