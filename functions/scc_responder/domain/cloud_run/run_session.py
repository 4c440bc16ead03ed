"""Cloud Run's API as changes use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.ports import CloudRunApi


@dataclass(frozen=True, slots=True)
class RunSession:
    """The API, and how to wait some seconds.

    `read` are services that this delivery has just read, by their paths: a probe takes one of them once. A write is
    made under its etag, so that it is not made where the service has changed since.
    """

    api: CloudRunApi
    wait: Callable[[float], None]
    read: dict[str, RunService] = field(default_factory=dict)
