"""Find out which images the tags of some revisions stood for: the one that is meant, and those that may be safe.

A deploy by a tag is the rule, and without a digest no revision is known to run another image. At most `MOST_ASKED`
requests, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from scc_responder.domain.cloud_run.run_objects import RunRevision, RunService
from scc_responder.domain.ports import CloudRunApi

MOST_ASKED = 5
"""Revisions of which the digests are asked: those that get requests first, then the newest that are ready."""

_T = TypeVar("_T")


class DigestReads(Protocol):
    """The parallel reads of one finding: `target.Reads`."""

    def start(self, read: Callable[..., _T], *arguments: Any) -> Future[_T]:
        """Begin a read."""

    def result(self, fact: str, future: Future[_T]) -> _T | None:
        """The read's answer, or None with the reason in `missing`."""


def with_digests(
    service: RunService, revisions: Sequence[RunRevision], first: frozenset[str], api: CloudRunApi, reads: DigestReads
) -> tuple[tuple[RunRevision, ...], dict[str, dict[str, str]]]:
    """The revisions, with the digests that could be found out, and what was told, by revision and container.

    `first` are the names of those that matter most.
    """
    unknown = [item for item in revisions if not item.digests and item.containers and item.delete_time is None]
    wanted = [item for item in unknown if item.name in first]
    wanted += [item for item in unknown if item.name not in first and item.ready]
    asked = {item.name: reads.start(api.image_digests, service.name, item.name) for item in wanted[:MOST_ASKED]}
    told = {name: reads.result("image_digests", future) for name, future in asked.items()}
    known = {name: dict(digests) for name, digests in told.items() if digests}
    return tuple(with_told_digests(item, known.get(item.name, {})) for item in revisions), known


def with_told_digests(revision: RunRevision, digests: Mapping[str, str]) -> RunRevision:
    """The revision whose unknown digests are these, by container; what its own image says is never replaced."""
    if not digests:
        return revision
    alone = digests.get("", "") if len(revision.containers) == 1 else ""
    containers = (
        replace(item, digest=item.digest or (digests.get(item.name, "") if item.name else "") or alone)
        for item in revision.containers
    )
    return replace(revision, containers=tuple(containers))
