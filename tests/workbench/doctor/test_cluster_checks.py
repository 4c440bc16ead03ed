"""What doctor makes of a cluster that it reaches, or does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from scc_responder.collect.confirm import covers
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.mode import Mode
from scc_responder.domain.permissions import Tier
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import MISSING_PERMISSION, Check, CheckResult
from scc_responder.workbench.doctor.cluster_checks import (
    ACTS,
    MODE,
    SWITCH,
    Examined,
    examine_cluster,
    unlisted_cluster,
)
from scc_responder.workbench.doctor.responder_identity import OTHER
from scc_responder.workbench.needed_permissions import Need, needed
from tests.docs.command_lines import fix_mistakes

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
RUN = "run@example-project.iam.gserviceaccount.com"
APPLY = "kubectl apply -k terraform/kubernetes"
ENFORCE = f"kubectl annotate namespace default {MODE}=enforce --overwrite"
ISOLATES, LABELS = needed([("contain", "isolate_pod")]), needed([("contain", "label_pod")])


@pytest.mark.parametrize(
    ("path", "covered"),
    [("projects/a/locations/l/clusters/c", True), ("projects/b/locations/l/clusters/c", False)],
)
def test_a_cluster_outside_patterns_names_the_variable(path: str, covered: bool) -> None:
    """A cluster in no pattern is a fault that names the variable."""
    check = unlisted_cluster(["projects/a/locations/*/clusters/*"], path, covers)
    assert (check is None) is covered
    assert check is None or check.fix == f'Terraform variable clusters: add "{path}"'


class Beyond:
    """A cluster whose front end refuses every request."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    def describe(self, ref: ClusterRef) -> Cluster:
        """It is known to GKE."""
        return Cluster(ref=ref, enforces_network_policy=True)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Nobody gets there."""
        raise ApiError(Reason.ENDPOINT_FORBIDDEN, f"denied for {ref.name}", status=403, permission=self.permission)


@pytest.mark.parametrize("permission", ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
def test_the_gateway_s_permissions(permission: str) -> None:
    """Where Connect Gateway wants a permission, it is named with the input that grants it."""
    *_, check = examine_cluster(Beyond(permission), lambda _: "connect_gateway", Examined(ref=REF, needs=()))
    assert (check.name, check.reason) == ("cluster.reached", "permission_missing")
    assert check.why == f"missing permission: {permission}"
    assert check.fix.startswith(f"Terraform variable connect_gateway = true: terraform apply grants {permission};")


def test_the_dns_endpoint_s_permission() -> None:
    """Another way's permission is not said to come with that input."""
    beyond = Beyond("container.clusters.connect")
    *_, check = examine_cluster(beyond, lambda _: "dns_endpoint", Examined(ref=REF, needs=()))
    assert "connect_gateway" not in check.fix


def denied(refused_by: str) -> ApiError:
    """The refusal of an admission policy."""
    return ApiError(Reason.ADMISSION_DENIED, f"{refused_by} denied the request", status=403, refused_by=refused_by)


REFUSED = denied(ACTS)


class Server:
    """An API server that grants all but `lacks` and answers as told; an error is raised.

    `foreign` and `own` are its answers to a NetworkPolicy that is none of the responder's, and to one that is.
    """

    def __init__(
        self,
        *,
        lacks: Collection[str] = (),
        mode: Any = "enforce",
        foreign: ApiError | None = REFUSED,
        own: ApiError | None = None,
        username: str = RUN,
    ) -> None:
        self.lacks, self.mode, self.username = lacks, mode, username
        self.foreign, self.own = foreign, own
        self.written: list[str] = []

    def get(self, path: str) -> dict[str, Any]:
        """The namespace with the parameter."""
        if isinstance(self.mode, ApiError):
            raise self.mode
        assert path == "/api/v1/namespaces/default"
        return {"metadata": {} if self.mode is None else {"annotations": {MODE: self.mode}}}

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """A review, or a rehearsal."""
        if path.endswith("/selfsubjectreviews"):
            return {"status": {"userInfo": {"username": self.username}}}
        if path.endswith("/selfsubjectaccessreviews"):
            return {"status": {"allowed": permission_of(body["spec"]["resourceAttributes"]) not in self.lacks}}
        if not dry_run:
            self.written.append(path)
        refusal = self.own if body["spec"]["podSelector"] else self.foreign
        if refusal:
            raise refusal
        return dict(body)


def permission_of(attributes: Mapping[str, str]) -> str:
    """The permission that is asked for, as `kubectl auth can-i` spells it."""
    resource = ".".join(filter(None, [attributes["resource"], attributes["group"]]))
    return f"{resource}: {attributes['verb']}"


class OneServer:
    """A cluster that answers; an error is raised where GKE is asked for it."""

    def __init__(self, server: Any, *, enforces: bool | None = True, error: ApiError | None = None) -> None:
        self.server, self.enforces, self.error = server, enforces, error

    def describe(self, ref: ClusterRef) -> Cluster:
        """As GKE knows it."""
        if self.error:
            raise self.error
        return Cluster(ref=ref, enforces_network_policy=self.enforces)

    def connect(self, _ref: ClusterRef) -> KubernetesApi:
        """Its API server."""
        server: KubernetesApi = self.server
        return server


def examined(clusters: OneServer, **other: Any) -> list[Check]:
    """The checks of the cluster, each with a fix that can be copied."""
    fields = {"ref": REF, "needs": ISOLATES, "identity": RUN, "furthest": Mode.ENFORCE, **other}
    checks = list(examine_cluster(clusters, lambda _: "dns_endpoint", Examined(**fields)))
    assert [(check.reason, wrong) for check in checks for wrong in fix_mistakes(check.fix)] == []
    return checks


def wrong(checks: list[Check]) -> dict[str, tuple[str, str]]:
    """The reason and the fix of each check that is not as it should be, by its name."""
    return {check.name: (check.reason, check.fix) for check in checks if check.result is not CheckResult.OK}


PUTS_IN = (
    Need(
        permission="pods/ephemeralcontainers: patch",
        resource="pods/ephemeralcontainers",
        verb="patch",
        tier=Tier.FORENSIC,
        by={"look_inside": ()},
    ),
)


@pytest.mark.parametrize(
    ("collector", "lacks", "expected"),
    [
        ("", ["pods: patch"], (CheckResult.SKIPPED, "no_collector_image")),
        ("registry.example.com/c@sha256:1", [], (CheckResult.OK, "")),
        ("registry.example.com/c@sha256:1", ["pods: patch"], (CheckResult.FAULT, "permission_missing")),
    ],
)
def test_the_forensic_tier_is_asked_for_with_an_image(
    collector: str, lacks: list[str], expected: tuple[CheckResult, str]
) -> None:
    """Without an image nothing is put into pods, so nothing is missing; with one, the fix names the component."""
    checks = examined(OneServer(Server(lacks=lacks)), needs=(*ISOLATES, *PUTS_IN), collector=collector)
    (check,) = (check for check in checks if "ephemeralcontainers" in check.probed)
    assert (check.result, check.reason) == expected
    assert ("forensic" in check.fix) is (check.result is CheckResult.FAULT)


def test_a_sound_cluster_has_no_fault() -> None:
    """Every check of a sound cluster is made, each permission has one, and nothing is written."""
    server = Server()
    checks = examined(OneServer(server))
    assert (wrong(checks), server.written) == ({}, [])
    assert [check.name for check in checks if check.name != "cluster.permission"] == [
        "cluster.found",
        "cluster.network_policy",
        "cluster.reached",
        "cluster.identity",
        "cluster.mode",
        "cluster.admission",
        "cluster.rehearsal",
    ]
    asked = {check.probed for check in checks if check.name == "cluster.permission"}
    assert asked == {f"{REF.path} {need.permission}" for need in ISOLATES if need.verb}


def test_an_unknown_cluster_ends_its_checks() -> None:
    """Of a cluster that GKE does not show, nothing else is told."""
    error = ApiError(Reason.CLUSTER_NOT_FOUND, "no such cluster", status=404)
    (check,) = examined(OneServer(Server(), error=error))
    assert (check.name, check.reason) == ("cluster.found", "cluster_not_found")
    assert check.fix.startswith("gcloud container clusters list --project=example-project;")


@pytest.mark.parametrize(
    ("enforces", "needs", "result", "fix"),
    [
        (True, ISOLATES, CheckResult.OK, ""),
        (False, ISOLATES, CheckResult.FAULT, "--update-addons=NetworkPolicy=ENABLED"),
        (None, ISOLATES, CheckResult.UNKNOWN, "enforces_network_policy in clusters.yaml"),
        (False, LABELS, None, ""),
    ],
)
def test_enforcement_matters_where_pods_are_isolated(
    enforces: bool | None, needs: Any, result: CheckResult | None, fix: str
) -> None:
    """Whether NetworkPolicies are enforced is told where a policy makes them, and nowhere else."""
    checks = examined(OneServer(Server(), enforces=enforces), needs=needs)
    check = next((check for check in checks if check.name == "cluster.network_policy"), None)
    assert (check and check.result) is result
    assert check is None or fix in check.fix


def test_a_missing_verb_names_what_needs_it() -> None:
    """A verb that is not granted is told with the action that needs it, and the others count all the same."""
    checks = examined(OneServer(Server(lacks={"networkpolicies.networking.k8s.io: list"})))
    fix = f"scc-responder permissions --kustomization terraform/kubernetes && {APPLY}"
    assert wrong(checks) == {"cluster.permission": (MISSING_PERMISSION, fix)}
    (check,) = (check for check in checks if check.reason == MISSING_PERMISSION)
    assert check.why.startswith("missing permission: networkpolicies.networking.k8s.io: list, which isolate_pod ")


@pytest.mark.parametrize(
    ("server", "reason", "why"),
    [
        (Server(lacks={need.permission for need in ISOLATES}), "identity_not_bound", f"knows the caller as '{RUN}'"),
        (Server(username="ann@example.com"), OTHER, "knows doctor as ann@example.com"),
    ],
    ids=["not-bound", "somebody-else"],
)
def test_an_identity_without_rights_is_one_fault(server: Server, reason: str, why: str) -> None:
    """A caller that no role is bound to, or who is not the function, is one fault: nothing else is told of it."""
    checks = examined(OneServer(server))
    assert list(wrong(checks)) == ["cluster.identity"]
    assert not any(check.name in {"cluster.permission", "cluster.mode", "cluster.admission"} for check in checks)
    assert (checks[-1].reason, why in checks[-1].why) == (reason, True)


@pytest.mark.parametrize(
    ("mode", "furthest", "reason", "fix"),
    [
        ("enforce", Mode.APPROVE, "", ""),
        ("dry_run", Mode.DRY_RUN, "", ""),
        (None, Mode.ENFORCE, "mode_not_set", ENFORCE),
        (7, Mode.ENFORCE, "mode_not_set", ENFORCE),
        ("asleep", Mode.ENFORCE, "mode_unusable", ENFORCE),
        ("approve", Mode.APPROVE, "mode_unusable", ENFORCE),
        ("dry_run", Mode.APPROVE, "mode_dry_run", ENFORCE),
        ("disabled", Mode.DRY_RUN, "mode_disabled", ENFORCE.replace("=enforce", "=dry_run")),
        (ApiError(Reason.NOT_FOUND, "no namespace", status=404), Mode.ENFORCE, "not_found", APPLY),
    ],
)
def test_the_mode_allows_what_policies_want(mode: Any, furthest: Mode, reason: str, fix: str) -> None:
    """The parameter of the admission policies goes as far as the policies do; approval is enforced there."""
    checks = examined(OneServer(Server(mode=mode)), furthest=furthest)
    assert wrong(checks) == ({"cluster.mode": (reason, fix)} if reason else {})


@pytest.mark.parametrize(
    ("foreign", "own", "expected"),
    [
        (None, None, {"cluster.admission": ("admission_policy_absent", APPLY)}),
        (denied("gatekeeper"), None, {"cluster.admission": ("refused_by_another", f"{ENFORCE}; or: {APPLY}")}),
        (ApiError(Reason.THROTTLED, "busy"), None, {"cluster.admission": ("throttled", APPLY)}),
        (REFUSED, REFUSED, {"cluster.rehearsal": ("admission_denied", APPLY)}),
        (REFUSED, denied(SWITCH), {"cluster.rehearsal": ("admission_denied", ENFORCE)}),
    ],
    ids=["absent", "another-policy", "no-answer", "own-act-refused", "switched-off"],
)
def test_admission_is_tried_from_both_sides(
    foreign: ApiError | None, own: ApiError | None, expected: dict[str, tuple[str, str]]
) -> None:
    """A foreign act must be refused by our policy, and an act of ours admitted."""
    assert wrong(examined(OneServer(Server(foreign=foreign, own=own)))) == expected


def test_nothing_is_rehearsed_without_isolation() -> None:
    """Where no policy creates NetworkPolicies there is nothing to try the admission policies with."""
    checks = examined(OneServer(Server(mode=None, foreign=None)), needs=LABELS)
    assert wrong(checks) == {"cluster.admission": ("nothing_to_rehearse", "")}
