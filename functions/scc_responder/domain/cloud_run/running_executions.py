"""Which executions of a job run the image of a finding: one that is cancelled, or has ended, may not be the only one.

Pure. Source: Cloud Run, "Quotas and limits".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from scc_responder.domain.cloud_run.run_objects import RunExecution

MOST_EXECUTIONS = 1000
"""Read of a job: as many as Cloud Run keeps of those that are completed."""

MOST_RUNNING_NAMED = 20
"""Executions that people are told by name, the newest."""


def has_ended(execution: RunExecution) -> bool:
    """Whether it is over, and none of its tasks runs."""
    return execution.completion_time is not None and not execution.running


def others_running(
    executions: Iterable[RunExecution], known: RunExecution | None, wanted: Collection[str]
) -> tuple[str, ...]:
    """The names of those that run one of the wanted digests, or an image that nobody knows; without `known`, in order.

    Where no digest is wanted, every one that runs.
    """
    running = (item for item in executions if item.delete_time is None and not has_ended(item))
    return tuple(item.name for item in running if _may_run(item, wanted) and (known is None or item.uid != known.uid))


def _may_run(execution: RunExecution, wanted: Collection[str]) -> bool:
    digests = {item.digest for item in execution.containers}
    return not all(wanted) or not wanted or not all(digests) or not digests or not digests.isdisjoint(wanted)


def ended_before(executions: Sequence[RunExecution], latest: str, moment: datetime) -> bool:
    """Whether all that run are among these, the newest first, though the list has more: the rest is older and over.

    `latest` is the newest execution by what the job itself says; without it among them, the list may begin elsewhere.
    """
    ended = executions[-1].completion_time if executions and has_ended(executions[-1]) else None
    return ended is not None and ended < moment and any(item.name == latest for item in executions)


def named(names: Sequence[str]) -> str:
    """Names in a sentence, as many as people are told."""
    more = len(names) - MOST_RUNNING_NAMED
    return ", ".join(names[:MOST_RUNNING_NAMED]) + (f" and {more} more" if more > 0 else "")
