"""What the platform team protects or exempts is left alone, and whatever may be it as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context, Owner
from scc_responder.domain.finding import CloudRunTarget, PodRef
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.guard import guard, hold_reason
from scc_responder.guard.protected import protected_reason
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Exemption, Guardrails, Protected
from scc_responder.policy.match import Match, Severity
from tests.kits.decision_contexts import EVENT, POD, REF, context

RAILS = Guardrails(protected=Protected())
UNREAD = {"missing": {"owner": "not_found"}}
STANDALONE: dict[str, Any] = {"pod": {"owners": ()}}
GONE: dict[str, Any] = {"pod": False}
AUDITED = {"method_name": "io.k8s.core.v1.pods.exec.create", "service_name": "k8s.io"}
JAIL = "projects/example-project/locations/europe-west1/clusters/jail"


def planned(found: Context, action: str, rails: Guardrails, now: datetime = EVENT) -> PlannedAction:
    """The action on this target as it is planned, and then guarded."""
    made = actions()[action].plan(found, actions()[action].params())
    assert isinstance(made, list)
    item = PlannedAction(action=action, result="planned", reason=Reason.PLANNED, changes=tuple(made))
    policy = PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=(item,))
    return guard(found, Decision(policies=(policy,)), rails, now).policies[0].actions[0]


def reason(found: Context, action: str = "label_pod", **protected: tuple[str, ...]) -> str:
    """Why the action is held."""
    rails = replace(RAILS, protected=Protected(**protected))
    return hold_reason(found, actions()[action], rails, EVENT) or ""


WORKLOADS = [
    pytest.param({}, "shop/Deployment/web", "workload_protected", id="deployment"),
    pytest.param({}, "shop/ReplicaSet/web-6d5f", "workload_protected", id="owner-in-between"),
    pytest.param({}, "shop/Pod/web-1", "workload_protected", id="the-pod-itself"),
    pytest.param({}, "*/Deployment/w*", "workload_protected", id="pattern"),
    pytest.param({}, "*/*/web", "workload_protected", id="any-kind"),
    pytest.param({}, "shop/StatefulSet/web", "", id="other-kind"),
    pytest.param({}, "shop/Deployment/we", "", id="other-name"),
    pytest.param({}, "bank/Deployment/web", "", id="other-namespace"),
    pytest.param(STANDALONE, "shop/Deployment/web-1", "", id="standalone"),
    pytest.param(STANDALONE, "shop/Pod/web-*", "workload_protected", id="standalone-by-itself"),
    pytest.param(UNREAD, "shop/Deployment/other", "workload_unread", id="owner-unread"),
    pytest.param(UNREAD, "shop/Deployment/web", "workload_unread", id="owner-unread-is-never-taken-for-known"),
    pytest.param(UNREAD, "*/StatefulSet/db", "workload_unread", id="owner-unread-any-namespace"),
    pytest.param(UNREAD, "bank/Deployment/web", "", id="owner-unread-other-namespace"),
    pytest.param(GONE, "shop/Deployment/web", "workload_unread", id="pod-unread"),
    pytest.param(GONE, "bank/Deployment/web", "", id="pod-unread-other-namespace"),
]


@pytest.mark.parametrize(("changes", "pattern", "expected"), WORKLOADS)
def test_every_owner_counts_as_workload(changes: dict[str, Any], pattern: str, expected: str) -> None:
    """A pod is of every workload in its owner chain; where that was not read, it may be of any in its namespace."""
    assert reason(context(**changes), workloads=(pattern,)) == expected


def claimed(kind: str, name: str, why: str = "unknown_kind", refused: tuple[str, ...] = ()) -> dict[str, Any]:
    """A pod whose owner could not be read, and why."""
    owners = (Owner(kind=kind, name=name, uid="4"),)
    return {"pod": {"owners": owners}, "missing": {"owner": why}, "refused": refused}


REFUSED = "kubernetes_forbidden", ("owner",)
SET = claimed("StrimziPodSet", "kafka")
RS = claimed("ReplicaSet", "web-6d5f", *REFUSED)
UNREADABLE = [
    pytest.param(SET, "shop/Deployment/web", "", id="no-deployment-owns-a-custom-kind"),
    pytest.param(SET, "*/StatefulSet/*-db", "", id="nor-does-a-stateful-set"),
    pytest.param(SET, "shop/StrimziPodSet/kafka", "workload_unread", id="what-it-says-it-is"),
    pytest.param(SET, "shop/Kafka/main", "workload_unread", id="another-custom-kind-may"),
    pytest.param(SET, "shop/*/other", "workload_unread", id="any-kind-may"),
    pytest.param(SET, "bank/*/*", "", id="another-namespace"),
    pytest.param(SET, "shop/Pod/web-1", "workload_unread", id="the-pod-itself"),
    pytest.param(RS, "shop/Deployment/ledger", "", id="refused-another-name"),
    pytest.param(RS, "shop/Deployment/web", "workload_unread", id="refused-its-deployment"),
    pytest.param(RS, "shop/StatefulSet/web", "", id="refused-another-kind"),
    pytest.param(
        claimed("Job", "nightly-28", *REFUSED), "*/CronJob/nightly", "workload_unread", id="refused-its-cron-job"
    ),
]


@pytest.mark.parametrize(("changes", "pattern", "expected"), UNREADABLE)
def test_an_unreadable_owner_holds_deletion(changes: dict[str, Any], pattern: str, expected: str) -> None:
    """An owner that nobody can read holds what can be undone only where a pattern may mean it; deletion wherever."""
    found = context(**changes)
    assert reason(found, workloads=(pattern,)) == expected
    assert reason(found, "isolate_pod", workloads=(pattern,)) == expected
    near = not pattern.startswith("bank")
    assert reason(found, "delete_pod", workloads=(pattern,)) == ("workload_unread" if near else "")


def test_a_workload_of_another_api() -> None:
    """Owners that Kubernetes does not know itself count by the name that their pods' ReplicaSet gives them."""
    rollout = Owner(kind="Rollout", name="web", uid="4", api_version="argoproj.io/v1alpha1")
    found = context(pod={"owners": (POD.owners[0], rollout)})
    assert reason(found, workloads=("shop/Rollout/web",)) == "workload_protected"


OTHERS = [
    pytest.param({}, {"clusters": (REF.path,)}, "cluster_protected", id="cluster"),
    pytest.param({}, {"clusters": ("projects/*/locations/*/clusters/prod-?",)}, "cluster_protected", id="clusters"),
    pytest.param({}, {"clusters": (JAIL,)}, "", id="other-cluster"),
    pytest.param({"finding": {"cluster": None}}, {"clusters": (JAIL,)}, "cluster_unread", id="cluster-unread"),
    pytest.param({"finding": {"cluster": None}}, {}, "", id="cluster-unread-none-protected"),
    pytest.param(
        {"finding": {"cluster": None, "pods": ()}, "pod": False}, {"clusters": (JAIL,)}, "", id="not-in-a-cluster"
    ),
    pytest.param(
        {"finding": {"principal": "Admin@example.com"}},
        {"principals": ("admin@EXAMPLE.com",)},
        "principal_protected",
        id="principal-whatever-its-case",
    ),
    pytest.param(
        {"finding": {"principal_subject": "serviceAccount:ci@example-project.iam.gserviceaccount.com"}},
        {"principals": ("*@example-project.iam.gserviceaccount.com",)},
        "principal_protected",
        id="subject",
    ),
    pytest.param(
        {"finding": {"principal_subject": "principal://iam.googleapis.com/projects/1/subject/ci"}},
        {"principals": ("principal://iam.googleapis.com/projects/1/subject/*",)},
        "principal_protected",
        id="workload-identity",
    ),
    pytest.param({"finding": {"principal": "eve@example.com"}}, {"principals": ("admin@*",)}, "", id="other-principal"),
    pytest.param(
        {"finding": AUDITED}, {"principals": ("admin@*",)}, "principal_unread", id="audited-without-principal"
    ),
    pytest.param({"finding": AUDITED}, {}, "", id="audited-none-protected"),
    pytest.param({}, {"principals": ("*",)}, "", id="a-detector-in-the-pod-names-nobody"),
    pytest.param(
        {"finding": {"pods": (PodRef(namespace="a", name="x"), PodRef(namespace="b", name="y"))}, "pod": False},
        {"namespaces": ("*",)},
        "namespace_protected",
        id="several-pods",
    ),
]


@pytest.mark.parametrize(("changes", "protected", "expected"), OTHERS)
def test_clusters_and_principals(changes: dict[str, Any], protected: dict[str, Any], expected: str) -> None:
    """Clusters and principals are protected by name, and where the name is missing that must be there."""
    assert reason(context(**changes), **protected) == expected


NODES = [
    pytest.param("cordon_node", "node-*", "node_protected", id="cordon"),
    pytest.param("cordon_node", "node-2", "planned", id="cordon-another"),
    pytest.param("label_pod", "node-*", "planned", id="label-a-pod-on-it"),
    pytest.param("isolate_pod", "node-*", "planned", id="isolate-a-pod-on-it"),
    pytest.param("delete_pod", "node-*", "planned", id="delete-a-pod-on-it"),
]


@pytest.mark.parametrize(("action", "pattern", "expected"), NODES)
def test_a_protected_node_is_not_cordoned(action: str, pattern: str, expected: str) -> None:
    """A protected node is not cordoned; what is done to a pod that runs on it is no change to the node."""
    rails = replace(RAILS, protected=Protected(nodes=(pattern,)))
    assert planned(context(), action, rails).reason == expected


EVERYTHING = Protected(namespaces=("*",), workloads=("*/*/*",), nodes=("*",), clusters=(REF.path,), principals=("*",))


@pytest.mark.parametrize("action", ["capture_evidence", "notify"])
def test_observing_is_never_held(action: str) -> None:
    """Evidence is kept and people are told of what is protected too."""
    exempt = exemption(Match(namespace="shop"), expires="2027-01-01")
    rails = replace(RAILS, protected=EVERYTHING, exemptions=(exempt,))
    assert planned(context(**UNREAD), action, rails).result == "planned"


TODAY = EVENT.date()


def exemption(when: Match, *acted: str, expires: str = str(TODAY)) -> Exemption:
    """An exemption."""
    return Exemption(
        name="load-test", when=when, actions=acted, expires=expires, owner="o@example.com", reason="r", ticket="T-1"
    )


SHOP = Match(namespace="shop")
EXEMPT = [
    pytest.param({}, exemption(SHOP), True, id="all-actions"),
    pytest.param({}, exemption(SHOP, "delete_pod", "label_pod"), True, id="this-action"),
    pytest.param({}, exemption(SHOP, "delete_pod"), False, id="another-action"),
    pytest.param({}, exemption(Match(namespace="bank")), False, id="another-namespace"),
    pytest.param({}, exemption(Match(namespace="shop", severity=Severity.CRITICAL)), True, id="all-conditions"),
    pytest.param({}, exemption(Match(namespace="shop", threat="other")), False, id="one-differs"),
    pytest.param({}, exemption(SHOP, expires=str(TODAY - timedelta(days=1))), False, id="expired"),
    pytest.param({}, exemption(SHOP, expires="2026-03-02T09:32Z"), True, id="until-a-moment"),
    pytest.param({}, exemption(SHOP, expires="2026-03-02T10:31:12+01:00"), False, id="ended-at-this-moment"),
    pytest.param({}, exemption(SHOP, expires="2026-03-02T10:32+01:00"), True, id="in-another-zone"),
    pytest.param({"node": None}, exemption(Match(node_pool="pool-9")), True, id="missing"),
    pytest.param({"node": None}, exemption(Match(node_pool="pool-9", namespace="bank")), False, id="missing-elsewhere"),
    pytest.param(UNREAD, exemption(Match(workload="Deployment/x")), True, id="workload-unread"),
    pytest.param(GONE, exemption(Match(labels={"app": "x"})), True, id="labels-unread"),
]


@pytest.mark.parametrize(("changes", "exempt", "holds"), EXEMPT)
def test_an_exemption_holds_while_it_lasts(changes: dict[str, Any], exempt: Exemption, holds: bool) -> None:
    """An exemption holds what it names while it lasts, and what it cannot be told not to name."""
    rails = replace(RAILS, exemptions=(exempt,))
    held = hold_reason(context(**changes), actions()["label_pod"], rails, EVENT) or ""
    assert held == ("exempt:load-test" if holds else "")


DAYS = [
    pytest.param("2026-03-02T23:59:59+00:00", "exempt:load-test", id="last-second"),
    pytest.param("2026-03-03T00:00:00+00:00", "", id="over"),
    pytest.param("2026-03-03T00:30:00+01:00", "exempt:load-test", id="by-utc"),
    pytest.param("2026-03-02T23:30:00-01:00", "", id="by-utc-too"),
]


@pytest.mark.parametrize(("now", "expected"), DAYS)
def test_an_exemption_ends_with_its_day(now: str, expected: str) -> None:
    """An exemption lasts to the end of its day in UTC, whatever zone the clock tells."""
    moment = datetime.fromisoformat(now)
    found = context(finding={"event_time": moment.astimezone(UTC)})
    rails = replace(RAILS, exemptions=(exemption(SHOP),))
    assert hold_reason(found, actions()["label_pod"], rails, moment) == (expected or None)


SERVICE = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="checkout")
CHECKOUT = "projects/example-project/locations/europe-west1/services/checkout"


def on_run(**changes: str) -> Context:
    named = replace(SERVICE, **changes)
    return context(finding={"cluster": None, "pods": (), "cloud_run": named}, pod=False)


@pytest.mark.parametrize(
    ("target", "pattern", "expected"),
    [
        ({}, CHECKOUT, "service_protected"),
        ({}, "projects/*/locations/*/services/check*", "service_protected"),
        ({}, CHECKOUT.replace("services", "jobs"), None),
        ({}, CHECKOUT.replace("europe-west1", "us-central1"), None),
        ({"kind": "revision", "name": "checkout-00001-abc", "service": "checkout"}, CHECKOUT, "service_protected"),
        ({"kind": "job"}, CHECKOUT.replace("services", "jobs"), "service_protected"),
        ({"project": "100000000001"}, CHECKOUT, "service_protected"),
        ({"project": "100000000001"}, CHECKOUT.replace("checkout", "ledger"), None),
        ({"project": "other-project"}, CHECKOUT, None),
    ],
)
def test_a_protected_service_is_left_alone(target: dict[str, str], pattern: str, expected: str | None) -> None:
    """With its revisions; a project's number may be that of the protected one."""
    assert protected_reason(on_run(**target), Protected(services=(pattern,)), ()) == expected


@pytest.mark.parametrize(
    ("found", "pattern", "expected"),
    [
        (on_run(), "europe-west1", "location_protected"),
        (on_run(), "us-*", None),
        (context(), "europe-*", "location_protected"),
        (context(finding={"cluster": replace(REF, location="europe-west1-b")}), "europe-west1", "location_protected"),
        (context(finding={"cluster": replace(REF, location="europe-west1-b")}), "europe-west1-c", None),
        (context(finding={"cluster": None}), "us-central1", "cluster_unread"),
        (context(finding={"cluster": None, "pods": ()}, pod=False), "us-central1", None),
    ],
)
def test_a_protected_location_is_left_alone(found: Context, pattern: str, expected: str | None) -> None:
    """With all that is in it: clusters, their zones, services and jobs. An unknown one may be it."""
    assert protected_reason(found, Protected(locations=(pattern,)), ()) == expected


def test_an_exemption_holds_for_a_service() -> None:
    """By its name, in a location, for some days."""
    when = Match(service="checkout", location="europe-*")
    exempt = Exemption(name="sale", when=when, expires=str(EVENT.date()), owner="o", reason="r", ticket="t")
    rails = replace(RAILS, exemptions=(exempt,))
    action = actions()["label_pod"]
    assert hold_reason(on_run(), action, rails, EVENT, reach=EVERYWHERE_IN_RUN) == "exempt:sale"
    elsewhere = hold_reason(on_run(name="ledger"), action, rails, EVENT, reach=EVERYWHERE_IN_RUN)
    assert elsewhere != "exempt:sale"
