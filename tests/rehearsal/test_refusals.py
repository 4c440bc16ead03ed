"""Whatever one permission is taken away, the rehearsal ends with an outcome that names it."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from scc_responder.case import CaseState
from tests.admission.kustomize import build, of_kind
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.e2e.test_least_privilege import OWNERS
from tests.google.grpc_servers import METHODS
from tests.rehearsal.rendered import Rendered
from tests.rehearsal.stage import Response, Served
from tests.requirements import NOTE

pytestmark = pytest.mark.timeout(300)

Verb = tuple[str, str, str, str]
"""(role, group, resource, verb)."""


def verbs(roles: list[dict[str, Any]]) -> Iterator[Verb]:
    """Every verb of every resource that roles grant."""
    for role in roles:
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield role["metadata"]["name"], group, resource, verb


def permission(taken: Verb) -> str:
    """A verb as outcomes name it."""
    _, group, resource, verb = taken
    return f"{resource}{'.' if group else ''}{group}: {verb}"


SHIPPED = list(verbs(list(of_kind(build(), "ClusterRole"))))
FEW = {"pods: get", "networkpolicies.networking.k8s.io: create", "pods: delete"}
TAKEN = [verb for verb in SHIPPED if permission(verb) in FEW or os.environ.get("SCC_RESPONDER_SOAK")]
CRASH = {"networkpolicies.networking.k8s.io: get"}
"""Needed only by a delivery that goes on after a crash: whether what was meant is there."""


def without(roles: list[dict[str, Any]], taken: Verb) -> dict[str, Any]:
    """The role that holds this verb, less it: resources that share its rule keep theirs."""
    name, group, resource, verb = taken
    role = copy.deepcopy(next(role for role in roles if role["metadata"]["name"] == name))
    rules = []
    for rule in role["rules"]:
        if rule["apiGroups"] == [group] and resource in rule["resources"] and verb in rule["verbs"]:
            others = [other for other in rule["resources"] if other != resource]
            left = [other for other in rule["verbs"] if other != verb]
            rules += [{**rule, "resources": others}] if others else []
            rules += [{**rule, "resources": [resource], "verbs": left}] if left else []
        else:
            rules.append(rule)
    return {**role, "rules": rules}


@pytest.fixture
def lessened(served: Served) -> Iterator[Callable[[Verb], None]]:
    """Takes one verb out of the shipped roles, and puts it back at the end."""
    plane, stage = served.stage.plane, served.stage
    put_back: list[Verb] = []

    def lessen(taken: Verb) -> None:
        put_back.append(taken)
        plane.admin.apply(yaml.safe_dump(without(list(stage.roles()), taken)))
        _, group, resource, verb = taken
        wait_until(lambda: not stage.may(verb, resource, group), what="the verb to be taken away")

    yield lessen
    for _, group, resource, verb in put_back:
        plane.admin.apply(yaml.safe_dump_all(stage.manifests))
        wait_until(lambda: stage.may(verb, resource, group), what="the verb to be back")  # noqa: B023 - waited for here


def owner_of(resource: str) -> Callable[[ControlPlane, str, str], dict[str, Any]] | None:
    """What makes a pod for whose owner this verb is needed."""
    return OWNERS.get(resource)


@pytest.mark.parametrize("taken", [verb for verb in TAKEN if permission(verb) not in CRASH], ids=permission)
def test_each_verb(served: Served, lessened: Callable[[Verb], None], taken: Verb) -> None:
    """Without it, the case or the log names what is missing, nothing is said to be done that is not, and no more."""
    lessened(taken)
    _, _, resource, verb = taken

    response = served.respond(served.stage.victim(owner_of(resource)))

    refused = {(event.resource, event.verb) for event in response.audit if event.code == 403}
    assert refused == {(resource, verb)}
    assert f"missing permission: {permission(taken)}" in told(response)
    assert (resource, verb) not in {(event.resource, event.verb) for event in response.audit if event.code < 300}


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
def test_each_method(served: Served, rendered: Rendered, taken: str, reason: str) -> None:
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
    used = {(event.resource, event.verb) for event in response.audit if event.code < 300}
    rbac = [verb for verb in SHIPPED if verb[2:] in used]
    iam = {name for names in rendered.held().values() for name in names}

    assert response.case.state is CaseState.DONE
    assert {verb[2:] for verb in SHIPPED} >= used
    assert {verb[2:] for verb in SHIPPED} - used <= RESERVED
    assert iam >= IAM.keys()
    record_property(NOTE, f"Rehearsal, exercised: {listed({name: '' for name in IAM})}; RBAC {listed(rbac)}.")
    others = [verb for verb in SHIPPED if verb not in rbac]
    record_property(NOTE, f"Rehearsal, exercised by other owners and after crashes (make soak): RBAC {listed(others)}.")
    asserted = [*sorted(iam - IAM.keys()), "roles/run.invoker", "roles/pubsub.publisher", "roles/pubsub.subscriber"]
    record_property(NOTE, f"Rehearsal, only asserted on what Terraform rendered: {', '.join(asserted)}.")


RESERVED = {(kind, "get") for kind in OWNERS} | {("networkpolicies", "get")}
"""Verbs that the containment of one Deployment's pod has no use for."""


def listed(names: Any) -> str:
    """Names for one line: each verb as outcomes name it."""
    return ", ".join(name if isinstance(names, Mapping) else permission(name) for name in names)
