"""The case that requests are sent for: each names it, so that the audit logs of cluster and Google can be joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

_T = TypeVar("_T")
_CASE: ContextVar[str] = ContextVar("acting_case", default="")


@contextmanager
def acting_for(case: str) -> Iterator[None]:
    """Send the requests of this block for the case (its id): also those that the threads of a `CasePool` send."""
    token = _CASE.set(case)
    try:
        yield
    finally:
        _CASE.reset(token)


def user_agent(product: str) -> str:
    """The `User-Agent` of a request: `scc-responder/0.1.0 case/0a0a0a0a0a0a`; the product alone where there is no case.

    Source: RFC 9110, section 10.1.5.
    """
    case = _CASE.get()
    return f"{product} case/{case}" if case else product


def request_reason() -> list[tuple[str, str]]:
    """The metadata by which Google's audit logs name the case (`requestAttributes.reason`): gRPC has one user agent.

    Source: Google Cloud, "System parameters", `X-Goog-Request-Reason`.
    """
    case = _CASE.get()
    return [("x-goog-request-reason", f"scc-responder case {case}")] if case else []


class CasePool(ThreadPoolExecutor):
    """Threads that work for the case for which they were given the work."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """See `Executor.submit`."""
        return super().submit(copy_context().run, fn, *args, **kwargs)
