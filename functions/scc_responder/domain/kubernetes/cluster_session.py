"""One finding's work in one cluster: what was read last, and how a change is tried until its outcome is known.

What was read last of each object is kept, so that one step's verification is the next one's probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass

from scc_responder.domain.errors import ApiError, OutcomeUnknown, RetryableError
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, failed, target_gone
from scc_responder.domain.value import ODD

TRIES = 5
MAX_WAIT_SECONDS = 5.0
PAUSE_SECONDS = 0.05
"""Before the second try of a change; doubled for each further one."""

NOT_VERIFIED = Reason.NOT_VERIFIED
MODE_POLICY = "scc-responder-mode"
"""The admission policy by which the cluster's owner says how far the responder may go there (terraform/kubernetes)."""


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

    def send(self, request: Callable[[], ApiObject]) -> ApiObject:
        """Send one request that changes something, and return the answer. Raises ApiError."""
        try:
            answer = request()
        except OutcomeUnknown:
            self.sent = True
            raise
        self.sent = self.answered = True
        return answer


class ClusterSession:
    """One cluster, for one finding.

    `known` maps API paths to objects that were just read; `wait` sleeps for seconds; `pool` reads side by side.
    """

    def __init__(
        self, api: KubernetesApi, known: Mapping[str, ApiObject], wait: Callable[[float], None], pool: Executor
    ) -> None:
        self.api = api
        self.wait = wait
        self.pool = pool
        self._known = dict(known)
        self._beside: dict[str, Future[None]] = {}

    def read(self, path: str) -> ApiObject | None:
        """The object as it was read last, or is read now; None where it is not there. Raises ApiError."""
        if path not in self._known:
            try:
                self._known[path] = self.api.get(path)
            except ApiError as error:
                if error.status == 404:
                    return None
                raise
        return self._known[path]

    def read_anew(self, path: str) -> ApiObject | None:
        """The object as it is now; None where it is not there. Raises ApiError."""
        self.forget(path)
        return self.read(path)

    def forget(self, path: str) -> None:
        """Read the object anew when it is asked for next."""
        self._known.pop(path, None)

    def keep(self, path: str, answer: ApiObject) -> ApiObject:
        """Take the API server's answer to a write for the object as it was read last."""
        self._known[path] = answer
        return answer

    def beside(self, path: str, change: Callable[[], None]) -> None:
        """Begin to change the object beside the steps. An ApiError is left to the step whose turn comes."""
        self._beside[path] = self.pool.submit(change)

    def read_settled(self, path: str) -> ApiObject | None:
        """The object once nothing changes it beside the steps; None where it is not there. Raises ApiError."""
        if begun := self._beside.pop(path, None):
            with suppress(ApiError):
                begun.result()
            self.forget(path)
        return self.read(path)

    def until_settled(
        self,
        attempt: Callable[[Tries], Result],
        path: str,
        refused: Callable[[ApiError], Result | None] = lambda _: None,
    ) -> Result:
        """Try again, each time from a fresh probe, while the target changes under us, the outcome is unknown, or
        an answer makes no sense.

        `refused` says what a refusal by admission, or for an object's size, means to this kind of change, where it
        means more than a failure.
        Raises RetryableError where the outcome is still open after all tries.
        """
        tries = Tries()
        for number in range(TRIES):
            try:
                return attempt(tries)
            except ODD as error:
                tries.last = ApiError(Reason.UNUSABLE_ANSWER, f"an answer of another form: {type(error).__name__}")
            except ApiError as error:
                if not self._may_pass(error, tries):
                    return _outcome(error, refused)
                tries.last = error
            self.forget(path)
            self.wait(PAUSE_SECONDS * 2**number)
        reason = tries.last.reason if tries.last else Reason.UNSETTLED
        raise RetryableError(reason, f"{TRIES} attempts on {path}") from tries.last

    def _may_pass(self, error: ApiError, tries: Tries) -> bool:
        """Whether to probe and try again at once."""
        if isinstance(error, OutcomeUnknown) or (error.status == 409 and error.reason != NOT_VERIFIED):
            return True
        if error.reason.is_of_admission or tries.again(error):
            return False
        if error.status == 429 and error.retry_after_seconds <= MAX_WAIT_SECONDS:
            self.wait(error.retry_after_seconds or 1.0)
            return True
        # The API server answers a patch whose `metadata.uid` is another's with 422, and one that is gone with 404:
        # probing tells. What was changed back right away may have been another finding's mark on the same object.
        return error.status in {404, 409, 422}


def _outcome(error: ApiError, refused: Callable[[ApiError], Result | None]) -> Result:
    """The outcome that an error stands for. Raises RetryableError where a later delivery may succeed."""
    if error.refused_by.startswith(MODE_POLICY):
        return Result(status=StepStatus.HELD, reason=Reason.CLUSTER_PAUSED, detail=str(error))
    if error.reason.is_of_admission or error.reason == Reason.OBJECT_FULL:
        return refused(error) or failed(error.reason, str(error))
    if error.status == 403:
        return failed(error.reason, error.explanation)
    if error.status == 404:
        return target_gone()
    if error.reason == NOT_VERIFIED or error.status in {400, 410, 413, 415, 422}:
        return failed(error.reason, str(error))
    raise RetryableError(error.reason, str(error)) from error
