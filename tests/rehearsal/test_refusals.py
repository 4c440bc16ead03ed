"""Whatever one permission is taken away, the rehearsal ends with an outcome that names it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from scc_responder.domain.status import CaseState
from tests.counts import Cases
from tests.e2e.test_least_privilege import OWNERS
from tests.kits.google.grpc_servers import METHODS
from tests.rehearsal.google_side import Response
from tests.rehearsal.lessened import AFTER_A_CRASH, SHIPPED, WHERE_SERVED, Lessened, Verb, permission
from tests.rehearsal.rendered import Rendered
from tests.rehearsal.stage import Served
from tests.requirements import NOTE

pytestmark = pytest.mark.timeout(300)

FEW = {"pods: get", "networkpolicies.networking.k8s.io: create", "pods: delete"}
ALL = {permission(verb) for verb in SHIPPED} - AFTER_A_CRASH - WHERE_SERVED
TAKEN = Cases(
    "RBAC verbs taken away in a rehearsal",
    [verb for verb in SHIPPED if permission(verb) in FEW],
    [verb for verb in SHIPPED if permission(verb) in ALL],
)


@pytest.mark.parametrize("taken", TAKEN.chosen, ids=permission)
def test_each_missing_verb_is_reported(served: Served, lessened: Lessened, taken: Verb) -> None:
    """Without it, the case or the log names what is missing, nothing is said to be done that is not, and no more."""
    lessened.take(taken)
    _, _, resource, verb = taken

    response = served.respond(served.stage.victim(OWNERS.get(resource)))

    refused = {(event.rbac_resource, event.verb) for event in response.audit if event.code == 403}
    assert refused == {(resource, verb)}
    assert f"missing permission: {permission(taken)}" in told(response)
    assert (resource, verb) not in {(event.rbac_resource, event.verb) for event in response.audit if event.code < 300}


def told(response: Response) -> str:
    """All that the log and the case say."""
    record = response.record
    details = [step.detail for step in record.steps] if record else []
    return "\n".join([*map(str, response.log), *details, str(record.decision) if record else ""])


IAM = {
    "securitycenter.findings.list": "scc_permission_denied",
    "container.clusters.get": "gke_permission_denied",
}


@pytest.mark.parametrize(("taken", "reason"), IAM.items(), ids=IAM)
def test_each_missing_method_is_reported(served: Served, rendered: Rendered, taken: str, reason: str) -> None:
    """Without it in the rendered role, Google's side refuses the method, the log names both, and no pod is touched."""
    assert taken in {name for names in rendered.held().values() for name in names}
    served.stage.grant(without=taken)
    served.restart()
    document = served.stage.victim()

    response = served.respond(document)

    (line, *_) = response.log
    assert reason in str(line), line
    assert taken in told(response), line
    assert response.writes == []
    assert response.record is None or response.record.state is not CaseState.DONE


def test_methods_have_sources() -> None:
    """Every method that is served here needs a permission, by a page of Google's."""
    assert {method.permission for method in METHODS.values()} >= IAM.keys()
    for method in METHODS.values():
        assert method.source.startswith("https://cloud.google.com/")


def test_what_was_exercised(served: Served, rendered: Rendered, record_property: pytest.RecordProperty) -> None:
    """The summary says which grants a containment used against something that refuses, and which it only relies on.

    Firestore, the bucket, Pub/Sub and the invoker are checked by nothing on this machine: `tests/terraform` asserts
    them on what Terraform rendered.
    """
    response = served.respond(served.stage.victim(), until={CaseState.DONE, CaseState.PARTIAL})
    used = {(event.rbac_resource, event.verb) for event in response.audit if event.code < 300 and event.resource}
    rbac = [verb for verb in SHIPPED if verb[2:] in used and permission(verb) not in WHERE_SERVED]
    iam = {name for names in rendered.held().values() for name in names}

    assert response.case.state is CaseState.DONE
    assert {verb[2:] for verb in SHIPPED} >= used
    assert {verb[2:] for verb in SHIPPED} - used <= RESERVED
    assert iam >= IAM.keys()
    record_property(NOTE, f"Rehearsal, exercised: {', '.join(IAM)}; RBAC {listed(rbac)}.")
    others = listed(verb for verb in SHIPPED if verb not in rbac)
    record_property(NOTE, f"Rehearsal, exercised by other owners and after crashes (make soak): RBAC {others}.")
    asserted = [*sorted(iam - IAM.keys()), "roles/run.invoker", "roles/pubsub.publisher", "roles/pubsub.subscriber"]
    record_property(NOTE, f"Rehearsal, only asserted on what Terraform rendered: {', '.join(asserted)}.")


RESERVED = (
    {(kind, "get") for kind in OWNERS}
    | {("networkpolicies", "get")}
    | {verb[2:] for verb in SHIPPED if permission(verb) in WHERE_SERVED}
)
"""Verbs that the containment of one Deployment's pod has no use for."""


def listed(taken: Iterable[Verb]) -> str:
    """Verbs for one line."""
    return ", ".join(map(permission, taken))
