"""What an object that was read says of a change: is it done, by whom, did it take effect? Pure."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.changes import CreateNetworkPolicy, DeletePod, PatchObject
from scc_responder.domain.errors import ApiError
from scc_responder.domain.labels import ACTION_ID, ARMED_BY
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.status import StepStatus
from scc_responder.execute.network_policies import isolates
from scc_responder.execute.step import Result, StepRun, done, failed

NOT_VERIFIED = "not_verified"
_GONE = "no answer to a request of ours is known: it may have been another's deletion, or the pod's own end"


def not_the_target(found: ApiObject | None, uid: str) -> Result | None:
    """The outcome, if the object is gone or has another UID."""
    if found is None:
        return Result(status=StepStatus.TARGET_GONE, reason="gone_by_other")
    if found["metadata"]["uid"] != uid:
        return Result(status=StepStatus.TARGET_REPLACED, reason="target_replaced")
    return None


def probe(change: PatchObject, step: StepRun, found: ApiObject | None, *, sent: bool) -> Result | None:
    """The outcome, if the object is gone, another one, or already as wanted."""
    lost = not_the_target(found, change.uid)
    if lost or found is None:
        return lost
    ours = found["metadata"].get("annotations", {}).get(change.marker) == step.action_id
    if ours and as_wanted(change, found):
        return done("done_before" if step.intended or sent else "already")
    if change.marker == ACTION_ID and as_wanted(change, found):
        return done("already")
    if ours and step.intended:
        return Result(status=StepStatus.OVERRIDDEN, reason="overridden", detail="done before, and undone by another")
    if change.spec and _has_spec(change, found):
        # Another was first; what it was before is not ours to remember.
        return done("already")
    return None


def as_wanted(change: PatchObject, found: ApiObject) -> bool:
    """Whether the object has everything that the change asks for."""
    meta = found["metadata"]
    return (
        change.labels.items() <= meta.get("labels", {}).items()
        and change.annotations.items() <= meta.get("annotations", {}).items()
        and _has_spec(change, found)
    )


def _has_spec(change: PatchObject, found: ApiObject) -> bool:
    spec = found.get("spec", {})
    return all(spec.get(key) == value for key, value in change.spec.items())


def patch_body(change: PatchObject, step: StepRun, found: ApiObject | None) -> ApiObject:
    """The JSON merge patch, with its conditions and its marker."""
    meta: ApiObject = {"uid": change.uid, "annotations": {**change.annotations, change.marker: step.action_id}}
    if change.versioned and found is not None and not step.dry_run:
        meta["resourceVersion"] = found["metadata"]["resourceVersion"]
    if change.labels:
        meta["labels"] = change.labels
    return {"metadata": meta, **({"spec": change.spec} if change.spec else {})}


def verified(change: PatchObject, step: StepRun, found: ApiObject | None) -> Result:
    """What a read after the write says of it. Raises ApiError `not_verified` where it was changed back."""
    lost = not_the_target(found, change.uid)
    if lost or found is None:
        return lost or Result(status=StepStatus.TARGET_GONE, reason="gone_by_other")
    # Another finding on the same object may have put its own action's id there since; only the arming must be ours.
    ours = change.marker == ACTION_ID or found["metadata"].get("annotations", {}).get(change.marker) == step.action_id
    if not ours or not as_wanted(change, found):
        raise ApiError(NOT_VERIFIED, "the object was changed back right after the request", status=409)
    return done("armed" if change.marker == ARMED_BY else "patched")


def probe_deletion(
    change: DeletePod, step: StepRun, found: ApiObject | None, *, sent: bool, answered: bool
) -> Result | None:
    """The outcome, if the pod is gone, another one, on its way out, or not armed by this very action.

    Only where our request was `answered` is it known to be why the pod is gone; where it was `sent` at most, an answer
    is missing.
    """
    lost = not_the_target(found, change.uid)
    if lost or found is None:
        if answered:
            return done("deleted")
        return done("gone_after_intent", _GONE) if step.intended or sent else lost
    if "deletionTimestamp" in found["metadata"] and not _takes_longer(change, found):
        return Result(status=StepStatus.TERMINATING, reason="terminating")
    armed = found["metadata"].get("annotations", {}).get(ARMED_BY) == step.action_id
    return None if armed or step.dry_run else failed("not_armed", "the arming annotation is gone")


def _takes_longer(change: DeletePod, found: ApiObject) -> bool:
    """Whether the pod is on its way out, but more slowly than we ask for: anyone may have given it a year."""
    wanted = change.grace_period_seconds
    return wanted is not None and found["metadata"].get("deletionGracePeriodSeconds", 0) > wanted


def delete_options(change: DeletePod, step: StepRun, found: ApiObject) -> ApiObject:
    """The `DeleteOptions`, with UID and version as conditions."""
    conditions = {"uid": change.uid}
    if not step.dry_run:
        conditions["resourceVersion"] = found["metadata"]["resourceVersion"]
    options: ApiObject = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": conditions}
    if change.grace_period_seconds is not None:
        options["gracePeriodSeconds"] = change.grace_period_seconds
    return options


def worth(
    change: CreateNetworkPolicy,
    step: StepRun,
    own: ApiObject | None,
    labels: Mapping[str, str],
    others: tuple[str, ...],
) -> Result:
    """What the policy, as it was read back, is worth to the pod of these labels."""
    if own is None or not isolates(own, change):
        return failed(NOT_VERIFIED, f"the NetworkPolicy {change.name} is not there as it was created")
    if own["metadata"].get("annotations", {}).get(ACTION_ID) != step.action_id:
        return failed("name_taken", f"a NetworkPolicy {change.name} of another origin exists")
    if not change.selector.items() <= labels.items():
        return failed("label_removed", "the pod no longer carries the label that the NetworkPolicy selects")
    reason = "bypassed_by" if others and change.effective == "enforced" else change.effective
    if reason == "enforced":
        return done("isolated", effect_detail(change, others))
    word = {"unknown": "enforcement_unknown"}.get(reason, reason)
    return Result(status=StepStatus.NOT_EFFECTIVE, reason=word, detail=effect_detail(change, others))


def effect_detail(change: CreateNetworkPolicy, others: tuple[str, ...]) -> str:
    """What an isolation is worth, for people."""
    bypassed = f"; bypassed_by {', '.join(others)}" if others else ""
    return f"{change.effective}{bypassed}; established connections unknown"
