"""Kind of change: take one pod out of its workload and its Services, and leave it running for people to look at.

Its controller makes a clean replacement, as it does for a pod that is deleted. What is verified is what came of it: no
controller has the pod, no Service sends to it, and which pod is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

import msgspec

from scc_responder.domain.changes import ChangeKind, Disruption, Means, PodChange, StepRun
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.network_policies.other_policies import OtherPolicies
from scc_responder.domain.kubernetes.network_policies.plain_policies import bypassing, in_short, selects_pod
from scc_responder.domain.kubernetes.network_policies.policy_kinds import LISTS_OTHER_POLICIES
from scc_responder.domain.kubernetes.sending_services import (
    LISTS_ENDPOINT_SLICES,
    NO_SERVICES,
    SendingServices,
    SendingServicesRead,
)
from scc_responder.domain.labels import ACTION_ID, DETACHED, ISOLATED_POD, POD_LABEL
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, not_the_target, target_gone
from scc_responder.domain.text import listed

EFFECT_WAITS_SECONDS = (0.1, 0.4, 1.0, 2.5)
"""Before each look at what came of it, 4 s in all: controllers take 25 to 50 ms where they have nothing else to do."""
SURE_LOOKS = 2
"""A pod that was let go may be adopted by another workload a moment later."""

DETACHES_POD = ChangeKind(
    permissions=(
        *observes("pods", "get", "list"),
        *acts("pods", "patch"),
        *LISTS_ENDPOINT_SLICES,
        *observes("networkpolicies.networking.k8s.io", "list"),
        *LISTS_OTHER_POLICIES,
        *observes("persistentvolumeclaims", "get"),
        *observes("poddisruptionbudgets.policy", "list"),
    ),
    detaches_pod=True,
    disrupts=Disruption.PODS,
)

_T = TypeVar("_T")
_Names = Mapping[str, str]
"""The names of pods by their UIDs."""


@dataclass(kw_only=True, slots=True)
class _Effect:
    """What was read of the pod's surroundings. None: not read; `why_unread` says why. `looks` found all well by now.

    `opened`: the policies that let the isolated pod's traffic through since its labels are gone.
    """

    before: _Names | None = None
    after: _Names | None = None
    why_unread: str = "nothing was read before its labels were taken away"
    services: SendingServices = NO_SERVICES
    looks: int = 0
    opened: Sequence[str] | None = ()

    @property
    def replacement(self) -> str:
        """The name of the pod that its owner made since; empty where none was seen."""
        before, after = self.before or {}, self.after or {}
        return next((name for uid, name in after.items() if uid not in before), "")

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to wait for."""
        is_replaced = self.before is None or self.after is None or bool(self.replacement)
        return is_replaced and not self.services.names

    def __str__(self) -> str:
        """What is known of the replacement, for people."""
        if self.before is None or self.after is None:
            return f"whether a replacement came is not known: {self.why_unread}"
        waited = sum(EFFECT_WAITS_SECONDS)
        return f"replaced by {self.replacement}" if self.replacement else f"no replacement was seen for {waited:g} s"


class DetachPod(PodChange, frozen=True, kw_only=True, tag="detach_pod"):
    """Take these labels away from the pod with this UID, and keep them as an annotation.

    `labels` are those that its owner, the controller with `owner_uid`, selects it by, with the values that were read.
    `allow_last_replica`: even if no ready pod of its workload is left, or a replacement may not start beside it.
    """

    declares: ClassVar[ChangeKind] = DETACHES_POD

    labels: dict[str, str]
    owner_uid: str
    allow_last_replica: bool = False

    @property
    def any_replica(self) -> bool:
        """See `Change.any_replica`."""
        return self.allow_last_replica

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Take the labels away, and see what came of it."""
        path, effect = self.pod_path, _Effect()
        return means.in_cluster(
            lambda session: session.until_settled(partial(self._once, session, path, step, effect), path)
        )

    def _once(self, session: ClusterSession, path: str, step: StepRun, effect: _Effect, tries: Tries) -> Result:
        read = session.read(path)
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        taken = self._carried(read)
        if not taken:
            ours = Reason.DETACHED if tries.answered else Reason.DONE_BEFORE
            reason = ours if tries.sent or step.intended else Reason.ALREADY
            return done(reason) if step.dry_run else self._seen(session, path, effect, reason)
        if effect.before is None:
            effect.before = _known(lambda: self._replicas(session), effect)
        step.intend()
        body = self.body(step, read, taken)
        tries.send(lambda: session.api.patch(path, body, dry_run=step.dry_run))
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_DETACH)
        return self._seen(session, path, effect, Reason.DETACHED)

    def body(self, step: StepRun, read: ApiObject, taken: Mapping[str, str]) -> ApiObject:
        """The JSON merge patch: bound to the version that was read, so that what is kept is what was taken."""
        kept = msgspec.json.encode(dict(taken), order="sorted").decode()
        return {
            "metadata": {
                "uid": self.uid,
                "resourceVersion": read["metadata"]["resourceVersion"],
                "labels": dict.fromkeys(taken),
                "annotations": {DETACHED: kept, ACTION_ID: step.action_id},
            }
        }

    def _carried(self, read: ApiObject) -> dict[str, str]:
        """Which of the labels the pod carries, with the values that they have now."""
        labels = read["metadata"].get("labels") or {}
        return {key: labels[key] for key in self.labels if key in labels}

    def _seen(self, session: ClusterSession, path: str, effect: _Effect, reason: Reason) -> Result:
        """Look until the pod is out of its workload and its Services and another is there, or 4 s are over."""
        read: ApiObject | None = None
        for seconds in EFFECT_WAITS_SECONDS:
            session.wait(seconds)
            pod_read = session.pool.submit(session.read_anew, path)
            services = SendingServicesRead(session, self.target, pod_read.result)
            if effect.before is not None and not effect.replacement:
                effect.after = _known(lambda: self._replicas(session), effect)
            read = pod_read.result()
            lost = not_the_target(read, self.uid)
            if lost or read is None:
                return lost or target_gone()
            effect.services = services.result()
            effect.looks = effect.looks + 1 if effect.is_complete and not self._owner(read) else 0
            if effect.looks == SURE_LOOKS:
                break
        if read is not None and {ISOLATED_POD, POD_LABEL} & (read["metadata"].get("labels") or {}).keys():
            effect.opened = _known(partial(self._opened, session, read), effect)
        return self.verified(read or {}, effect, reason)

    def _opened(self, session: ClusterSession, read: ApiObject) -> Sequence[str]:
        """Which policies allow the pod something, and did not select it by its labels of before. Raises ApiError."""
        labels = read["metadata"]["labels"]
        before = labels | self.labels
        others = [OtherPolicies(session, self.namespace) for _ in range(2)]
        for reading, added in zip(others, ({}, self.labels), strict=True):
            reading.begin(lambda: read, added)
        policies = session.api.gather(api_paths.network_policies(self.namespace), partial(in_short, own_name=""))
        new = [policy for policy in policies if not selects_pod(policy, before)]
        now, earlier = (reading.bypassing().shown for reading in others)
        return (*bypassing(new, labels, ""), *(name for name in now if name not in earlier))

    def verified(self, read: ApiObject, effect: _Effect, reason: Reason) -> Result:
        """What a look at the pod, its Services and its owner's pods says of it."""
        owner = self._owner(read)
        opened = f"bypassed_by {listed(effect.opened)}" if effect.opened else ""
        opened = f"enforcement_unknown: {effect.why_unread}" if effect.opened is None else opened
        parts = (f"{owner} has it" if owner else "no controller has it", opened, str(effect.services), str(effect))
        detail = "; ".join(filter(None, parts))
        if owner:
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.STILL_OWNED, detail=detail)
        if effect.opened or effect.opened is None:
            reason = Reason.BYPASSED_BY if effect.opened else Reason.ENFORCEMENT_UNKNOWN
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=reason, detail=detail)
        if effect.services.unread:
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.SERVICES_UNREAD, detail=detail)
        if effect.services.names:
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.STILL_SENT_TO, detail=detail)
        return done(reason, detail)

    def _owner(self, read: ApiObject) -> str:
        """The controller that has the pod, or will have it as its labels are there again; empty where none does."""
        owners = (owner for owner in read["metadata"].get("ownerReferences") or () if owner.get("controller"))
        name = next((f"{owner['kind']}/{owner['name']}" for owner in owners), "")
        return name or ("whoever set its labels again" if self._carried(read) else "")

    def _replicas(self, session: ClusterSession) -> _Names:
        """The pods of the owner. One request; raises ApiError."""
        selector = ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        pods: Sequence[tuple[str, str]] = session.api.gather(
            api_paths.pods(self.namespace), self._replica, label_selector=selector
        )
        return dict(pods)

    def _replica(self, pod: ApiObject) -> tuple[str, str] | None:
        meta = pod["metadata"]
        is_owned = any(owner["uid"] == self.owner_uid for owner in meta.get("ownerReferences") or ())
        return (meta["uid"], meta["name"]) if is_owned and "deletionTimestamp" not in meta else None


def _known(read: Callable[[], _T], effect: _Effect) -> _T | None:
    """What was read; None where it could not be: the pod is detached all the same."""
    try:
        return read()
    except ResponderError as error:
        effect.why_unread = error.explanation if error.permission else error.reason
        return None
