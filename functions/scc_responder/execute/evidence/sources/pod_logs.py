"""Source `pod_logs`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from time import monotonic

from scc_responder.domain.changes import ChangedObject
from scc_responder.domain.changes.capture_logs import CAPTURES_LOGS
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.permissions import observes
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, SourceInput, source
from scc_responder.execute.evidence.container_logs import ContainerLog, ContainerRun, read_container_log, runs_of

LOG_BYTES = 4 * 1024 * 1024
POD_BYTES = 16 * 1024 * 1024
"""Most bytes of one log, and of all logs of a pod together."""

MOST_LOGS = 64
LOG_SECONDS = 15.0
_SIDE_BY_SIDE = 8
_OF_SERVER = frozenset({401, 429})
"""HTTP statuses by which the API server answers before it asks the node."""


@source(
    moment=Moment.BEFORE_DELETION,
    permissions=observes("pods/log", "get"),
    required=True,
    incomplete=Reason.CAPTURED_WITHOUT_LOGS,
    deadline_seconds=20.0,
    asked_by=CAPTURES_LOGS,
)
def pod_logs(given: SourceInput) -> Sequence[EvidenceItem]:
    """The last lines of every container of the pod, and of its run before where it restarted; then what each gave."""
    pod = given.pod
    named = [container.name for container in given.context.finding.containers]
    runs = runs_of(given.context.objects.get("pod") or {}, named)
    logs = _side_by_side(given, pod, runs[:MOST_LOGS])
    refused = [log.error for log in logs if log.error]
    if refused and not any(log.was_answered for log in logs):
        raise _unread(refused[0])
    _check_same(given, pod)
    texts = [log.as_text(f"{pod.namespace}/{pod.name}") for log in logs if log.content]
    told = {"logs": [log.told() for log in logs], "left_out": [str(run) for run in runs[MOST_LOGS:]]}
    summary = ", ".join(f"{log.lines} lines of {log.run}" for log in logs if log.content)
    index = EvidenceItem(kind="logs", content=told, is_empty=not texts, summary=summary or "no lines of any log")
    return (*texts, index)


def _unread(error: ApiError) -> Exception:
    """What it means that no log could be read: of a lasting reason, another delivery would meet it again.

    A node that does not answer may answer the next delivery. A few later, nobody waits for it any more.
    """
    if error.status == 403 or error.lasting:
        return NotPossible(error.reason, permission=error.permission)
    if error.status == 404:
        return NotPossible(Reason.TARGET_ABSENT)
    is_of_server = error.status in _OF_SERVER
    return error if is_of_server else ApiError(Reason.NODE_NOT_ANSWERING, error.explanation, status=error.status)


def _side_by_side(given: SourceInput, pod: ChangedObject, runs: Sequence[ContainerRun]) -> list[ContainerLog]:
    until = monotonic() + LOG_SECONDS
    most = min(LOG_BYTES, POD_BYTES // max(1, len(runs)))
    path = api_paths.pod_log(pod.namespace, pod.name)
    read = partial(read_container_log, given.cluster_api, path, most=most, until=until)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        # Each thread reads for the case that this one works on.
        return [*pool.map(lambda context, run: context.run(read, run), [copy_context() for _ in runs], runs)]


def _check_same(given: SourceInput, pod: ChangedObject) -> None:
    """A log names no UID: where another pod has the name by now, it may be that one's."""
    try:
        found = given.cluster_api.get(api_paths.pod(pod.namespace, pod.name))
    except ApiError as error:
        if error.status == 404:
            return
        raise
    if found.get("metadata", {}).get("uid") != pod.uid:
        raise NotPossible(Reason.TARGET_REPLACED)
