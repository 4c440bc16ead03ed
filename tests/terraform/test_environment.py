"""The environment that the module gives the function is one that the function starts with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scc_responder import settings
from scc_responder.adapters.google.firestore.firestore_documents import FirestoreCollection
from scc_responder.adapters.google.security_center import service_in
from scc_responder.settings import Settings, read_settings
from scc_responder.workbench.doctor.deployed import parse_environment, read_deployment
from tests.terraform.checking import MODULE, OwnTests
from tests.terraform.promises import of_type, only

RUNS = (
    *("scopes/organization", "scopes/folder", "scopes/project"),
    *("delivery/delivery_settings", "delivery/approvals", "privilege/console"),
)
SWEEPER = "SCC_RESPONDER_SWEEPER"
PLATFORM = {"LOG_EXECUTION_ID", "THREADS"}
"""What functions-framework reads."""


def environment(tested: OwnTests, run: str) -> dict[str, str]:
    """The function's environment after a run."""
    function = only(tested.states()[run], "google_cloudfunctions2_function")
    found: dict[str, str] = dict(function["service_config"][0]["environment_variables"])
    # Google makes the address of an identity; the mocked provider makes up a word.
    made = tested.states()[run]['google_service_account.responder["sweep"]']
    assert found[SWEEPER] == made["email"]
    return {**found, SWEEPER: f"{made['account_id']}@{made['project']}.iam.gserviceaccount.com"}


def read(tested: OwnTests, run: str) -> Settings:
    """What the function reads from it on Cloud Run."""
    return read_settings({**environment(tested, run), "K_SERVICE": "scc-responder"}, Path("policies"))


@pytest.mark.parametrize("run", RUNS)
def test_the_function_starts_with_it(tested: OwnTests, run: str) -> None:
    """The function starts with it, on Cloud Run, with what would lose cases refused."""
    found = read(tested, run)

    assert found.clusters
    assert found.sources
    assert found.evidence == "gs://example-project-scc-responder-evidence/cases"
    assert found.outcome_topic == "projects/example-project/topics/scc-responder-outcomes"
    assert found.trace_project == "example-project"
    service = only(tested.states()[run], "google_cloudfunctions2_function")["service_config"][0]
    assert found.timeout_seconds == service["timeout_seconds"]


@pytest.mark.parametrize("run", RUNS)
def test_every_variable_is_documented(tested: OwnTests, run: str) -> None:
    """Each variable is one that settings document, or the framework's."""
    documented = set(re.findall(r"^(SCC_RESPONDER_\w+)", settings.__doc__ or "", re.MULTILINE))

    assert environment(tested, run).keys() - PLATFORM <= documented


def test_lists_arrive_as_they_were_given(tested: OwnTests) -> None:
    """Clusters and sources arrive as they were given."""
    found = read(tested, "scopes/organization")

    assert found.clusters == (
        "projects/shop-prod/locations/europe-west1/clusters/prod-1",
        "projects/shop-test/locations/*/clusters/*",
    )
    assert found.sources == ("1111111111111111111", "2222222222222222222")


def test_findings_are_read_at_their_location(tested: OwnTests) -> None:
    """Findings are read where notifications come from: with data residency, at the regional endpoint."""
    assert service_in(read(tested, "scopes/folder").scc_location) == "securitycenter.eu.rep.googleapis.com"
    assert service_in(read(tested, "scopes/organization").scc_location) == "securitycenter.googleapis.com"


@pytest.mark.parametrize(("run", "on"), [("privilege/privilege", False), ("privilege/connect_gateway", True)])
def test_the_gateway_is_used_where_asked(tested: OwnTests, run: str, on: bool) -> None:
    """The function uses Connect Gateway where the input asks for it."""
    assert read(tested, run).connect_gateway is on


@pytest.mark.parametrize(("run", "on"), [("privilege/privilege", False), ("privilege/cloud_logging", True)])
def test_cloud_logging_is_asked_where_its_role_is_granted(tested: OwnTests, run: str, on: bool) -> None:
    """The function sends no request that would be refused."""
    assert read(tested, run).cloud_logging is on


@pytest.mark.parametrize(("run", "on"), [("privilege/privilege", False), ("privilege/cloud_monitoring", True)])
def test_instances_are_counted_where_its_role_is_granted(tested: OwnTests, run: str, on: bool) -> None:
    """As for Cloud Logging."""
    assert read(tested, run).cloud_monitoring is on


def test_cloud_run_is_changed_by_who_is_made_for_it(tested: OwnTests) -> None:
    """The function is told of the second account where there is one, and of none elsewhere."""
    writer = "scc-responder-writer@example-project.iam.gserviceaccount.com"
    assert read(tested, "privilege/cloud_run_writes").run_writer == writer
    assert read(tested, "privilege/cloud_run_projects").run_writer == ""


def test_the_collector_is_put_in_where_given(tested: OwnTests) -> None:
    """The function puts the image into pods that the input names, and none where it names none."""
    given = tested.states()["delivery/collector"]["google_cloudfunctions2_function.responder"]["service_config"][0]
    assert read(tested, "delivery/collector").collector == given["environment_variables"]["SCC_RESPONDER_COLLECTOR"]
    assert read(tested, "delivery/delivery").collector == ""


def test_the_journal_is_in_the_made_database(tested: OwnTests) -> None:
    """The journal is in the database that is made, and the collection whose entries expire."""
    state = tested.states()["scopes/organization"]
    collection = FirestoreCollection.of(read(tested, "scopes/organization").store)
    database = only(state, "google_firestore_database")["name"]

    assert collection.database == f"projects/example-project/databases/{database}"
    assert {values["collection"] for values in of_type(state, "google_firestore_field")} == {collection.name}


def test_approvers_turn_approvals_on(tested: OwnTests) -> None:
    """Where approvers are given, their tokens are to be made for the function's own address; else nobody approves."""
    found = read(tested, "delivery/approvals")

    assert found.approval_audience == "https://scc-responder-123456789012.europe-west1.run.app"
    assert found.function_url == found.approval_audience
    assert read(tested, "scopes/organization").approval_audience == ""


@pytest.mark.parametrize("run", ["delivery/approvals", "scopes/organization"])
def test_where_to_approve(tested: OwnTests, run: str) -> None:
    """The output `url` is the audience that approvers' tokens must be made for, character by character."""
    assert tested.outputs()[run]["url"] == "https://scc-responder-123456789012.europe-west1.run.app"
    assert read(tested, run).approval_audience in {"", tested.outputs()[run]["url"]}


@pytest.mark.parametrize("kind", ["organization", "folder", "project"])
def test_the_settings_output_is_read_by_doctor(tested: OwnTests, kind: str) -> None:
    """The output `settings` is a file that doctor reads: the function's environment, and what was made besides."""
    run = f"scopes/{kind}"
    told = environment(tested, run)
    given = {**parse_environment(tested.outputs()[run]["settings"], "responder.env"), SWEEPER: told[SWEEPER]}
    push = tested.states()[run]["google_pubsub_subscription.push"]
    pushed_to = given.pop(f"{settings.VARIABLE_PREFIX}PUSH_ENDPOINT")  # a word that the mock made up
    made = read_deployment(given)
    service = only(tested.states()[run], "google_cloudfunctions2_function")["service_config"][0]

    assert told.items() <= given.items()
    assert read_settings({**given, "K_SERVICE": "scc-responder"}, Path("policies")) == read(tested, run)
    assert made.scope.startswith(f"{kind}s/")
    assert made.topic == push["topic"] == "projects/example-project/topics/scc-responder-findings"
    assert made.subscription == "projects/example-project/subscriptions/scc-responder-push"
    assert (made.timeout_seconds, made.identity) == (service["timeout_seconds"], service["service_account_email"])
    assert pushed_to == push["push_config"][0]["push_endpoint"]
    assert made.push_identity == push["push_config"][0]["oidc_token"][0]["service_account_email"]
    assert made.heartbeat_minutes == 10


CLUSTERS = [
    pytest.param("projects/p/locations/l/clusters/c", True, id="one"),
    pytest.param("projects/*/locations/*/clusters/*", True, id="any"),
    pytest.param("projects/example.com:p/locations/europe-west1/clusters/c-1", True, id="domain-scoped"),
    pytest.param("projects/p/locations/l/clusters/prod-*", False, id="half-a-segment"),
    pytest.param("projects/p/zones/z/clusters/c", False, id="zones"),
    pytest.param("projects/p/locations/l/clusters/c/x", False, id="too-long"),
    pytest.param("projects/P/locations/l/clusters/c", False, id="upper-case"),
    pytest.param("projects/p/locations/l/clusters/c\n", False, id="line-break"),
    pytest.param("projects/p/locations/l/clusters/a,projects/p/locations/l/clusters/b", False, id="two-in-one"),
]


@pytest.mark.parametrize(("pattern", "accepted"), CLUSTERS)
def test_patterns_are_the_same(pattern: str, accepted: bool) -> None:
    """The module accepts the cluster patterns that settings accept, and no other."""
    text = (MODULE / "variables.tf").read_text()
    rule = next(match for match in re.findall(r'regex\("(\^projects/.*?)", cluster\)', text))

    assert bool(re.search(rule.replace("$", r"\Z"), pattern)) is accepted
    assert bool(settings._CLUSTER.fullmatch(pattern)) is accepted
