"""How much one responder may disrupt: the live look, the limits and the storm breaker, on a simulated cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.notices.notice import NoticeSubject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry, usable_as
from scc_responder.execute import gate
from scc_responder.guard.limiter import ORGANIZATION, Limiter, cluster_key
from scc_responder.guard.limits.ledger_document import Ledger
from scc_responder.journal.case_json import decode
from scc_responder.journal.notices import case_notice
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.counts import Count
from tests.kits.answers import answered
from tests.kits.responder import (
    ALL,
    CLUSTER,
    RAILS,
    SHIPPED,
    Deployment,
    Interposed,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
)

Object = dict[str, Any]
DELETE = policy("delete_pod")
LOOK = {"list poddisruptionbudgets", "list nodes", "get deployments"}


def requests(cluster: SimulatedCluster) -> list[str]:
    """What the responder asked of the API server, as `verb resource`."""
    return [f"{event.verb} {event.resource}" for event in cluster.audit if event.user == "responder"]


LOOKS = [
    pytest.param(("label_pod", "annotate_pod", "capture_evidence", "notify"), set(), id="nothing-is-disrupted"),
    pytest.param(("isolate_pod",), {"get deployments"}, id="isolation-needs-the-replicas"),
    pytest.param(("delete_pod",), {"get deployments", "list poddisruptionbudgets"}, id="deletion"),
    pytest.param(("cordon_node",), {"list nodes"}, id="cordon"),
    pytest.param(ALL, LOOK, id="everything"),
]


@pytest.mark.parametrize("mode", ["enforce", "dry_run"])
@pytest.mark.parametrize(("steps", "looked"), LOOKS)
def test_what_is_looked_at(
    tmp_path: Path, cluster: SimulatedCluster, steps: Sequence[str], looked: set[str], mode: str
) -> None:
    """Only what would be disrupted is looked at, once, in three requests at most."""
    deployed(tmp_path, cluster, policy(*steps, mode=mode)).respond_to(finding_about(cluster.objects("Pod", "shop")[0]))
    counted = Counter(request for request in requests(cluster) if request in LOOK)
    assert counted == dict.fromkeys(looked, 1)


def test_no_look_without_a_plan(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that is disabled, or does not match, has nothing looked at."""
    policies = (policy(*ALL, mode="disabled"), policy(*ALL, name="other", when="threat: added_binary_executed"))
    deployed(tmp_path, cluster, *policies).respond_to(finding_about(pod))
    assert LOOK.isdisjoint(requests(cluster))


def outcome(deployment: Deployment, document: Object, action: str = "delete_pod") -> str:
    """What the first step of an action came to."""
    return next(step.reason for step in deployment.case(document).steps if step.action == action)


def test_the_last_ready_replica(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The last ready pod of a workload is isolated and not deleted, unless the policy says so."""
    cluster.create(objects.deployment("alone", "shop", cluster.objects("Node")[0]["metadata"]["name"]))
    pod = next(item for item in cluster.objects("Pod") if item["metadata"]["name"].startswith("alone-"))
    steps = ("isolate_pod", "delete_pod")
    deployment = deployed(tmp_path, cluster, policy(*steps))
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[1:3] == ["isolate_pod: isolated", "delete_pod: last_ready_replica"]

    (tmp_path / "second").mkdir()
    allowing = deployed(tmp_path / "second", cluster, policy("delete_pod {allow_last_replica: true}"))
    allowing.respond_to(document)
    assert allowing.outcomes(document) == ["delete_pod: armed", "delete_pod: processes_ended"]


BUDGETS = [
    pytest.param([("web", {"minAvailable": 1})], "armed", id="allows-one"),
    pytest.param([("web", {"minAvailable": 2})], "disruption_budget", id="allows-none"),
    pytest.param(
        [("web", {"minAvailable": 1}), ("web-2", {"minAvailable": 1})], "several_disruption_budgets", id="two"
    ),
    pytest.param([("other", {"minAvailable": 9})], "armed", id="of-others"),
]


@pytest.mark.parametrize(("budgets", "expected"), BUDGETS)
def test_a_deletion_keeps_the_disruption_budget(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, budgets: Any, expected: str
) -> None:
    """A deletion keeps to the pod's disruption budget."""
    for name, spec in budgets:
        app = name.removesuffix("-2")
        cluster.create(objects.disruption_budget(name, "shop", app, **spec))
    deployment = deployed(tmp_path, cluster, DELETE)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert outcome(deployment, document) == expected


def test_a_look_that_goes_on_failing(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A look that fails is waited for, but not for ever: then the pod is isolated, and not deleted."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod"))

    def fail(_call: int, _verb: str, path: str) -> None:
        if "poddisruptionbudgets" in path:
            raise ApiError(Reason.SERVER_ERROR, "HTTP 500", status=500)

    deployment.clusters.api = Interposed(deployment.clusters.api, before=fail)
    document = finding_about(pod)
    endings = [deployment.respond_to(document), *(deployment.deliver(document) for _ in range(3))]

    assert [(ending.status, ending.reason) for ending in endings] == [
        *[(503, "server_error")] * 3,
        (204, "budgets_unread"),
    ]
    assert deployment.outcomes(document)[1:3] == ["isolate_pod: isolated", "delete_pod: budgets_unread"]


def test_a_part_of_a_list(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A list that the server gave in part proves nothing: the step is held."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))

    def partial(_call: int, verb: str, path: str) -> None:
        if verb == "list":
            raise ApiError(Reason.PARTIAL_LIST, f"GET {path}: the server answered with a part of the list")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=partial)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert outcome(deployment, document, "cordon_node") == "node_pool_unread"
    assert deployment.case(document).decision["missing"]["node_pool"] == "partial_list"


def busy(cluster: SimulatedCluster, namespaces: int, workloads: int, replicas: int) -> list[Object]:
    """The pods of more workloads, each on a node of its own."""
    for space in range(namespaces):
        cluster.create(objects.namespace(f"space-{space}"))
        for number in range(workloads):
            node = f"node-{space}-{number}"
            cluster.create(objects.node(node))
            cluster.create(objects.deployment(f"app-{number}", f"space-{space}", node, replicas=replicas))
    return [pod for pod in cluster.objects("Pod") if pod["metadata"]["namespace"].startswith("space-")]


def about(pods: Sequence[Object]) -> list[Object]:
    """One finding about each."""
    return [finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", "")) for pod in pods]


def told(deployment: Deployment, documents: Sequence[Object]) -> list[str]:
    """What the first step of each came to."""
    found = []
    for number, document in enumerate(documents):
        deployment.list_finding(document, str(number))
        deployment.deliver(document)
        found.append(deployment.case(document).steps[0].reason)
    return found


def test_a_namespace_limit(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Three pods of a namespace in ten minutes, whatever workload they are of; the record names the limit."""
    documents = about(busy(cluster, 1, 5, 4)[::4])
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    assert told(deployment, documents) == [*["armed"] * 3, *["limit_namespace"] * 2]
    held = deployment.case(documents[3]).steps[0]
    assert held.detail == "namespace space-0: 3 pods within 10m, at most 3 (3)"
    assert deployment.case(documents[3]).state == "held"
    assert Counter(mutations(cluster.audit))["delete pods"] == 3


class Remembering(SqliteStore):
    """A store that remembers every version of every case."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written: list[bytes] = []

    def replace(self, key: str, value: bytes, version: str, **options: Any) -> Entry:
        """Write, and remember."""
        if key.startswith("case/"):
            self.written.append(value)
        return super().replace(key, value, version, **options)

    def statuses(self, action: str) -> set[str]:
        """What any version said of the action's steps."""
        return {step.status for value in self.written for step in decode(value).steps if step.action == action}


def test_what_a_limit_denies_was_never_meant(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """No intent of it was ever written: after a crash, nobody takes what another did to the pod for our work."""
    documents = about(busy(cluster, 1, 4, 4)[::4])
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    store = deployment.services.store = Remembering(tmp_path / "journal.db")
    told(deployment, documents[:3])
    assert "intent" in store.statuses("delete_pod")
    store.written.clear()

    assert told(deployment, documents[3:]) == ["limit_namespace"]

    assert store.statuses("delete_pod") == {"held"}


def test_a_workload_limit(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A quarter of the ready replicas of a workload, which are looked at."""
    documents = about(busy(cluster, 1, 1, 8))
    assert told(deployed(tmp_path, cluster, policy("delete_pod")), documents[:4]) == [
        *["armed"] * 2,
        *["limit_owner"] * 2,
    ]


def test_a_pod_counts_once(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Isolated, armed and deleted, a pod is one pod."""
    documents = about(busy(cluster, 1, 4, 4)[::4])
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod"))
    told(deployment, documents)
    assert Counter(mutations(cluster.audit))["delete pods"] == 3


def test_a_policys_own_limit(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy's own limit holds beside those of the guardrails."""
    own = policy("isolate_pod") + "limits:\n  - {most: 1, within: 1h}\n"
    documents = about(busy(cluster, 2, 1, 4)[::4])
    deployment = deployed(tmp_path, cluster, own)
    assert told(deployment, documents) == ["patched", "limit_policy"]


def test_a_dry_run_says_so_too(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A dry run says which limit would hold, and uses up none of it."""
    documents = about(busy(cluster, 1, 6, 4)[::4])
    rehearsing = policy("delete_pod", name="rehearse", when="threat: added_binary_executed", mode="dry_run")
    deployment = deployed(tmp_path, cluster, policy("delete_pod"), rehearsing)
    pods = [item for item in cluster.objects("Pod") if item["metadata"]["namespace"] == "space-0"][::4]
    rehearsals = [
        finding_about(pod, "added_binary_executed", finding_id=pod["metadata"]["uid"].replace("-", "")[::-1])
        for pod in pods
    ]

    before = told(deployment, rehearsals[:5])
    unwritten = deployment.services.store.get(cluster_key(CLUSTER))
    told(deployment, documents[:3])
    (after,) = told(deployment, rehearsals[5:])

    assert (before, unwritten, after) == (["would_patch"] * 5, None, "limit_namespace")


def test_the_store_is_gone(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where the ledger cannot be read nothing is disrupted: the message comes again."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    deployment.services.store.create(ORGANIZATION, b"no json")
    document = finding_about(pod)
    ending = deployment.respond_to(document)
    assert (ending.status, ending.reason) == (204, "ledger_unusable")
    assert mutations(cluster.audit) == []


STORM_RAILS = RAILS + "storm_breaker: {targets: 2, denials: 99, within: 10m}\n"
BOTH_STORM = STORM_RAILS + "isolation: {storm_breaker: {targets: 2, denials: 99}}\n"


@pytest.mark.parametrize(
    ("rails", "isolation"), [(BOTH_STORM, "storm_breaker"), (STORM_RAILS, "patched")], ids=["both", "deletion-alone"]
)
def test_a_tripped_breaker_holds_what_it_is_for(
    tmp_path: Path, cluster: SimulatedCluster, rails: str, isolation: str
) -> None:
    """Marks are set and evidence is kept; isolation has a breaker of its own; one page is sent for each."""
    documents = about(busy(cluster, 5, 1, 4)[::4])
    steps = ("label_pod", "isolate_pod", "capture_evidence", "delete_pod", "notify")
    deployment = deployed(tmp_path, cluster, policy(*steps), guardrails=rails)
    told(deployment, documents)
    for document in documents[2:]:
        outcomes = dict(text.split(": ") for text in reversed(deployment.outcomes(document)))
        assert outcomes["label_pod"] == "patched"
        assert outcomes["isolate_pod"] == isolation
        assert outcomes["capture_evidence"] == "captured"
        assert outcomes["delete_pod"] == "storm_breaker"
        assert outcomes["notify"] == "published"
    assert Counter(mutations(cluster.audit))["delete pods"] == 2
    errors = [(line["scope"], line["budget"]) for line in deployment.lines if line["severity"] == "ERROR"]
    budgets = ("isolation", "disruption") if isolation == "storm_breaker" else ("disruption",)
    assert errors == [("cluster", budget) for budget in budgets]
    pages = [item for item in deployment.published.messages if item["attributes"].get("reason") == "storm_breaker"]
    assert {page["cluster"] for page in pages} == {CLUSTER}
    assert f"breaker reset --cluster {CLUSTER} --scope cluster --reason 'WHY' --store sqlite:///" in pages[0]["remedy"]


def test_a_bad_image_on_every_replica(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Every replica is isolated, deletion stays within its share, no breaker trips; another workload is answered."""
    documents = about(busy(cluster, 2, 1, 8)[:9])
    deployment = deployed(
        tmp_path,
        cluster,
        policy("isolate_pod", "delete_pod"),
        guardrails=(SHIPPED / "guardrails.yaml").read_text().replace("warm_up: 60s", "warm_up: 0s"),
    )
    told(deployment, documents)
    ends = [dict(text.split(": ") for text in deployment.outcomes(document)) for document in documents]
    assert [end["isolate_pod"] for end in ends] == ["isolated"] * 9
    assert [end["delete_pod"] for end in ends] == [*["processes_ended"] * 2, *["limit_owner"] * 6, "processes_ended"]
    entry = deployment.services.store.get(cluster_key(CLUSTER))
    assert entry is not None
    assert usable_as(Ledger, entry).breakers == ()


def last_first(deployment: Deployment) -> list[str]:
    """The reasons of the messages."""
    return [item["attributes"].get("reason", "") for item in deployment.published.messages]


def test_people_are_told_before_the_last_serving_pod_is_cut(
    tmp_path: Path, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each replica is isolated; of the last one that serves people are told before it is cut off, and once.

    Nothing is asked of incidents then: the act waits for no read of that.
    """
    documents = about(busy(cluster, 1, 1, 3))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    assert told(deployment, documents[:2]) == ["patched"] * 2
    assert last_first(deployment) == []
    known = NoticeSubject(about=("pod P u1",))
    monkeypatch.setattr(gate, "case_notice", lambda *given: replace(case_notice(*given), subject=known))
    seen: list[tuple[int, tuple[str, ...]]] = []
    tell = deployment.published.tell
    deployment.published.tell = lambda notice: (  # type: ignore[method-assign]
        seen.append((len(isolated(cluster)), notice.subject.about)),
        tell(notice),
    )[1]
    assert told(deployment, documents[2:]) == ["patched"]
    assert (last_first(deployment), seen) == (["last_serving_pod"], [(2, ())])


def test_the_last_pod_of_a_workload_that_has_to_serve_waits(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """All replicas but one are isolated; the last one is a plan, which a person approves."""
    documents = about(busy(cluster, 1, 1, 3))
    rails = RAILS + "keep_serving: [space-0/Deployment/app-0]\n"
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=rails)
    told(deployment, documents)
    assert [deployment.case(document).state for document in documents] == ["done", "done", "waiting"]
    assert len(isolated(cluster)) == 2
    answered(deployment, documents[2])
    assert deployment.case(documents[2]).state == "done"
    assert len(isolated(cluster)) == 3


def test_what_was_cut_off_meanwhile_counts_too(
    tmp_path: Path, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others were isolated after a delivery counted them, the last one is held all the same."""
    documents = about(busy(cluster, 1, 1, 3))
    rails = RAILS + "keep_serving: [space-0/Deployment/app-0]\n"
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=rails)
    monkeypatch.setattr(Limiter, "cut", lambda *_: 0)
    assert told(deployment, documents) == ["patched", "patched", "last_serving_pod"]
    assert (deployment.case(documents[2]).state, len(isolated(cluster))) == ("held", 2)


def test_what_holds_a_severe_finding_is_told_with_a_command(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Also where a breaker holds it, and no policy notifies."""
    documents = about(busy(cluster, 5, 1, 4)[::4])
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod"), guardrails=BOTH_STORM)
    told(deployment, documents)
    own = {message.get("case"): message.get("to_do", []) for message in deployment.published.messages}
    for document in documents[2:]:
        case = deployment.case(document).finding_key[:12]
        reset, resume = own[case]
        assert reset == f"scc-responder breaker reset --cluster {CLUSTER} --reason 'WHY' --store STORE"
        assert resume == f"scc-responder case resume {case} --apply"


class SeveralClusters:
    """`ports.Clusters` for as many names before one API server as a test gives."""

    def __init__(self, api: Any) -> None:
        self.api = api

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster of that name."""
        return Cluster(ref=ref, autopilot=False, enforces_network_policy=True)

    def connect(self, _ref: ClusterRef) -> Any:
        """The one API server."""
        return self.api


def decoys(deployment: Deployment, pods: Sequence[Object], name: str) -> list[str]:
    """How a finding about each pod ends in the cluster of this name."""
    ends = []
    for pod in pods:
        own = pod["metadata"]["uid"].replace("-", "")
        document = finding_about(pod, finding_id=own, cluster=CLUSTER.replace("prod-1", name))
        deployment.list_finding(document, own)
        ends.append(str(deployment.deliver(document).reason))
    return ends


ORGANIZATIONS = [
    pytest.param("", ["done"] * 2 + ["limit_organization"], id="each-cluster-keeps-its-share"),
    pytest.param(
        "environments: [{name: dev, clusters: [projects/*/locations/*/clusters/dev-*]}]\n",
        ["done"] * 3,
        id="environments-count-on-their-own",
    ),
]


@pytest.mark.parametrize(("environments", "expected"), ORGANIZATIONS)
@pytest.mark.parametrize("action", ["isolate_pod", "delete_pod"])
def test_decoys_in_development_leave_production_its_own(
    tmp_path: Path, cluster: SimulatedCluster, action: str, environments: str, expected: list[str]
) -> None:
    """They use up what the organisation's limits allow; production acts, and none of its breakers trips."""
    eight = "organization: [{most: 8, within: 1h}]"
    rails = f"{RAILS}limits: {{cluster: [], {eight}}}\nisolation: {{limits: {{{eight}}}}}\n{environments}"
    pods = busy(cluster, 14, 1, 4)[::4]
    calm = "storm_breaker: {targets: 99, denials: 2}\n"
    deployment = deployed(tmp_path, cluster, policy(action), guardrails=rails + calm)
    deployment.services.clusters = SeveralClusters(deployment.clusters.api)
    assert decoys(deployment, pods[:11], "dev-1") == [*["done"] * 8, *["limit_organization"] * 3]
    assert decoys(deployment, pods[11:], "prod-1") == expected
    for name in ("dev-1", "prod-1"):
        entry = deployment.services.store.get(cluster_key(CLUSTER.replace("prod-1", name)))
        assert entry is not None
        assert usable_as(Ledger, entry).breakers == ()


FINDINGS = Count("findings about one Deployment", 100, 500)


def test_hundreds_of_findings(tmp_path: Path) -> None:
    """A rule gone wrong about every pod of a Deployment and every node: a few are ended, and then all stands still.

    Three quarters of the replicas are not deleted, those that are isolated can be let go, and one node is cordoned.
    The workload's breaker alone trips.
    """
    with SimulatedCluster(stop_seconds=3600) as cluster:
        cluster.create(objects.namespace("shop"))
        for number in range(20):
            cluster.create(objects.node(f"node-{number:02}"))
        manifest = objects.deployment("web", "shop", "", replicas=10)
        del manifest["spec"]["template"]["spec"]["nodeName"]
        cluster.create(manifest)
        deployment = deployed(tmp_path, cluster, policy("isolate_pod", "cordon_node", "delete_pod"))
        original = {pod["metadata"]["uid"] for pod in cluster.objects("Pod")}
        for number in range(FINDINGS.number):
            pods = [pod for pod in cluster.objects("Pod") if "deletionTimestamp" not in pod["metadata"]]
            document = finding_about(pods[number % len(pods)], finding_id=f"{number:032x}")
            deployment.list_finding(document)
            assert deployment.deliver(document).status == 204
            assert len(original - deleted(cluster)) >= 7.5

        assert len(deleted(cluster)) == 2
        assert len(isolated(cluster)) == 10
        assert sum(bool(node["spec"].get("unschedulable")) for node in cluster.objects("Node")) == 1
        pages = [line["scope"] for line in deployment.lines if line["severity"] == "ERROR"]
        assert all(page.startswith(("owner=", "node_pool=")) for page in pages)
        assert len(deployment.published.messages) < 15


def deleted(cluster: SimulatedCluster) -> set[str]:
    """The pods that were deleted, by UID: by the audit log."""
    writes = [event for event in cluster.audit if event.user == "responder" and event.code < 300]
    return {event.request["preconditions"]["uid"] for event in writes if event.verb == "delete"}


def isolated(cluster: SimulatedCluster) -> set[str]:
    """The pods that were cut off, by UID: by the audit log."""
    made = (event for event in cluster.audit if (event.verb, event.resource) == ("create", "networkpolicies"))
    return {event.request["metadata"]["ownerReferences"][0]["uid"] for event in made if event.code < 300}


def test_as_the_reader(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The role that only reads is enough to rehearse: the look needs no more than reading."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="dry_run"))
    deployment.clusters.api = api_of(cluster, "reader")
    deployment.respond_to(finding_about(pod))
    assert mutations(cluster.audit) == ["patch pods"]
