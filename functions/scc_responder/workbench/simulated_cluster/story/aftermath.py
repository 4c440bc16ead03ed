"""The state of the simulated cluster at the end, and whether only the right pods and nodes changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty
from scc_responder.domain.kubernetes.network_policies.fqdn_policies import judge_fqdn
from scc_responder.domain.kubernetes.network_policies.plain_policies import selects_pod
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject
from scc_responder.domain.labels import CASE_LABEL
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import Value
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.observation import Expectation


class PodNow(Value, frozen=True, kw_only=True):
    """A pod of the beginning, at the end. `successor` and `node` are of the pod that took the place of one `gone`.

    `policies` isolate it, and FQDNNetworkPolicies of the names `let_out_by` let it out all the same.
    """

    name: str
    gone: bool = False
    successor: str = ""
    node: str = ""
    marked: bool = False
    policies: tuple[str, ...] = ()
    let_out_by: tuple[str, ...] = ()

    @property
    def untouched(self) -> bool:
        """Whether nothing has happened to it."""
        return not (self.gone or self.marked or self.policies)


class Aftermath(Value, frozen=True, kw_only=True):
    """The cluster at the end, as far as it had a beginning."""

    pods: tuple[PodNow, ...]
    cordoned: tuple[str, ...]
    policies: int


def aftermath(before: Sequence[ApiObject], cluster: SimulatedCluster) -> Aftermath:
    """Compare the pods that were there at the beginning with what is there now."""
    policies = cluster.objects("NetworkPolicy")
    letting_out = cluster.objects("FQDNNetworkPolicy")
    now = cluster.objects("Pod")
    cordoned = [node for node in cluster.objects("Node") if node.get("spec", {}).get("unschedulable")]
    return Aftermath(
        pods=tuple(_pod_now(pod, before, now, policies, letting_out) for pod in before),
        cordoned=tuple(node["metadata"]["name"] for node in cordoned),
        policies=len(policies),
    )


def aftermath_expectations(
    found: Aftermath, before: Sequence[ApiObject], changed: Mapping[str, str]
) -> Iterator[Expectation]:
    """What must be true of the cluster at the end. `changed` maps pods to a `fate`."""
    for pod in found.pods:
        wanted = changed.get(pod.name, "untouched")
        yield Expectation(name=f"{pod.name} is {wanted}, not {fate(pod)}", held=fate(pod) == wanted)
    deleted = {pod.name for pod in found.pods if pod.gone}
    nodes = tuple(pod["spec"]["nodeName"] for pod in before if _name(pod) in deleted)
    yield Expectation(
        name=f"only the node of the deleted pod is cordoned, not {found.cordoned}", held=found.cordoned == nodes
    )
    replaced = all(pod.successor and pod.node not in nodes for pod in found.pods if pod.gone)
    yield Expectation(name="the deleted pod is replaced on another node", held=replaced)
    isolated = sum(fate(pod) in {"isolated", "bypassed"} for pod in found.pods)
    yield Expectation(name="every network policy isolates one pod and no other", held=found.policies == isolated)


def fate(pod: PodNow) -> str:
    """What happened to it, in a word."""
    if pod.gone:
        return "deleted"
    if pod.policies and pod.let_out_by:
        return "bypassed"
    return "isolated" if pod.policies else "marked" if pod.marked else "untouched"


def _pod_now(
    pod: ApiObject,
    before: Sequence[ApiObject],
    now: Sequence[ApiObject],
    policies: Sequence[ApiObject],
    letting_out: Sequence[ApiObject],
) -> PodNow:
    name, uid = _name(pod), pod["metadata"]["uid"]
    current = next((item for item in now if item["metadata"]["uid"] == uid), None)
    if current is None:
        known = {item["metadata"]["uid"] for item in before}
        successor = next(
            (item for item in now if _owner(item) == _owner(pod) and item["metadata"]["uid"] not in known), {}
        )
        return PodNow(
            name=name,
            gone=True,
            successor=_name(successor) if successor else "",
            node=successor.get("spec", {}).get("nodeName", ""),
        )
    labels = current["metadata"].get("labels", {})
    namespace = pod["metadata"]["namespace"]
    here = [policy for policy in policies if policy["metadata"]["namespace"] == namespace]
    subject = PolicySubject(namespace=namespace, labels=labels)
    others = [policy for policy in letting_out if policy["metadata"]["namespace"] == namespace]
    return PodNow(
        name=name,
        marked=CASE_LABEL in labels or labels != pod["metadata"].get("labels", {}),
        policies=tuple(policy["metadata"]["name"] for policy in here if selects_pod(policy, labels)),
        let_out_by=tuple(_name(policy) for policy in others if judge_fqdn(policy, subject) is Certainty.YES),
    )


def _name(pod: ApiObject) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _owner(pod: ApiObject) -> str:
    return str(pod["metadata"]["ownerReferences"][0]["uid"])
