"""Carry out changes in a cluster: probe, intent, exactly one conditional request, verify by a read.

What was read last of each object is kept, so that one step's verification is the next one's probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from scc_responder.collect import api_paths
from scc_responder.domain.changes import CreateNetworkPolicy, DeletePod, PatchObject
from scc_responder.domain.errors import ApiError, OutcomeUnknown, RetryableError
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.status import StepStatus
from scc_responder.execute.network_policies import bypassing, manifest
from scc_responder.execute.probes import (
    NOT_VERIFIED,
    delete_options,
    effect_detail,
    not_the_target,
    patch_body,
    probe,
    probe_deletion,
    verified,
    worth,
)
from scc_responder.execute.step import Result, StepRun, done, failed

TRIES = 5
MAX_WAIT_SECONDS = 5.0
PAUSE_SECONDS = 0.05
"""Before the second try of a change; doubled for each further one."""
DELETION_WAITS_SECONDS = (0.1, 0.9)


@dataclass(kw_only=True, slots=True)
class Tries:
    """What is known of the tries of one change.

    `sent`: a request went out, and may have been or was carried out. `answered`: the API server said that it was.
    """

    sent: bool = False
    answered: bool = False
    last: ApiError | None = None

    def again(self, error: ApiError) -> bool:
        """Whether the try before ended in the same way."""
        return self.last is not None and (self.last.status, self.last.reason) == (error.status, error.reason)


class ClusterChanges:
    """One cluster's changes.

    `known` maps API paths to objects that were just read; `wait` sleeps for seconds; `pool` reads side by side.
    """

    def __init__(
        self, api: KubernetesApi, known: Mapping[str, ApiObject], wait: Callable[[float], None], pool: Executor
    ) -> None:
        self._api = api
        self._known = dict(known)
        self._wait = wait
        self._pool = pool

    def patch_object(self, change: PatchObject, step: StepRun) -> Result:
        """Merge the change into the object with this UID."""
        path = api_paths.pod(change.namespace, change.name) if change.kind == "Pod" else api_paths.node(change.name)
        return self._until_settled(lambda tries: self._patch_once(path, change, step, tries), path, change.kind)

    def _patch_once(self, path: str, change: PatchObject, step: StepRun, tries: Tries) -> Result:
        found = self._read(path)
        settled = probe(change, step, found, sent=tries.sent)
        if settled:
            return settled
        step.intend()
        body = patch_body(change, step, found)
        self._call(lambda: self._api.patch(path, body, dry_run=step.dry_run), tries)
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason="would_patch")
        self._forget(path)
        return verified(change, step, self._read(path))

    def create_network_policy(self, change: CreateNetworkPolicy, step: StepRun) -> Result:
        """Create the isolating policy, and say what it is worth."""
        path = api_paths.network_policy(change.namespace, change.name)
        return self._until_settled(lambda tries: self._isolate_once(path, change, step, tries), path, "NetworkPolicy")

    def _isolate_once(self, path: str, change: CreateNetworkPolicy, step: StepRun, tries: Tries) -> Result:
        if step.intended and self._read(path) is not None:
            return self._effect(change, step)
        step.intend()
        body, collection = manifest(change, step.action_id), api_paths.network_policies(change.namespace)
        try:
            self._call(lambda: self._api.create(collection, body, dry_run=step.dry_run), tries)
        except ApiError as error:
            if error.body_reason != "AlreadyExists":
                raise
        return self._effect(change, step)

    def _effect(self, change: CreateNetworkPolicy, step: StepRun) -> Result:
        path = api_paths.pod(change.namespace, change.pod_name)
        listed = self._pool.submit(self._api.list, api_paths.network_policies(change.namespace))
        # Read anew: another controller may have taken the label away since it was verified.
        self._forget(path)
        pod = self._read(path)
        policies = listed.result()
        if pod is None:
            return Result(status=StepStatus.TARGET_GONE, reason="gone_by_other")
        if pod["metadata"]["uid"] != change.pod_uid:
            return Result(status=StepStatus.TARGET_REPLACED, reason="target_replaced")
        labels = pod["metadata"].get("labels", {})
        others = bypassing(policies, {**labels, **change.selector}, change.name)
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason="would_isolate", detail=effect_detail(change, others))
        own = next((policy for policy in policies if policy["metadata"]["name"] == change.name), None)
        gone = self._gone(change) if own is None else None
        return gone or worth(change, step, own, labels, others)

    def _gone(self, change: CreateNetworkPolicy) -> Result | None:
        """What became of the pod, if it is why its policy is not there: the cluster takes it away with the pod."""
        path = api_paths.pod(change.namespace, change.pod_name)
        self._forget(path)
        return not_the_target(self._read(path), change.pod_uid)

    def delete_pod(self, change: DeletePod, step: StepRun) -> Result:
        """Delete the pod with this UID, at the version that carries our arming annotation."""
        path = api_paths.pod(change.namespace, change.name)
        return self._until_settled(lambda tries: self._delete_once(path, change, step, tries), path, "Pod")

    def _delete_once(self, path: str, change: DeletePod, step: StepRun, tries: Tries) -> Result:
        found = self._read(path)
        settled = probe_deletion(change, step, found, sent=tries.sent, answered=tries.answered)
        if settled or found is None:
            return settled or Result(status=StepStatus.TARGET_GONE, reason="gone_by_other")
        step.intend()
        options = delete_options(change, step, found)
        self._call(lambda: self._api.delete(path, options, dry_run=step.dry_run), tries)
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason="would_delete")
        return self._verified_deletion(path, change)

    def _verified_deletion(self, path: str, change: DeletePod) -> Result:
        kept = ""
        for seconds in DELETION_WAITS_SECONDS:
            self._wait(seconds)
            self._forget(path)
            found = self._read(path)
            if found is None or found["metadata"]["uid"] != change.uid:
                return done("deleted")
            finalizers = found["metadata"].get("finalizers", ())
            kept = f"kept by {', '.join(finalizers)}" if finalizers else "within its grace period"
        return Result(status=StepStatus.TERMINATING, reason="terminating", detail=kept)

    def _until_settled(self, attempt: Callable[[Tries], Result], path: str, kind: str) -> Result:
        """Try again, each time from a fresh probe, while the target changes under us or the outcome is unknown."""
        tries = Tries()
        for number in range(TRIES):
            try:
                return attempt(tries)
            except ApiError as error:
                if not self._may_pass(error, tries):
                    return _settled(error, kind)
                tries.last = error
                self._forget(path)
            self._wait(PAUSE_SECONDS * 2**number)
        reason = tries.last.reason if tries.last else "unsettled"
        raise RetryableError(reason, f"{TRIES} attempts on {path}")

    def _may_pass(self, error: ApiError, tries: Tries) -> bool:
        """Whether to probe and try again at once."""
        if isinstance(error, OutcomeUnknown) or (error.status == 409 and error.reason != NOT_VERIFIED):
            return True
        if error.reason == "admission_denied" or tries.again(error):
            return False
        if error.status == 429 and error.retry_after_seconds <= MAX_WAIT_SECONDS:
            self._wait(error.retry_after_seconds or 1.0)
            return True
        # The API server answers a patch whose `metadata.uid` is another's with 422, and one that is gone with 404:
        # probing tells. What was changed back right away may have been another finding's mark on the same object.
        return error.status in {404, 409, 422}

    def _read(self, path: str) -> ApiObject | None:
        if path not in self._known:
            try:
                self._known[path] = self._api.get(path)
            except ApiError as error:
                if error.status == 404:
                    return None
                raise
        return self._known[path]

    def _forget(self, path: str) -> None:
        self._known.pop(path, None)

    @staticmethod
    def _call(request: Callable[[], ApiObject], tries: Tries) -> None:
        try:
            request()
        except OutcomeUnknown:
            tries.sent = True
            raise
        tries.sent = tries.answered = True


def _settled(error: ApiError, kind: str) -> Result:
    """The outcome that a refusal stands for. Raises RetryableError where a later delivery may fare better."""
    if error.reason == "admission_denied":
        return _refused(error, kind)
    if error.status == 403:
        return failed(error.reason, f"missing permission: {error.permission}")
    if error.status == 404:
        return Result(status=StepStatus.TARGET_GONE, reason="gone_by_other")
    if error.reason == NOT_VERIFIED or error.status in {400, 410, 413, 415, 422}:
        return failed(error.reason, str(error))
    raise RetryableError(error.reason, str(error)) from error


def _refused(error: ApiError, kind: str) -> Result:
    if kind == "Node" and "GKE Warden" in str(error):
        return Result(status=StepStatus.NOT_POSSIBLE, reason="not_possible_autopilot", detail=str(error))
    return failed("admission_denied", str(error))
