"""What would be read on Cloud Run about a finding's target: it agrees with the finding, and can be acted on."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunRevision
from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.sample_findings import facts_as_told
from scc_responder.workbench.sample_services import SAFE_DIGEST, run_facts_as_told
from tests.kits.run_values import BAD, run_finding

JOB = CloudRunTarget(kind="job", project="example-project", location="europe-west1", name="nightly")


def test_a_service_has_the_findings_image_and_a_safe_one() -> None:
    """The revision that is meant runs the image of the finding, and an older one another."""
    told = run_facts_as_told(run_finding(BAD))
    meant, safe = told["revisions"]
    assert told["revision"] == meant
    assert (meant.digests, safe.digests) == ({BAD}, {SAFE_DIGEST})
    assert safe.create_time < meant.create_time
    assert told["service"].latest_ready == meant.name


def test_a_service_can_be_rolled_back() -> None:
    """The identity is proved, and each action on a service has something to do."""
    context = context_of(run_finding(BAD), facts_as_told(run_finding(BAD)))
    assert context.identity.level is IdentityLevel.PROVED
    for name in ("roll_back_service", "cut_ingress", "remove_invokers", "scale_to_zero"):
        action = actions()[name]
        assert isinstance(action.plan(context, action.params()), list), name


def test_a_named_revision_or_execution_is_the_one() -> None:
    """Where the finding names its revision or its execution, that name is the one that is meant."""
    service = CloudRunTarget(kind="service", project="p", location="l", name="s", service="s", revision="s-00007-xyz")
    revision = run_facts_as_told(replace(run_finding(BAD), cloud_run=service))["revision"]
    execution = run_facts_as_told(replace(run_finding(BAD), cloud_run=replace(JOB, execution="nightly-abcde")))
    assert isinstance(revision, RunRevision)
    assert revision.name == "s-00007-xyz"
    assert isinstance(execution["execution"], RunExecution)
    assert (execution["execution"].name, execution["job"].latest_execution) == ("nightly-abcde", "nightly-abcde")


def test_what_names_no_service_has_none() -> None:
    """A worker pool is neither a service nor a job, and a finding may name nothing at all."""
    pool = replace(run_finding(), cloud_run=replace(JOB, kind="worker_pool"))
    assert run_facts_as_told(pool) == {"missing": {"service": "worker_pool"}}
    assert run_facts_as_told(replace(run_finding(), cloud_run=None)) == {}
    assert facts_as_told(pool) == ContextFacts(related=(), missing={"service": "worker_pool"})
