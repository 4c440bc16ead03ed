"""Who owns a target, as far as what was read says it: nobody who writes labels silences anybody, or is told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.context import Cluster, Context, Namespace
from scc_responder.domain.finding import KubernetesObject
from scc_responder.journal.account.owner import actors_of, deployer, owner_labels, subject_of
from scc_responder.policy.routes import ReceiverKind, Route, RouteRule, Routes
from tests.counts import Count
from tests.kits.decision_contexts import REF, context
from tests.kits.notices import told
from tests.kits.run_values import run_finding, run_service

HOSTILE = Count("hostile labels, annotations and principals of owners", 300, 1000)
OWNER, OUTSIDER, ATTACKER = "shop-oncall@example.com", "someone@example.net", "mallory@example.com"
ROUTES = Routes(
    routes={
        "secops": Route(receiver=ReceiverKind.PAGERDUTY, address="secops"),
        "owners": Route(receiver=ReceiverKind.EMAIL, address="mail", to_contacts=True),
        "shop": Route(receiver=ReceiverKind.SLACK, address="shop"),
        "other": Route(receiver=ReceiverKind.SLACK, address="other"),
    },
    rules=(RouteRule(owner="shop", to=("shop",)), RouteRule(owner="mallory*", to=("other",))),
    fallback=("secops", "owners"),
    contact_domains=("example.com",),
)
WORD = st.one_of(
    st.sampled_from(["shop", "mallory", ATTACKER, OUTSIDER, "secops", "*", ""]),
    st.text(max_size=120),
    st.from_regex(r"[a-z]{1,5}@(example\.com|evil\.example)", fullmatch=True),
)
KEY = st.one_of(st.sampled_from(["team", "owner", "contact", "slack"]), st.text(max_size=10)).flatmap(
    lambda name: st.sampled_from(["", "a.example/", "b.example/"]).map(lambda prefix: prefix + name)
)
WRITTEN = st.dictionaries(KEY, WORD, max_size=40)
SPELT = st.sampled_from([ATTACKER, "Mallory@Example.COM", "mallory+alerts@example.com"])


def workload_read(labels: Any, uid: str | None = None) -> Context:
    """A pod whose Deployment was read with these labels."""
    made = context()
    assert made.pod is not None
    top = made.pod.owners[-1]
    return replace(made, objects={top.kind: {"metadata": {"uid": uid or top.uid, "labels": labels}}})


def test_owners_are_named_nearest_first() -> None:
    """Of pod, then namespace; keys count after their prefix, in any case."""
    made = context(
        pod={"labels": {"example.com/Team": "shop", "app": "web"}, "annotations": {"owner": "pat"}},
        namespace=Namespace(name="shop", uid="n1", labels={"team": "platform"}),
    )
    assert owner_labels(made) == (
        ("example.com/Team", "shop", "pod"),
        ("owner", "pat", "pod"),
        ("team", "platform", "namespace"),
    )
    assert subject_of(made).owners == ("shop", "pat", "platform")


def test_what_is_too_long_names_nobody() -> None:
    """Of many the first sixteen count, each once."""
    labels = {f"{number}.example.com/team": f"t{number % 20:02}" for number in range(40)}
    made = context(pod={"labels": labels, "annotations": {"owner": "x" * 101}})
    owners = subject_of(made).owners
    assert owners == tuple(f"t{number:02}" for number in range(16))


def test_the_workload_that_was_read_names_an_owner() -> None:
    """The Deployment above the pod; another of its name, with another UID, does not."""
    assert owner_labels(workload_read({"team": "shop"})) == (("team", "shop", "workload"),)
    assert owner_labels(workload_read({"team": "shop"}, "other")) == ()
    known = WorkloadObject(kind="Deployment", name="web", annotations={"owner": "pat"})
    assert owner_labels(replace(context(), workload_object=known)) == (("owner", "pat", "workload"),)


def test_the_subject_says_where_and_how_severe() -> None:
    """The pod's namespace and the finding's place."""
    made = context()
    assert made.pod is not None
    subject = subject_of(made)
    assert (subject.namespace, subject.cluster) == (made.pod.namespace, made.finding.place)
    assert subject.severity == made.finding.severity
    assert not subject.is_over


def test_many_labels_of_a_pod_crowd_no_other_place_out() -> None:
    """Namespace and cluster still say whose it is, however many the pod has."""
    labels = {f"{number}.example.com/team": f"t{number}" for number in range(100)}
    space = Namespace(name="shop", uid="n1", labels={"team": "shop"})
    cluster = Cluster(ref=REF, labels={"team": "platform"})
    made = replace(context(pod={"labels": labels}, namespace=space), cluster=cluster)
    assert {"shop", "platform"} <= set(subject_of(made).owners)
    assert len(owner_labels(made)) == 16


@settings(max_examples=HOSTILE.number, deadline=None)
@given(pod=WRITTEN, annotations=WRITTEN, workload=WRITTEN, principal=SPELT, contact=SPELT)
def test_the_owner_hears_and_the_attacker_does_not(
    pod: dict[str, str], annotations: dict[str, str], workload: dict[str, str], principal: str, contact: str
) -> None:
    """Whatever is written on pod and workload, and however the attacker's own address is spelt among the contacts."""
    made = context(pod={"labels": pod, "annotations": annotations})
    assert made.pod is not None
    top = made.pod.owners[-1]
    finding = replace(made.finding, principal=principal, contacts=(contact, OUTSIDER, OWNER))
    made = replace(
        made,
        finding=finding,
        namespace=Namespace(name="shop", uid="n1", labels={"team": "shop"}),
        objects={top.kind: {"metadata": {"uid": top.uid, "labels": workload}}},
    )
    notice = replace(told(severity="HIGH"), subject=subject_of(made))
    chosen = ROUTES.chosen(notice)
    assert {"secops", "owners", "shop"} <= set(chosen)
    assert {name: ROUTES.contacts(name, notice) for name in ROUTES.routes} == {
        **dict.fromkeys(ROUTES.routes, ()),
        "owners": (OWNER,),
    }


def test_whom_an_attacker_names_is_told() -> None:
    """In a binding anybody can be named: that silences no contact. Who did it is none, in any spelling."""
    binding = KubernetesObject(kind="RoleBinding", name="b", subjects=(f"User {OWNER}", f"Group {OWNER}"))
    for subject in (f"user:{ATTACKER}", "principal://iam.googleapis.com/pools/p/subject/mallory%40example.com"):
        finding = replace(context().finding, principal_subject=subject, objects=(binding,), contacts=(ATTACKER, OWNER))
        assert subject_of(replace(context(), finding=finding)).contacts == (OWNER,)


def test_what_is_no_address_is_no_contact() -> None:
    """Nothing that ends a header, or names a second mailbox."""
    hostile = (f"{OWNER}\r\nBcc: {ATTACKER}", f"{OWNER},{ATTACKER}", f"Shop <{OWNER}>", "@example.com", "ö@example.com")
    finding = replace(context().finding, contacts=(*hostile, OWNER, OWNER))
    assert subject_of(replace(context(), finding=finding)).contacts == (OWNER,)


def test_the_last_deployer_of_a_service_is_named() -> None:
    """Who changed it last, else who made it; labels and annotations of the service name owners."""
    finding = replace(run_finding(), principal=ATTACKER)
    service = run_service(creator=OWNER, labels={"team": "shop"}, annotations={"contact": "pat"})
    made = replace(context(), finding=finding, pod=None, namespace=None, service=service)
    assert (deployer(made), deployer(made) in actors_of(made)) == (OWNER, False)
    assert owner_labels(made) == (("team", "shop", "Cloud Run"), ("contact", "pat", "Cloud Run"))
    changed = replace(made, service=replace(service, last_modifier=ATTACKER))
    assert (deployer(changed), deployer(changed) in actors_of(changed)) == (ATTACKER, True)
    assert deployer(context()) == ""


def managed(manager: str, time: str, part: str = "f:spec", **more: Any) -> dict[str, Any]:
    """An entry of `metadata.managedFields`."""
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": {part: {}}, **more}


def test_who_manages_the_spec_of_a_deployment_is_named() -> None:
    """The last one; not who only scales it, writes its status, or manages another object of the same name."""
    fields = [
        managed("kubectl-edit", "2026-03-02T09:00:00Z"),
        managed("helm", "2026-03-01T09:00:00Z"),
        managed("kube-controller-manager", "2026-03-02T10:00:00Z", "f:status", subresource="status"),
        managed("autoscaler", "2026-03-02T11:00:00Z", subresource="scale"),
        managed("annotator", "2026-03-02T12:00:00Z", "f:metadata"),
    ]
    made = workload_read({})
    assert made.pod is not None
    top = made.pod.owners[-1]
    metadata = {"uid": top.uid, "managedFields": fields}
    read = replace(made, objects={top.kind: {"metadata": metadata}})
    assert deployer(read) == "kubectl-edit (field manager, 2026-03-02T09:00:00Z)"
    for other in ({**metadata, "uid": "another"}, {"uid": top.uid}, {**metadata, "managedFields": fields[2:]}):
        assert deployer(replace(made, objects={top.kind: {"metadata": other}})) == ""
    assert deployer(replace(read, pod=replace(made.pod, owners=()))) == ""


def test_who_changed_the_deployment_in_the_finding_is_named_and_not_told() -> None:
    """The principal of a finding about a change of the pod's own Deployment; of any other object it says nothing."""
    made = context()
    assert made.pod is not None
    top = made.pod.owners[-1]
    changed = KubernetesObject(kind=top.kind, name=top.name, namespace=made.pod.namespace)
    told_of = replace(
        made.finding, principal=ATTACKER, method_name="io.k8s.apps.v1.deployments.patch", objects=(changed,)
    )
    found = replace(made, finding=replace(told_of, contacts=(ATTACKER, OWNER)))
    assert (deployer(found), deployer(found) in actors_of(found)) == (ATTACKER, True)
    assert subject_of(found).contacts == (OWNER,)
    for changes in (
        {"objects": (replace(changed, name="other"),)},
        {"objects": (replace(changed, namespace="other"),)},
        {"objects": (replace(changed, kind="ConfigMap"),)},
        {"method_name": "io.k8s.apps.v1.deployments.get"},
    ):
        assert deployer(replace(made, finding=replace(told_of, **changes))) == ""
