"""Whether the policies load, and whether the settings have what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from shlex import quote

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import ConsoleTrust
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.settings import VARIABLE_PREFIX, Settings
from scc_responder.workbench.doctor.check import Check, fault, ok
from scc_responder.workbench.needed_permissions import enabled, needed_by
from scc_responder.workbench.variable_permissions import RUN_WRITES, by_variable


def load(settings: Settings, read: Callable[[], PolicySet]) -> tuple[PolicySet | None, Check]:
    """The policies, if they load, and the check of it."""
    folder = str(settings.policies)
    try:
        policies = read()
    except PolicyError as error:
        fix = f"scc-responder policy lint --policies {quote(folder)}"
        if error.reason == "no_policy_folder":
            fix = "scc-responder doctor --settings responder.env --policies DIR"
        return None, fault("policies", folder, error.reason, "; ".join(str(error).splitlines()), fix)
    on = sum(policy.furthest != Mode.DISABLED for policy in policies.policies)
    return policies, ok("policies", folder, f"{on} enabled, digest {policies.digest[:12]}")


def consistent(settings: Settings, policies: PolicySet) -> Iterator[Check]:
    """What enabled policies need of the settings."""
    name, wanted = "settings", {action for _, action in enabled(policies.policies)}
    if "capture_evidence" in wanted and not settings.evidence:
        why = "policies capture evidence, and no place for it is set"
        fix = f"set {VARIABLE_PREFIX}EVIDENCE=gs://BUCKET/PREFIX; the Terraform module does it"
        yield fault(name, f"{VARIABLE_PREFIX}EVIDENCE", "evidence_not_set", why, fix)
    if "notify" in wanted and "outcome_topic" in settings.notifiers and not (settings.outcome_topic or policies.routes):
        why = "policies notify, and no outcome topic is set"
        fix = f"set {VARIABLE_PREFIX}OUTCOME_TOPIC=projects/P/topics/T; the Terraform module does it"
        yield fault(name, f"{VARIABLE_PREFIX}OUTCOME_TOPIC", "outcome_topic_not_set", why, fix)
    needs = by_variable(needed_by(policies.policies))
    if settings.services and not settings.run_writer and needs[RUN_WRITES]:
        why = "policies change Cloud Run, and no identity is set that may"
        fix = "Terraform variable cloud_run_writes, which makes one and lets the function act as it"
        yield fault(name, f"{VARIABLE_PREFIX}RUN_WRITER", Reason.NO_RUN_WRITER, why, fix)
    approves = any(policy.furthest == Mode.APPROVE and _may_wait(policy, settings) for policy in policies.policies)
    if approves and not settings.approval_audience and not settings.trusts_this_machine:
        why = "a policy waits for approval, and nobody can approve"
        fix = "Terraform variable approvers, which sets the audience and lets them call the function"
        yield fault(name, f"{VARIABLE_PREFIX}APPROVAL_AUDIENCE", "approval_audience_not_set", why, fix)
    if settings.console:
        yield from _console(settings.console, settings, policies)


def _console(console: ConsoleTrust, settings: Settings, policies: PolicySet) -> Iterator[Check]:
    """What a console needs so that a person can answer in it."""
    name, listed = "console", {one.lower() for one in policies.guardrails.approval.approvers}
    if not settings.approval_audience:
        why = "a console hands answers on, and the function looks at nobody's token"
        fix = "Terraform variable console, which sets the audience and lets the console call the function"
        yield fault(name, f"{VARIABLE_PREFIX}APPROVAL_AUDIENCE", "approval_audience_not_set", why, fix)
    if not listed - {console.identity}:
        why = "there is a console, and nobody who opens it may approve"
        fix = "list people by their addresses under approval.approvers in guardrails.yaml"
        yield fault(name, "guardrails.yaml", Reason.APPROVER_NOT_LISTED, why, fix)
    if console.identity in listed:
        why = f"{console.identity} is listed as an approver: that gives it nothing, and nobody should count on it"
        fix = "take it off approval.approvers in guardrails.yaml"
        yield fault(name, console.identity, Reason.NO_ASSERTION, why, fix)


def _may_wait(policy: Policy, settings: Settings) -> bool:
    """Whether any of its plans can wait for a person: what changes Cloud Run changes nothing that is not listed."""
    changes = {actions()[step.action].disrupts for step in policy.then if not actions()[step.action].observes}
    return bool(settings.services) or changes != {Disruption.SERVICES}
