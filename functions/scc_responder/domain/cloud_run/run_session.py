"""Cloud Run's API as changes use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scc_responder.domain.ports import CloudRunApi


@dataclass(frozen=True, slots=True)
class RunSession:
    """The API, and how to wait some seconds."""

    api: CloudRunApi
    wait: Callable[[float], None]
