"""The pods on the real node that the product contains, each with its attacker and the steps of the policy about it."""

from __future__ import annotations

from typing import Any, Literal

from scc_responder.domain.value import Value

DELETE = ("capture_evidence", "delete_pod {grace_period_seconds: 2}")
GONE = ("done: processes_ended", "done: deleted")
ISOLATE = ("label_pod", "isolate_pod")
UNPRIVILEGED = {"securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True}}
HOST = {"hostNetwork": True}
LADDER = (*ISOLATE, "capture_evidence", "capture_logs", "sever_connections", "freeze_process", "inspect_container")
INSPECTED = ("done: inspected", "partial: inspected")
"""`partial` where a busy machine wrote the isolation so late that the cut may not have ended what came before it."""

INSPECT = (*ISOLATE, "capture_evidence", "capture_logs", "inspect_container")


class Situation(Value, frozen=True, kw_only=True):
    """One kind of pod, and what is done about it.

    `threat`: options of the workload's program. `spec`: more of the pod. `sidecar`: a second container, deaf to
    SIGTERM. `open`: an older policy allows what the pod sends. `before`: what happens to it before the push.
    `level`: what Pod Security admits in its namespace. `said`: how the case may end, by state and last reason.
    """

    said: tuple[str, ...]
    steps: tuple[str, ...] = DELETE
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "Job"] = "Deployment"
    replicas: int = 2
    threat: tuple[str, ...] = ()
    spec: dict[str, Any] = {}
    owner_spec: dict[str, Any] = {}
    sidecar: bool = False
    finalizer: bool = False
    open: bool = False
    level: Literal["privileged", "baseline", "restricted"] = "privileged"
    before: Literal["", "restarted", "replaced", "image removed"] = ""


SITUATIONS = {
    "isolated": Situation(said=("done: isolated",), steps=ISOLATE, replicas=1),
    "isolated, one of four": Situation(said=("done: isolated",), steps=ISOLATE, replicas=4, threat=("child",)),
    "isolated, allowed by an older policy": Situation(
        said=("partial: bypassed_by",), steps=ISOLATE, replicas=1, open=True
    ),
    "isolated, with its logs kept": Situation(
        said=("done: captured",), steps=(*ISOLATE, "capture_logs"), replicas=1, threat=("flood",)
    ),
    "severed, frozen, inspected": Situation(said=INSPECTED, steps=LADDER, replicas=1, threat=("child",)),
    "severed, frozen, inspected, another user": Situation(
        said=INSPECTED, steps=LADDER, replicas=1, threat=("child",), spec=UNPRIVILEGED
    ),
    "severed, frozen, inspected, image pulled": Situation(
        said=INSPECTED,
        steps=LADDER,
        replicas=1,
        threat=("child",),
        spec=UNPRIVILEGED,
        before="image removed",
    ),
    "severed, but the attacker kills": Situation(
        said=("partial: defends_itself",), steps=LADDER, replicas=1, threat=("kill",)
    ),
    "severed, but the attacker stops": Situation(
        said=("partial: defends_itself",), steps=LADDER, replicas=1, threat=("stop",)
    ),
    "looked into in its own form": Situation(
        said=("partial: inspected",), steps=LADDER, replicas=1, level="baseline", spec=UNPRIVILEGED
    ),
    "taken for the collector": Situation(
        said=("partial: defends_itself",),
        steps=LADDER,
        replicas=1,
        level="baseline",
        spec=UNPRIVILEGED,
        threat=("forge", "kill"),
    ),
    "frozen on the host's network": Situation(said=("partial: inspected",), steps=LADDER, replicas=1, spec=HOST),
    "inspected": Situation(said=("done: inspected",), steps=INSPECT, replicas=1, threat=("unlink", "child")),
    "isolated on the host's network": Situation(said=("partial: host_network",), steps=ISOLATE, replicas=1, spec=HOST),
    "marked alone": Situation(said=("done: captured",), steps=("label_pod", "capture_evidence"), replicas=1),
    "deleted": Situation(said=GONE),
    "deleted, deaf to SIGTERM": Situation(said=GONE, threat=("deaf",)),
    "deleted, a deaf sidecar": Situation(said=GONE, sidecar=True),
    "deleted, its own grace of 600 s": Situation(
        said=GONE, threat=("deaf",), spec={"terminationGracePeriodSeconds": 600}
    ),
    "deleted with the least grace": Situation(
        said=GONE, steps=("capture_evidence", "delete_pod {grace_period_seconds: 1}")
    ),
    "deleted with the least grace, deaf": Situation(
        said=GONE, steps=("capture_evidence", "delete_pod {grace_period_seconds: 1}"), threat=("deaf",)
    ),
    "deleted, another user, program unlinked": Situation(said=GONE, spec=UNPRIVILEGED, threat=("unlink",)),
    "deleted, of a StatefulSet": Situation(said=GONE, kind="StatefulSet"),
    "deleted, of a Job": Situation(said=GONE, kind="Job", replicas=1),
    "of a Job that its deletion fails": Situation(
        said=("held: job_would_fail",), kind="Job", replicas=1, owner_spec={"backoffLimit": 0}
    ),
    "of a DaemonSet on the host's network": Situation(
        said=("held: pod_daemonset",), kind="DaemonSet", replicas=1, spec=HOST
    ),
    "kept by a finalizer": Situation(said=GONE, finalizer=True),
    "detached": Situation(said=("done: detached",), steps=(*ISOLATE, "detach_pod")),
    "detached, of a StatefulSet": Situation(
        said=("partial: pod_statefulset",), steps=(*ISOLATE, "detach_pod"), kind="StatefulSet"
    ),
    "evicted": Situation(said=GONE, steps=("capture_evidence", "evict_pod"), threat=("unlink",)),
    "the last replica": Situation(said=("partial: last_ready_replica",), steps=(*ISOLATE, *DELETE), replicas=1),
    "restarted before the push": Situation(said=GONE, before="restarted"),
    "replaced before the push": Situation(
        said=("held: identity_not_proved:pod_replaced",), kind="StatefulSet", before="replaced"
    ),
}

MEASURED = (
    "isolated",
    "severed, frozen, inspected",
    "severed, frozen, inspected, another user",
    "severed, frozen, inspected, image pulled",
    "deleted",
)
"""Those whose times are of interest: played again and again."""
