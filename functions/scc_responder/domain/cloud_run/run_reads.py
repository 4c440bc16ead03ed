"""What the Admin API answers: an object as decisions need it, and whole for evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from scc_responder.domain.value import Value

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class RunRead(Generic[_Read]):
    """One object that was read. `document` makes its JSON, in camelCase, with everything the API said."""

    value: _Read
    document: Callable[[], dict[str, Any]]


class RunOperation(Value, frozen=True, kw_only=True):
    """A long-running operation: `projects/P/locations/L/operations/ID`, and how far it is.

    `generation` and `etag` are those of the object as the operation leaves it. `error` is the gRPC code in lower case
    of one that failed (`failed_precondition`), with its `message`; both are empty else.
    """

    name: str
    done: bool = False
    generation: int = 0
    etag: str = ""
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunList(Generic[_Read]):
    """Objects of a list, the newest first. Of one that is not `complete`, others were left unread."""

    items: tuple[RunRead[_Read], ...]
    complete: bool
