"""Deployments with one thing wrong: doctor names that thing, why it matters and what fixes it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import grpc
import pytest
import yaml
from google.pubsub_v1.types import ExpirationPolicy, PushConfig

from scc_responder.cli.doctor.doctor_clusters import Wanted, list_command, parse_clusters
from scc_responder.cli.doctor.doctor_probes import GROUPS
from scc_responder.domain.clock import utc_now
from scc_responder.guard.kill_switch import key_of
from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.cluster_checks import ACTS
from scc_responder.workbench.doctor.responder_identity import OTHER
from tests.admission.kustomize import build
from tests.cli.commands import free_port
from tests.cli.doctor.member import NEEDS, Member
from tests.cli.doctor.patient import BUCKET, CLUSTER, IDENTITY, PUSHER, SCOPE, SOURCE, URL, Patient, found, skewed
from tests.kits.google.clusters import MEMBERSHIP, described
from tests.kits.google.firestore_faults import FaultyFirestore, Refuse
from tests.kits.google.grpc_servers import cluster

pytestmark = pytest.mark.timeout(180)
PROD = "prod-1 --location=europe-west1 --project=example-project"
DENIED, ABSENT = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND


@dataclass(frozen=True)
class Broken:
    """What is done to a healthy deployment, and what doctor has to find. `told` and `fix` are parts of its words."""

    id: str
    damage: Callable[[Patient], object]
    name: str
    reason: str
    told: str
    fix: str


def _dead_letter(patient: Patient) -> None:
    patient.publisher.publish(patient.topic("dead"), b"{}").result(timeout=10)


def _no_dead_letter_subscription(patient: Patient) -> None:
    patient.subscriber.delete_subscription(subscription=patient.dead_letters)


def _unidentified(patient: Patient) -> None:
    patient.subscription(push_config=PushConfig(push_endpoint=URL))


def _other_identity(patient: Patient) -> None:
    token = PushConfig.OidcToken(service_account_email="other@example-project.iam.gserviceaccount.com", audience=URL)
    patient.subscription(push_config=PushConfig(push_endpoint=URL, oidc_token=token))


def _elsewhere(patient: Patient) -> None:
    patient.environment["SCC_RESPONDER_PUSH_ENDPOINT"] = "https://new.example.com/"


def _no_source(patient: Patient) -> None:
    patient.security_center.fail_next(ABSENT, "Requested entity was not found.")


def _refused_source(patient: Patient) -> None:
    other = f"{SCOPE}/sources/2222222222222222222/locations/global/findings/f"
    patient.record("a" * 64, finding_name=other, reason="source_not_allowed")


def _refused_cluster(patient: Patient) -> None:
    patient.record("b" * 64, reason="cluster_not_listed")


def _invalid_policies(patient: Patient) -> None:
    next(patient.policies.glob("*.yaml")).write_text("name: [\n")


def _other_policies(patient: Patient) -> None:
    key = "policies of the day before"
    patient.record("c" * 64, decision={"policy_digest": key}, updated_at=utc_now() + timedelta(seconds=1))


def _no_heartbeat(patient: Patient) -> None:
    for entry in patient.store.scan("case/").entries:
        if b'"heartbeat"' in entry.value:
            patient.store.delete(entry.key, entry.version)
    patient.beat(timedelta(hours=2))


def _no_control(patient: Patient) -> None:
    entry = patient.store.get("control/global")
    assert entry is not None
    patient.store.delete(entry.key, entry.version)


def _no_retention(patient: Patient) -> None:
    patient.storage.retention = {}


def _no_topic(patient: Patient) -> None:
    patient.publisher.delete_topic(topic=patient.topic("outcomes"))


def _not_enforcing(patient: Patient) -> None:
    patient.cluster_manager.clusters[CLUSTER].network_config.datapath_provider = 0


def _fleet_alone(patient: Patient) -> None:
    enforcing = {"networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"}, "location": "europe-west1"}
    document = described(membership=MEMBERSHIP, name="prod-1", **enforcing)
    patient.cluster_manager.clusters[CLUSTER] = cluster(document)


DELIVERY = [
    Broken(
        "other-topic",
        lambda patient: patient.environment.update(SCC_RESPONDER_TOPIC=patient.topic("others")),
        "delivery.topic",
        "topic_differs",
        "/topics/findings-",
        "terraform apply",
    ),
    Broken(
        "no-dead-letter-subscription",
        _no_dead_letter_subscription,
        "delivery.dead_letter_subscription",
        "dead_letter_subscription_absent",
        "nobody keeps them",
        "gcloud pubsub subscriptions create dead-",
    ),
    Broken(
        "no-dead-letter-topic",
        lambda patient: patient.subscription(dead_letter_policy=None),
        "delivery.dead_letter_topic",
        "dead_letter_topic_absent",
        "then is lost",
        "--dead-letter-topic=",
    ),
    Broken(
        "dead-letters",
        _dead_letter,
        "delivery.dead_letters",
        "dead_letters_waiting",
        "1 findings were not handled",
        "scc-responder redrive --subscription projects/example-project/subscriptions/dead-",
    ),
    Broken(
        "ack-deadline",
        lambda patient: patient.subscription(ack_deadline_seconds=60),
        "delivery.ack_deadline",
        "ack_deadline_short",
        "after 60 s Pub/Sub delivers again, while the function may take 110 s",
        "--ack-deadline=140",
    ),
    Broken(
        "paused",
        lambda patient: patient.subscription(push_config=None),
        "delivery.push_endpoint",
        "push_endpoint_absent",
        "the responder is paused",
        f"--push-endpoint={URL}",
    ),
    Broken("elsewhere", _elsewhere, "delivery.push_endpoint", "push_endpoint_differs", URL, "https://new.example.com/"),
    Broken(
        "no-id-token",
        _unidentified,
        "delivery.push_identity",
        "push_identity_absent",
        "no ID token",
        f"--push-auth-service-account={PUSHER}",
    ),
    Broken(
        "other-identity",
        _other_identity,
        "delivery.push_identity",
        "push_identity_differs",
        "it pushes as other@",
        f"--push-auth-service-account={PUSHER}",
    ),
    Broken(
        "no-retry",
        lambda patient: patient.subscription(retry_policy=None),
        "delivery.retry",
        "retry_policy_absent",
        "at once",
        "--min-retry-delay=10s",
    ),
    Broken(
        "expires",
        lambda patient: patient.subscription(expiration_policy=ExpirationPolicy(ttl=timedelta(days=31))),
        "delivery.expiration",
        "subscription_expires",
        "deleted after 31 days",
        "--expiration-period=never",
    ),
    Broken(
        "no-subscription",
        lambda patient: patient.forget(patient.environment["SCC_RESPONDER_SUBSCRIPTION"]),
        "delivery.subscription",
        "pubsub_not_found",
        "",
        "terraform apply, which makes it",
    ),
    Broken("no-outcome-topic", _no_topic, "outcomes.topic", "outcome_topic_absent", "no such topic", "topics create"),
    Broken(
        "may-not-publish",
        lambda patient: patient.pubsub.held.clear(),
        "outcomes.publish",
        "permission_missing",
        "pubsub.topics.publish",
        "add-iam-policy-binding outcomes-",
    ),
]
GOOGLE = [
    Broken(
        "scc-permission",
        lambda patient: patient.security_center.fail_next(DENIED, "denied"),
        "findings.list",
        "permission_missing",
        "missing permission: securitycenter.findings.list",
        "gcloud organizations add-iam-policy-binding 123456789012 --member=serviceAccount:run@example-project",
    ),
    Broken("no-source", _no_source, "findings.list", "source_not_found", SOURCE, "source_ids"),
    Broken(
        "source-refused",
        _refused_source,
        "findings.sources",
        "source_not_allowed",
        "source 2222222222222222222",
        "Terraform variable source_ids",
    ),
    Broken(
        "cluster-refused",
        _refused_cluster,
        "findings.clusters",
        "cluster_not_listed",
        "",
        "Terraform variable clusters",
    ),
    Broken(
        "evidence-not-writable",
        lambda patient: patient.storage.held.discard("storage.objects.create"),
        "evidence.write",
        "permission_missing",
        "missing permission: storage.objects.create",
        f"gcloud storage buckets add-iam-policy-binding gs://{BUCKET} --member=serviceAccount:run@example-project",
    ),
    Broken(
        "no-bucket",
        lambda patient: setattr(patient.storage, "bucket", "another"),
        "evidence.write",
        "bucket_not_found",
        f"no bucket gs://{BUCKET}",
        "terraform apply, which makes it (google_storage_bucket.evidence)",
    ),
    Broken(
        "no-retention",
        _no_retention,
        "evidence.retention",
        "retention_not_set",
        "can delete evidence",
        "--retention-period=",
    ),
    Broken(
        "storage-clock",
        lambda patient: setattr(patient.storage, "date", "Sat, 01 Jan 2000 00:00:00 GMT"),
        "clock.storage",
        "clock_skewed",
        "ahead of the server's",
        "chronyc makestep",
    ),
]
KEPT = [
    Broken(
        "access-lost",
        lambda patient: patient.record("f" * 64, reason="cluster_access_lost", cluster=CLUSTER, closed_at=utc_now()),
        "clusters.held",
        "cluster_access_lost",
        "somebody took the responder's roles away",
        "kubectl apply -k terraform/kubernetes",
    ),
    Broken(
        "policies-differ",
        _other_policies,
        "policies.digest",
        "policy_digest_differs",
        "policies of",
        "make bundle",
    ),
    Broken(
        "disabled",
        lambda patient: patient.control("disabled"),
        "control",
        "control_disabled",
        "disabled: INC-1 (ada)",
        "scc-responder control set enforce --reason",
    ),
    Broken(
        "lowered",
        lambda patient: patient.control("dry_run"),
        "control",
        "control_lowers",
        "policies go as far as enforce",
        "control set enforce",
    ),
    Broken(
        "disabled-in-one-cluster",
        lambda patient: patient.control("disabled", key_of(CLUSTER), CLUSTER),
        "control",
        "control_disabled",
        f"disabled in {CLUSTER}: INC-1 (ada)",
        f"--cluster {CLUSTER}",
    ),
    Broken("no-control", _no_control, "control", "control_missing", "which means dry_run", "control set enforce"),
    Broken(
        "control-unusable",
        lambda patient: patient.control("asleep"),
        "control",
        "control_unusable",
        "makes no sense",
        "control set enforce",
    ),
    Broken("no-heartbeat", _no_heartbeat, "heartbeat", "heartbeat_missing", "three were missed", "gcloud scheduler"),
]
CLUSTERS = [
    Broken(
        "unreachable",
        lambda patient: patient.describe(f"127.0.0.1:{free_port()}", patient.ca_pem),
        "cluster.reached",
        "cluster_unreachable",
        "",
        "--enable-dns-access",
    ),
    Broken(
        "no-authority",
        lambda patient: patient.describe("127.0.0.1:1", "no certificate"),
        "cluster.reached",
        "unusable_certificate",
        "",
        "--enable-dns-access",
    ),
    Broken(
        "gateway-off",
        _fleet_alone,
        "cluster.reached",
        "connect_gateway_off",
        "the Terraform variable connect_gateway is not true",
        "Terraform variable connect_gateway",
    ),
    Broken(
        "no-cluster",
        lambda patient: patient.cluster_manager.clusters.clear(),
        "cluster.listed",
        "no_cluster_probed",
        "find no cluster",
        "Terraform variable clusters",
    ),
    Broken(
        "not-enforcing",
        _not_enforcing,
        "cluster.network_policy",
        "network_policy_not_enforced",
        "not_enforced",
        f"gcloud container clusters update {PROD} --update-addons=NetworkPolicy=ENABLED && "
        f"gcloud container clusters update {PROD} --enable-network-policy",
    ),
]


@pytest.mark.parametrize("broken", [*DELIVERY, *GOOGLE, *KEPT, *CLUSTERS], ids=lambda broken: broken.id)
def test_one_fault_is_named_alone(patient: Patient, broken: Broken) -> None:
    """The fault is named with its fix, and it alone."""
    broken.damage(patient)
    # To find that no dead letter waits takes two seconds.
    checks = patient.examined(only=GROUPS if broken in DELIVERY else GROUPS[1:])
    faults = found(checks, CheckResult.FAULT)
    assert set(faults) == {(broken.name, broken.reason)}
    (fault,) = faults.values()
    assert broken.told in fault.why + fault.probed
    assert broken.fix in fault.fix


@pytest.mark.parametrize("taken", ["pods: delete", "networkpolicies.networking.k8s.io: list"])
def test_a_missing_verb_is_named_with_its_command(patient: Patient, member: Member, taken: str) -> None:
    """A verb that RBAC does not grant is named with what needs it, and the command that grants it."""
    member.install(taken=taken)
    patient.joined(member)
    checks = patient.examined(only=["cluster"])
    (check,) = found(checks, CheckResult.FAULT).values()
    assert (check.name, check.probed) == ("cluster.permission", f"{CLUSTER} {taken}")
    assert f"missing permission: {taken}, which " in check.why
    apply = "kubectl apply -k terraform/kubernetes"
    assert check.fix == f"scc-responder permissions --kustomization terraform/kubernetes && {apply}"
    assert sum(one.name == "cluster.permission" for one in checks) == len(NEEDS)


def test_an_unbound_identity_is_the_one_fault(patient: Patient, member: Member) -> None:
    """Where identity.yaml names nobody, that is the one fault, told with the name that it should have."""
    roles = {"ClusterRole", "ClusterRoleBinding"}
    unedited = build(suffix=f"-{member.namespace}")
    member.manifests = [item for item in unedited if item["kind"] in roles]
    member.plane.admin.apply(yaml.safe_dump_all(member.manifests))
    patient.joined(member)
    (check,) = found(patient.examined(only=["cluster"]), CheckResult.FAULT).values()
    assert (check.name, check.reason) == ("cluster.identity", "identity_not_bound")
    assert f"knows the caller as '{member.names['email']}'" in check.why
    assert "Terraform output identity into terraform/kubernetes/identity.yaml" in check.fix


def test_no_admission_policy(patient: Patient, member: Member) -> None:
    """Where nothing refuses what is no act of the responder's, that is a fault, and nothing was created."""
    member.install(without=ACTS)
    patient.joined(member)
    (check,) = found(patient.examined(only=["cluster"]), CheckResult.FAULT).values()
    assert (check.name, check.reason) == ("cluster.admission", "admission_policy_absent")
    assert check.fix == "kubectl apply -k terraform/kubernetes"
    path = f"/apis/networking.k8s.io/v1/namespaces/{member.namespace}/networkpolicies"
    assert member.plane.admin.list(path) == []


@pytest.mark.parametrize(
    ("mode", "reasons"),
    [
        (None, {"mode_not_set", "admission_denied"}),
        ("asleep", {"mode_unusable", "admission_denied"}),
        ("disabled", {"mode_disabled", "admission_denied"}),
        ("dry_run", {"mode_dry_run"}),
    ],
)
def test_the_admission_mode_is_compared_with_policies(
    patient: Patient, member: Member, mode: str | None, reasons: set[str]
) -> None:
    """The admission policies' parameter: absent, unusable or lower than the policies want, with how to set it."""
    member.install(mode=mode)
    patient.joined(member)
    faults = found(patient.examined(only=["cluster"]), CheckResult.FAULT)
    fix = f"kubectl annotate namespace {member.namespace} scc-responder/mode=enforce --overwrite"
    assert {reason for _, reason in faults} == reasons
    assert {check.fix for check in faults.values()} == {fix}


def test_an_unreachable_store_is_one_fault(patient: Patient) -> None:
    """A store that does not answer is one fault, not one for each thing that it could have told."""
    patient.environment["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{free_port()}"
    (check,) = patient.examined(only=["store"])[3:]
    assert (check.name, check.result, check.reason) == ("store", CheckResult.FAULT, "store_unavailable")
    assert "gcloud firestore databases describe --project=example-project" in check.fix


@pytest.mark.parametrize(
    ("method", "permission"),
    [
        ("Commit", "datastore.entities.create"),
        ("BatchGetDocuments", "datastore.entities.get"),
        ("RunQuery", "datastore.entities.list"),
    ],
)
def test_a_missing_store_permission_is_named(patient: Patient, method: str, permission: str) -> None:
    """A permission that the store lacks is named."""

    def script(_number: int, called: str) -> Refuse | None:
        return Refuse(DENIED) if called.endswith(method) else None

    with FaultyFirestore(patient.environment["FIRESTORE_EMULATOR_HOST"], script) as front:
        patient.environment["FIRESTORE_EMULATOR_HOST"] = front.host
        (check,) = patient.examined(only=["store"])[3:]
    assert (check.reason, check.why) == ("permission_missing", f"missing permission: {permission}")


@pytest.mark.parametrize(("by", "told"), [(90, "90 s ahead of"), (-90, "90 s behind")])
def test_a_wrong_clock_is_measured(patient: Patient, by: int, told: str) -> None:
    """A clock that is wrong is told by how much, from the store and from Cloud Storage."""
    checks = patient.examined(skewed(timedelta(seconds=by)), only=["store", "evidence"])
    faults = found(checks, CheckResult.FAULT)
    assert set(faults) == {("clock.store", "clock_skewed"), ("clock.storage", "clock_skewed")}
    assert told in faults["clock.store", "clock_skewed"].why


def test_invalid_policies_stop_no_other_check(patient: Patient) -> None:
    """Policies that do not load are one fault; everything else is probed all the same."""
    _invalid_policies(patient)
    checks = patient.examined(only=GROUPS[1:])
    (check,) = found(checks, CheckResult.FAULT).values()
    assert (check.name, check.fix) == ("policies", f"scc-responder policy lint --policies {patient.policies}")
    patient.environment["SCC_RESPONDER_POLICIES"] = str(patient.folder / "nowhere")
    (check,) = found(patient.examined(only=["evidence"]), CheckResult.FAULT).values()
    assert check.fix == "scc-responder doctor --settings responder.env --policies DIR"
    assert ("policies.digest", "policies_invalid") in found(checks, CheckResult.SKIPPED)
    assert any(one.name == "cluster.permission" for one in checks)


@pytest.mark.parametrize(
    ("name", "reason"), [("EVIDENCE", "evidence_not_set"), ("OUTCOME_TOPIC", "outcome_topic_not_set")]
)
def test_what_policies_need(patient: Patient, name: str, reason: str) -> None:
    """Settings without what enabled policies need are at fault."""
    patient.environment.pop(f"SCC_RESPONDER_{name}")
    (check,) = found(patient.examined(only=GROUPS[1:]), CheckResult.FAULT).values()
    assert (check.probed, check.reason) == (f"SCC_RESPONDER_{name}", reason)


def test_what_the_function_may_not_see(patient: Patient) -> None:
    """What only others may look at is unknown, not at fault, and says for whom it is."""
    patient.pubsub.denied = {"GetSubscription", "GetTopic"}
    patient.storage.held.discard("storage.buckets.get")
    checks = patient.examined()
    unknown = found(checks, CheckResult.UNKNOWN)
    assert found(checks, CheckResult.FAULT) == {}
    assert {name for name, _ in unknown} == {"delivery.subscription", "evidence.retention"}
    assert "roles/pubsub.viewer" in unknown["delivery.subscription", "permission_missing"].fix


def test_clusters_may_not_be_listed(patient: Patient) -> None:
    """The function may not list clusters: that nothing was probed is a fault, and its fix is the command that lists.

    The same where no project is known. Its clusters by name are probed, whether one by one or from a list.
    """
    patient.cluster_manager.fail_next(DENIED, "denied")
    (fault,) = found(patient.examined(only=["cluster"]), CheckResult.FAULT).values()
    assert (fault.name, fault.reason) == ("cluster.listed", "no_cluster_probed")
    assert "container.clusters.list" in fault.why
    assert fault.fix == list_command("example-project")
    patient.environment["SCC_RESPONDER_CLUSTERS"] = "projects/*/locations/*/clusters/*"
    (fault,) = found(patient.examined(only=["cluster"]), CheckResult.FAULT).values()
    assert (fault.reason, fault.fix) == ("no_cluster_probed", list_command("PROJECT"))
    for wanted in (Wanted(names=(CLUSTER,)), Wanted(refs=parse_clusters(CLUSTER, "-"))):
        checks = patient.examined(clusters=wanted, only=["cluster"])
        assert found(checks, CheckResult.FAULT, CheckResult.UNKNOWN) == {}
        assert any(check.name == "cluster.permission" for check in checks)


def test_credentials_of_another_account_are_a_fault(patient: Patient) -> None:
    """Credentials of another account are a fault, whatever else is asked, with the command that takes the right ones.

    Its subscription alone may be looked at as anybody.
    """
    patient.tokeninfo.holders = dict.fromkeys(patient.tokeninfo.holders, "ann@example.com")
    checks = patient.examined(only=["evidence"])
    (check,) = found(checks, CheckResult.FAULT).values()
    assert (check.name, check.reason) == ("identity", OTHER)
    assert "ann@example.com" in check.why
    assert check.fix == f"gcloud auth application-default login --impersonate-service-account={IDENTITY}"
    assert all(one.name != "identity" for one in patient.examined(only=["delivery"]))


def test_another_user_of_the_cluster_is_a_fault(patient: Patient) -> None:
    """An API server that knows doctor as somebody else is a fault; what that user may do there is not told."""
    patient.username = IDENTITY
    checks = patient.examined(only=["cluster"])
    (check,) = found(checks, CheckResult.FAULT).values()
    assert (check.name, check.reason, check.probed) == ("cluster.identity", OTHER, CLUSTER)
    assert "system:serviceaccount:" in check.why
    assert "--impersonate-service-account=" in check.fix
    assert not any(one.name in {"cluster.permission", "cluster.admission"} for one in checks)


@pytest.mark.parametrize(
    ("holders", "body", "reason"),
    [
        ({}, None, "tokeninfo_refused"),
        (None, b"{}", "caller_not_known"),
        (None, b'["ann@example.com"]', "tokeninfo_unusable_answer"),
        (None, b'{"email": 1}', "caller_not_known"),
    ],
)
def test_nobody_says_who(patient: Patient, holders: dict[str, str] | None, body: bytes | None, reason: str) -> None:
    """Where nobody says whose the credentials are, that is unknown, and says why."""
    patient.tokeninfo.holders = patient.tokeninfo.holders if holders is None else holders
    patient.tokeninfo.body = body
    checks = patient.examined(only=["evidence"])
    assert found(checks, CheckResult.FAULT) == {}
    assert set(found(checks, CheckResult.UNKNOWN)) == {("identity", reason)}


def test_no_answer_ends_at_the_deadline(patient: Patient) -> None:
    """What does not answer is given up at the deadline, and the rest is told."""
    patient.security_center.stall_next(60)
    checks = patient.examined(only=["findings", "outcomes"], seconds=4)
    assert found(checks, CheckResult.FAULT, CheckResult.UNKNOWN).keys() == {("findings.list", "no_answer_in_time")}
    assert any(check.name == "outcomes.publish" for check in checks)
