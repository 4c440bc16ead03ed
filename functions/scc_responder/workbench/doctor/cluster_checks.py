"""What the responder can do in one cluster, by the cluster's own answers: nothing is changed.

Whether the admission policies are in force is asked of them, not of their definitions, which the responder may not
read: a NetworkPolicy in our form must be admitted, and one in any other form refused, both with `dryRun=All`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy, Enforcement
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes.older_admission import OlderRule, refuses
from scc_responder.domain.labels import isolating_label
from scc_responder.domain.mode import Mode
from scc_responder.domain.permissions import Tier
from scc_responder.domain.ports import Clusters, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.workbench.doctor.check import OR, THEN, Check, CheckResult, fault, ok, probe_failed, skipped, unknown
from scc_responder.workbench.doctor.responder_identity import OTHER, examine_user, username_of
from scc_responder.workbench.doctor.ways_to_clusters import place, way_to
from scc_responder.workbench.needed_permissions import Need, rule_of

MODE = "scc-responder/mode"
ACTS, SWITCH = "scc-responder-acts", "scc-responder-mode"
"""The admission policies of terraform/kubernetes: what the responder may do, and how far."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_NOT_BOUND = "identity_not_bound"
_CREATES = ("networkpolicies.networking.k8s.io", "create")
_APPLY = "kubectl apply -k terraform/kubernetes"
_GENERATE = "scc-responder permissions --kustomization terraform/kubernetes"
_UID = "00000000-0000-4000-8000-000000000000"


class Examined(Value, frozen=True, kw_only=True):
    """A cluster and what the enabled policies need in it.

    `furthest` is their furthest mode, `identity` the function's service account, `username` its name to API servers
    (the same if empty). `namespace` bears the parameter of the admission policies, and is where writes are rehearsed.
    `collector` is the image that is put into pods; empty: none is.
    """

    ref: ClusterRef
    needs: tuple[Need, ...]
    identity: str = ""
    username: str = ""
    furthest: Mode = Mode.DRY_RUN
    namespace: str = "default"
    collector: str = ""

    @property
    def rehearses(self) -> bool:
        """Whether the policies need what the admission policies are tried with."""
        return any((need.resource, need.verb) == _CREATES for need in self.needs)


def examine_cluster(clusters: Clusters, way: Callable[[ClusterRef], str], examined: Examined) -> Iterator[Check]:
    """The checks of one cluster. If it cannot be reached, that is a fault, and no check that needs it is made."""
    path = examined.ref.path
    try:
        described = clusters.describe(examined.ref)
    except ApiError as error:
        yield probe_failed("cluster.found", path, error, _find(examined.ref))
        return
    yield ok("cluster.found", path)
    if examined.rehearses:
        yield _enforces(described, path)
    try:
        endpoint, api = way(examined.ref), clusters.connect(examined.ref)
        asked = list(_asked(api, examined))
    except ResponderError as error:
        yield probe_failed("cluster.reached", path, error, way_to(examined.ref, error))
        return
    yield ok("cluster.reached", path, f"by {endpoint}")
    yield from asked
    if not any(check.reason in {OTHER, _NOT_BOUND} for check in asked):
        yield from _admission(api, examined)


def _find(ref: ClusterRef) -> str:
    listed = f"gcloud container clusters list --project={ref.project}"
    return f"{listed}{OR}Terraform variable clusters: name it, and terraform apply grants container.clusters.get there"


def _enforces(cluster: Cluster, path: str) -> Check:
    name = "cluster.network_policy"
    if cluster.enforces_network_policy:
        return ok(name, path, "enforced")
    if cluster.enforces_network_policy is None:
        why = "nobody says whether this cluster enforces NetworkPolicies"
        return unknown(name, path, "enforcement_not_known", why, "say enforces_network_policy in clusters.yaml")
    why = "nothing enforces NetworkPolicies: isolate_pod would end as not_enforced"
    update = f"gcloud container clusters update {place(cluster.ref)}"
    fix = f"{update} --update-addons=NetworkPolicy=ENABLED && {update} --enable-network-policy"
    return fault(name, path, "network_policy_not_enforced", why, fix)


def _asked(api: KubernetesApi, examined: Examined) -> Iterator[Check]:
    """The caller, and what it may do; only the caller, if it is not the function. Raises ApiError."""
    if examined.identity:
        user = examine_user(api, examined.ref.path, examined.username or examined.identity)
        yield user
        if user.reason == OTHER:
            return
    reviewed = list(_permissions(api, examined))
    is_bound = not reviewed or any(check.result is CheckResult.OK for check in reviewed)
    yield from reviewed if is_bound else [_not_bound(api, examined)]


def _permissions(api: KubernetesApi, examined: Examined) -> Iterator[Check]:
    """Each permission that the policies need in clusters. Raises ApiError if the server does not answer."""
    for need in examined.needs:
        if need.verb:
            is_off = need.tier is Tier.FORENSIC and not examined.collector
            yield _off(examined, need) if is_off else _reviewed(api, examined, need)


def _off(examined: Examined, need: Need) -> Check:
    why = f"nothing is put into pods, for {', '.join(need.by)}: settings name no image of the collector"
    return skipped("cluster.permission", f"{examined.ref.path} {need.permission}", Reason.NO_COLLECTOR_IMAGE, why)


def _reviewed(api: KubernetesApi, examined: Examined, need: Need) -> Check:
    probed = f"{examined.ref.path} {need.permission}"
    group, plural = rule_of(need.resource)
    resource, _, part = plural.partition("/")
    attributes = {"group": group, "resource": resource, "subresource": part, "verb": need.verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status = api.create(_REVIEWS, review).get("status")
    if isinstance(status, dict) and status.get("allowed") is True:
        return ok("cluster.permission", probed)
    why = f"missing permission: {need.permission}, which {', '.join(need.by)} needs"
    fix = f"{_GENERATE} && {_APPLY}"
    if need.tier is Tier.FORENSIC:
        fix = f"take the # from components and from forensic in terraform/kubernetes/kustomization.yaml{THEN}{_APPLY}"
    return fault("cluster.permission", probed, "permission_missing", why, fix)


def _not_bound(api: KubernetesApi, examined: Examined) -> Check:
    """Nothing at all is granted: the roles were not applied, or for somebody else, such as the placeholder."""
    username = username_of(api)
    why = f"the API server knows the caller as {username!a}, and no role of terraform/kubernetes is bound to that name"
    fix = f"put the Terraform output identity into terraform/kubernetes/identity.yaml{THEN}{_APPLY}"
    return fault("cluster.identity", examined.ref.path, _NOT_BOUND, why, fix)


def _admission(api: KubernetesApi, examined: Examined) -> Iterator[Check]:
    path = examined.ref.path
    if not examined.rehearses:
        why = "no enabled policy creates NetworkPolicies, with which it is tried"
        yield skipped("cluster.admission", path, "nothing_to_rehearse", why)
        return
    yield _mode(api, examined)
    yield _refuses(api, examined)
    yield _admits(api, examined)


def _mode(api: KubernetesApi, examined: Examined) -> Check:
    """The admission policies' parameter: an annotation of a namespace, which no reconciler applies."""
    name, probed = "cluster.mode", f"{examined.ref.path} {MODE}"
    try:
        namespace = api.get(f"/api/v1/namespaces/{examined.namespace}")
    except ApiError as error:
        return probe_failed(name, probed, error, _APPLY)
    mode = _annotation(namespace)
    fix = _annotate(examined, examined.furthest)
    if mode is None:
        why = (
            f"the namespace {examined.namespace} does not carry the annotation: nothing may be written in this cluster"
        )
        return fault(name, probed, "mode_not_set", why, fix)
    if mode not in {Mode.DISABLED, Mode.DRY_RUN, Mode.ENFORCE}:
        return fault(name, probed, "mode_unusable", f"{mode!a} is no mode: nothing may be written", fix)
    needed = examined.furthest in {Mode.APPROVE, Mode.ENFORCE}
    if mode == Mode.DISABLED or (needed and mode != Mode.ENFORCE):
        why = f"policies go as far as {examined.furthest}; the cluster allows {mode}"
        return fault(name, probed, f"mode_{mode}", why, fix)
    return ok(name, probed, mode)


def _annotation(namespace: dict[str, Any]) -> str | None:
    annotations = namespace.get("metadata", {}).get("annotations", {})
    value = annotations.get(MODE) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def _annotate(examined: Examined, mode: Mode) -> str:
    # The annotation knows no approval: what a person approved is enforced.
    word = Mode.ENFORCE if mode is Mode.APPROVE else mode
    return f"kubectl annotate namespace {examined.namespace} {MODE}={word} --overwrite"


def _refuses(api: KubernetesApi, examined: Examined) -> Check:
    """Whether what is no act of the responder's is refused."""
    name, probed = "cluster.admission", f"{examined.ref.path} {ACTS}"
    foreign = _isolating(examined.namespace)
    foreign["spec"] = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
    refusal = _rehearsed(api, examined.namespace, foreign)
    if refusal is None:
        why = "a NetworkPolicy that is none of the responder's would be admitted: policy or binding is absent"
        return fault(name, probed, "admission_policy_absent", why, _APPLY)
    if not refusal.reason.is_of_admission:
        return probe_failed(name, probed, refusal, _APPLY)
    if not refusal.refused_by.startswith(ACTS):
        why = f"it was refused, and not by this policy: {refusal}"
        return unknown(name, probed, "refused_by_another", why, f"{_annotate(examined, examined.furthest)}{OR}{_APPLY}")
    return ok(name, probed, "in force")


def _admits(api: KubernetesApi, examined: Examined) -> Check:
    """Whether an exact act of the responder's passes authorization, validation and admission."""
    name = "cluster.rehearsal"
    probed = f"{examined.ref.path} {_CREATES[0]}: {_CREATES[1]} (dry run)"
    refusal = _rehearsed(api, examined.namespace, _isolating(examined.namespace))
    if refusal is None:
        return ok(name, probed, "admitted")
    if refuses(refusal, OlderRule.ISOLATES_BY_POD_UID):
        why = "the admission policy is that of an earlier version: isolations use its older label"
        return fault(name, probed, Reason.ADMISSION_OLDER, why, _APPLY)
    fix = _annotate(examined, examined.furthest) if refusal.refused_by.startswith(SWITCH) else _APPLY
    return probe_failed(name, probed, refusal, fix)


def _isolating(namespace: str) -> dict[str, Any]:
    """A NetworkPolicy as the responder would make it, for a pod that is not there."""
    change = CreateNetworkPolicy(
        namespace=namespace,
        name=f"scc-responder-d0c702000000-{_UID[:8]}",
        pod_name="doctor",
        pod_uid=_UID,
        selector=isolating_label(_UID),
        effective=Enforcement.UNKNOWN,
    )
    return change.manifest("doctor")


def _rehearsed(api: KubernetesApi, namespace: str, body: dict[str, Any]) -> ApiError | None:
    try:
        api.create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies", body, dry_run=True)
    except ApiError as error:
        return error
    return None


def unlisted_cluster(patterns: Sequence[str], path: str, covers: Callable[[str, str], bool]) -> Check | None:
    """The fault that a cluster which was asked for is in no pattern; None if it is in one."""
    if any(covers(pattern, path) for pattern in patterns):
        return None
    why = f"no pattern of {', '.join(patterns)} covers it: findings about it are settled as cluster_not_listed"
    return fault("cluster.listed", path, "cluster_not_listed", why, f'Terraform variable clusters: add "{path}"')
